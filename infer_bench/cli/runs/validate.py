"""Runs a comparison."""

import contextlib
from collections.abc import Callable, Sequence

from infer_bench.cli.delivery import Delivery, open_file, tell_verdict
from infer_bench.cli.github import tell_github
from infer_bench.cli.progress import ProgressLine
from infer_bench.errors import UsageError
from infer_bench.measure.validate.run import Save, run
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.worst_rows import encode, require_arrow
from infer_bench.output import check_outputs
from infer_bench.progress import Progress
from infer_bench.report.validate import ValidateReport

Compare = Callable[[Progress, Save | None], ValidateReport]


def run_validate(
    models: Sequence[str],
    data: str | None,
    engines: Sequence[str],
    settings: ValidateSettings,
    to: Delivery,
    *,
    worst: str | None,
    on: str | None = None,
    parts: int | None = None,
    resume: str | None = None,
) -> int:
    """Compare, write and render; returns the verdict's exit code. stderr tells it where no table on stdout does."""

    if on is None and (parts is not None or resume is not None):
        raise UsageError("--parts and --resume are of parts that are compared elsewhere", "add --on dask")

    def compare(progress: Progress, save: Save | None) -> ValidateReport:
        if on is not None and data is not None:
            from infer_bench.measure.shards import distribute

            place = distribute.Distribution(on, parts, resume)
            return distribute.run(models, data, engines, settings, place, progress)
        return run(models, data=data, engines=engines, settings=settings, progress=progress, save=save)

    if on is not None:
        check_distribution(on, data, settings, parts)
    return deliver_comparison(compare, [*models, data], to, worst)


def check_distribution(on: str, data: str | None, settings: ValidateSettings, parts: int | None) -> None:
    """Raises `UsageError` for a place to run on that is none, before any output is opened."""
    from infer_bench.measure.shards.distribute import Distribution

    Distribution(on, parts).check(data, settings)


def deliver_comparison(compare: Compare, inputs: Sequence[str | None], to: Delivery, worst: str | None) -> int:
    """Open every output, make the report with `compare`, write and render it; returns the verdict's exit code."""
    check_outputs({**to.files, "--export-worst": worst}, inputs)
    if worst:
        require_arrow()
    with contextlib.ExitStack() as stack:
        save = stack.enter_context(to.open_files("validate"))
        worst_file = open_file(stack, worst)
        with ProgressLine() as progress:
            report = compare(progress, save)
        if worst and worst_file is not None:
            worst_file.write_atomic(encode(report, worst))
        save(report)
    to.deliver(report)
    tell_github(report)
    if report.verdict is not None and to.rendered_as == "table" and to.on_stdout:
        return report.verdict.exit_code
    return tell_verdict(report)
