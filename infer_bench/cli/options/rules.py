"""What `bench` cannot do without, and which of its options do not go together."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infer_bench.cli.options.bench import DEFAULT_ALPHA
from infer_bench.errors import UsageError
from infer_bench.output import check_outputs

if TYPE_CHECKING:
    from infer_bench.measure.gate.settings import GateSettings
    from infer_bench.measure.settings import Settings
    from infer_bench.request_choices import RequestChoices


def check_models(models: Sequence[str] | None, candidates: Sequence[str] | None, *, optional: bool) -> None:
    """Raises `UsageError` without any, unless that makes sense; what is there is checked as by `check_names`."""
    if not models and not optional:
        raise UsageError("MODEL is missing", "infer-bench bench MODEL")
    check_names(models or (), candidates)


def check_target(
    models: Sequence[str] | None,
    candidates: Sequence[str] | None,
    gate: "GateSettings",
    self_test: bool,
    trials: Sequence[object],
    *,
    save_baseline: str | None,
    alpha: float,
) -> None:
    """As `check_models`, and where the gate tests itself as `check_self_test`; else `trials` are options that say how.

    Raises `UsageError` for any of those, `--trials`, `--hogs` and `--jobs`, where there is no self-test.
    """
    if not self_test and any(option is not None for option in trials):
        raise UsageError("--trials, --hogs and --jobs are for the trials of a self-test", "--self-test makes one")
    check_models(models, candidates, optional=self_test)
    check_self_test(self_test, gate, save_baseline=save_baseline, alpha=alpha)


def check_names(models: Sequence[str], candidates: Sequence[str] | None) -> None:
    """See that the models' files are there and the candidates' engines known, before anything heavy is imported.

    Raises `ModelError` and `UsageError`, as who reads the models would.
    """
    from infer_bench.formats.files import names_function, names_service, read_head
    from infer_bench.measure.candidates.spec import ALL, check_engine, parse

    for name in models:
        column = os.path.isfile(name.rpartition(":")[0])  # of saved predictions, or a function of a source file
        if not (column or names_function(name) or names_service(name)):
            read_head(Path(os.path.abspath(name)))
    for text in candidates or ():
        if text != ALL:
            check_engine(parse(text))


def check_requests(data: str | None, choices: "RequestChoices", *, show: bool = False) -> None:
    """Raises `UsageError` for choices of requests that are not drawn."""
    if data is not None and (choices.sizes or choices.fills):
        raise UsageError("--dim and --fill say how requests are drawn, and --data gives them", "leave out one")
    if data is not None and show:
        raise UsageError("--show-inputs shows requests that are drawn, and --data gives others", "leave out one")


def check_gate(
    gate: "GateSettings",
    *,
    rounds: int | None,
    processes: int | None,
    reference: str | None,
    save_baseline: str | None,
) -> None:
    """Raises `UsageError` for options that do not go with a gate."""
    if gate.is_live and (rounds is not None or processes is not None):
        raise UsageError("a gate takes as many rounds and processes as it needs", "bound it with --budget")
    if gate.is_paired and reference is not None:
        raise UsageError("--reference does not go with --against", "each candidate is compared with its baseline")
    if save_baseline in ("", "-"):
        raise UsageError("--save-baseline keeps a file", "to see the report as well: --json -")
    if gate.has_criteria and save_baseline is not None:
        raise UsageError("--save-baseline keeps a plain run", "leave out the limits and what to compare with")


def check_settings(
    settings: "Settings", gate: "GateSettings", data: str | None, save_baseline: str | None, *, show_inputs: bool
) -> None:
    """As `check_plain` and `check_requests`, and for a baseline that no later run could be judged by."""
    check_plain(settings, data, gate)
    check_requests(data, settings.requests, show=show_inputs)
    if save_baseline is not None:
        from infer_bench.gates.stored_size import check_stored_size

        check_stored_size(settings.processes, len(settings.batches))


def check_files(files: Mapping[str, str | None], save_baseline: str | None, inputs: Sequence[str | None]) -> None:
    """Raises `UsageError` for a file that would be written over another, or over what is read."""
    check_outputs({**files, "--save-baseline": save_baseline}, inputs)


def check_plain(settings: "Settings", data: str | None, gate: "GateSettings") -> None:
    """Raises `UsageError` for true classes without rows, and for what only a plain run shows where there is a gate."""
    if settings.thread_sweep and gate.has_criteria:
        raise UsageError("a gate takes one number of threads", "--threads 1, or candidates with threads=… of their own")
    if settings.keep_forms is not None and not settings.forms:
        raise UsageError("--keep keeps the forms of a model", "--forms makes them")
    if settings.forms and gate.has_criteria:
        raise UsageError("--forms goes with a plain run", "leave out the limits and what to compare with")
    if settings.slo is not None or settings.price is not None:
        from infer_bench.measure.bench.capacity import read_terms

        read_terms(settings.slo, settings.price)
        if gate.has_criteria:
            raise UsageError(
                "--slo goes with a plain run", "--limit judges: it fails the build where a limit is broken"
            )
    if settings.labels is not None and data is None:
        raise UsageError("--labels are the classes of rows", "give the rows with --data")
    if settings.labels is not None and gate.has_criteria:
        raise UsageError("--labels goes with a plain run", "leave out the limits and what to compare with")


def check_self_test(self_test: bool, gate: "GateSettings", *, save_baseline: str | None, alpha: float) -> None:
    """Raises `UsageError` for options that a self-test would leave unheard, where one is made."""
    if not self_test:
        return
    compares = gate.is_paired or gate.baseline is not None or save_baseline is not None
    if compares or gate.own_bounds or gate.limits.max_delta is not None or alpha != DEFAULT_ALPHA:
        raise UsageError("a self-test races a model against itself", "give it --max-regression and --budget only")
