"""Runs a bench, or the gate that its options ask for."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from infer_bench.cli.command_line import find_begin_ns
from infer_bench.cli.delivery import Delivery, tell_verdict
from infer_bench.cli.github import tell_github
from infer_bench.cli.progress import ProgressLine
from infer_bench.errors import UsageError
from infer_bench.measure.bench import run as bench
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.settings import Settings
from infer_bench.output import OutputFile

if TYPE_CHECKING:
    from infer_bench.report.bench import BenchReport

Keep = Callable[["BenchReport"], None]


def run_bench(
    models: Sequence[str],
    data: str | None,
    candidates: Sequence[str],
    settings: Settings,
    gate: GateSettings,
    to: Delivery,
    *,
    save_baseline: str | None,
) -> int:
    """Bench or judge, write and render; returns the verdict's exit code. Between two rounds the JSON file is whole."""
    files = to.open_files("bench", checks_format=not to.is_table)
    with files as save, keep_baseline(save_baseline) as keep, ProgressLine() as progress:
        how: dict[str, Any] = {"data": data, "candidates": candidates, "settings": settings}
        how |= {"progress": progress, "save": save, "begin_ns": find_begin_ns()}
        if save_baseline and gate.baseline is None and not gate.has_criteria:
            from infer_bench.gates.stored import check_storable

            how["ready"] = check_storable
        report = _measure(models, gate, how, to)
        keep(report)
    to.deliver(report)
    tell_github(report)
    code = tell_verdict(report)
    if report.verdict is not None and report.verdict.status == "not-comparable":
        from infer_bench.gates.baseline import PAIRED_HINT

        print(f"hint: {PAIRED_HINT}", file=sys.stderr)
    return code


@contextlib.contextmanager
def keep_baseline(path: str | None) -> Iterator[Keep]:
    """What keeps a report as the baseline: once, when it is whole and nothing failed. Else it says so.

    The baseline that lies there may be the only one: half a run must not take its place.
    """
    if not path:
        yield lambda report: None
        return
    is_kept = False
    with OutputFile(path) as file:

        def keep(report: "BenchReport") -> None:
            nonlocal is_kept
            from infer_bench.gates.stored import check_storable
            from infer_bench.report.serialize import dump

            if report.complete and (report.verdict is None or report.verdict.status == "pass"):
                try:
                    check_storable(report)
                except UsageError as error:  # the report is shown all the same
                    print(f"note: {error.message}", file=sys.stderr)
                    return
                file.write_atomic(dump(report))
                is_kept = True

        try:
            yield keep
        finally:
            if not is_kept:
                print(f"note: no baseline was saved, {path} is as it was", file=sys.stderr)


def _measure(models: Sequence[str], gate: GateSettings, how: dict[str, Any], to: Delivery) -> "BenchReport":
    """A bench, which loads the table beside its first workers, or a gate of one kind or the other."""
    load_format = partial(to.check_format, "bench")
    if not (how["settings"].forms or gate.baseline is not None or gate.has_criteria):
        return bench.run(models, **how, meanwhile=load_format, keeps_rounds=to.json is not None)
    load_format()
    if how["settings"].forms:
        from infer_bench.measure.forms import run as forms

        return forms.run(models, **how)
    if gate.baseline is not None:
        from infer_bench.measure.gate import stored

        return stored.run(models, gate=gate, **how)
    from infer_bench.measure.gate import run as paired

    return paired.run(models, gate=gate, **how)
