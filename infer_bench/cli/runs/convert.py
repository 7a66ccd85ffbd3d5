"""Runs a conversion with its progress line and its report's file, which is opened before anything is converted."""

import contextlib
import sys

from infer_bench.cli.delivery import deliver
from infer_bench.cli.options import terminal
from infer_bench.cli.progress import ProgressLine
from infer_bench.converters.base import ConvertOptions
from infer_bench.measure.convert.run import convert
from infer_bench.output import OutputFile, write_stdout
from infer_bench.report.serialize import dump
from infer_bench.reporters.registry import find


def written(
    model: str,
    output: str | None,
    data: str | None,
    options: ConvertOptions,
    allow_pickle: bool,
    time_limit_s: float,
    *,
    json: str | None,
    format: str,
) -> int:
    """Convert, save the report and render it; returns the verdict's exit code."""
    format = "json" if json == "-" else format
    find(format, "convert")
    with contextlib.ExitStack() as stack:
        saved = stack.enter_context(OutputFile(json)) if json and json != "-" else None
        progress = stack.enter_context(ProgressLine())
        report = convert(
            model,
            output,
            data=data,
            options=options,
            allow_pickle=allow_pickle,
            time_limit_s=time_limit_s,
            progress=progress,
        )
        if saved is not None:
            saved.write_atomic(dump(report))
    deliver(report, format, None)
    if report.verdict is None or report.verdict.exit_code == 0:
        return 0
    print(f"{report.verdict.status}: {'; '.join(report.verdict.reasons)}", file=sys.stderr)
    return report.verdict.exit_code


def listed() -> int:
    """Print the routes."""
    from infer_bench.converters.routes import table

    width, _ = terminal()
    write_stdout(table(width))
    return 0
