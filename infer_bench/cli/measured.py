"""Runs a bench with its progress line and its files, which are opened before anything is measured."""

import contextlib
import sys
from collections.abc import Sequence

from infer_bench.cli.deliver import deliver
from infer_bench.cli.progress import ProgressLine
from infer_bench.errors import UsageError
from infer_bench.measure.bench import run
from infer_bench.measure.settings import Settings
from infer_bench.output import OutputFile
from infer_bench.reporters.registry import find
from infer_bench.results import BenchReport
from infer_bench.serialize import dump


def measured(
    models: Sequence[str],
    data: str | None,
    candidates: Sequence[str],
    settings: Settings,
    *,
    json: str | None,
    format: str,
    output: str | None,
    phases: bool,
) -> int:
    """Bench, write and render; returns the verdict's exit code. After every round the JSON file is whole."""
    if json == "-" and (output is None or output == "-"):
        if format != "table":
            raise UsageError("stdout cannot carry both --json - and another format", "name a file for one of them")
        format = "json"
    find(format, "bench")
    with contextlib.ExitStack() as stack:
        saved = stack.enter_context(OutputFile(json)) if json and json != "-" else None
        rendered = stack.enter_context(OutputFile(output)) if output and output != "-" else None
        progress = stack.enter_context(ProgressLine())

        def save(report: BenchReport) -> None:
            if saved is not None:
                saved.write_atomic(dump(report))

        report = run(models, data=data, candidates=candidates, settings=settings, progress=progress, save=save)
    del rendered
    deliver(report, format, output, phases=phases)
    return _code(report)


def _code(report: BenchReport) -> int:
    if report.verdict is None:
        return 0
    for reason in report.verdict.reasons:
        print(f"{report.verdict.status}: {reason}", file=sys.stderr)
    return report.verdict.exit_code
