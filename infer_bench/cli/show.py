"""`infer-bench show`: render a saved report."""

from typing import Annotated

import typer

from infer_bench.cli.deliver import deliver
from infer_bench.cli.options import Format, Output


def show(
    report: Annotated[str, typer.Argument(metavar="REPORT.json", help="A report that --json wrote.")],
    format: Format = "table",
    output: Output = None,
    phases: Annotated[bool, typer.Option("--phases", help="Split every row by phase.")] = False,
) -> int:
    """Render a saved report.

    It may come from another machine; no engine is needed.
    """
    from infer_bench.output import check_outputs
    from infer_bench.serialize import load_report

    check_outputs({"--output": output}, [report])
    deliver(load_report(report), format, output, phases=phases)
    return 0
