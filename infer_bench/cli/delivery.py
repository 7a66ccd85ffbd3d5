"""Where a rendered report goes."""

from typing import Any

from infer_bench.cli.options import terminal
from infer_bench.report.common import Report


def deliver(report: Report[Any], format: str, output: str | None, *, phases: bool = False) -> None:
    """Render to the file `output`, or to stdout in its width and colours."""
    from infer_bench.output import OutputFile, write_stdout
    from infer_bench.reporters.registry import render

    if output is None or output == "-":
        width, color = terminal()
        write_stdout(render(report, format, width=width, color=color, phases=phases))
        return
    with OutputFile(output) as file:
        file.write_atomic(render(report, format, phases=phases).encode())
