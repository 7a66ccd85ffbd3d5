"""Runs a comparison with its progress line and its files, which are opened before anything is compared."""

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infer_bench.cli.delivery import deliver
from infer_bench.cli.github import tell_github
from infer_bench.cli.progress import ProgressLine
from infer_bench.errors import InferBenchError, UsageError
from infer_bench.measure.validate.run import run
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.output import OutputFile, check_outputs
from infer_bench.report.serialize import dump
from infer_bench.report.validate import ValidateReport
from infer_bench.reporters.registry import find


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the report goes."""

    json: str | None
    format: str
    output: str | None
    worst: str | None


def compared(
    models: Sequence[str], data: str | None, engines: Sequence[str], settings: ValidateSettings, to: Delivery
) -> int:
    """Compare, write and render; returns the verdict's exit code."""
    format = to.format
    if to.json == "-" and to.output in (None, "-"):
        if format != "table":
            raise UsageError("stdout cannot carry both --json - and another format", "name a file for one of them")
        format = "json"
    find(format, "validate")
    check_outputs({"--json": to.json, "--output": to.output, "--worst": to.worst}, [*models, data])
    with contextlib.ExitStack() as stack:
        saved = stack.enter_context(OutputFile(to.json)) if to.json and to.json != "-" else None
        worst = stack.enter_context(OutputFile(to.worst)) if to.worst and to.worst != "-" else None
        if to.output and to.output != "-":
            stack.enter_context(OutputFile(to.output))
        report = _run(models, data, engines, settings, saved, lambda partial: deliver(partial, format, to.output))
        if to.worst and worst is not None:
            from infer_bench.measure.validate.worst_rows import encoded

            worst.write_atomic(encoded(report, to.worst))
        if saved is not None:
            saved.write_atomic(dump(report))
    deliver(report, format, to.output)
    tell_github(report)
    return _code(report, said=format == "table" and to.output in (None, "-"))


def _run(
    models: Sequence[str],
    data: str | None,
    engines: Sequence[str],
    settings: ValidateSettings,
    saved: OutputFile | None,
    show: Callable[[ValidateReport], None],
) -> ValidateReport:
    """The comparison; when it does not come to its end, what was compared so far is shown."""
    partial: list[ValidateReport] = []

    def save(report: ValidateReport) -> None:
        partial[:] = [report]
        if saved is not None:
            saved.write_atomic(dump(report))

    try:
        with ProgressLine() as progress:
            return run(models, data=data, engines=engines, settings=settings, progress=progress, save=save)
    except (KeyboardInterrupt, InferBenchError):
        if partial and any(result.groups for result in partial[0].results):
            show(partial[0])
        raise


def _code(report: ValidateReport, *, said: bool) -> int:
    """The exit code; where no table on stdout has said it, stderr tells why it is not 0."""
    if report.verdict is None:
        return 0
    for reason in () if said else report.verdict.reasons:
        print(f"{report.verdict.status}: {reason}", file=sys.stderr)
    return report.verdict.exit_code
