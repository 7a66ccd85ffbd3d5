"""`infer-bench show`: render a saved report."""

from typing import Annotated

import typer

from infer_bench.cli.delivery import deliver
from infer_bench.cli.options import Output


def show(
    report: Annotated[str, typer.Argument(metavar="REPORT.json", help="A report that --json wrote.")],
    format: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            help="table or json; of a bench also github-action-benchmark, junit, openmetrics, pyperf or bencher; "
            "of bench and validate csv; of these and profile markdown.",
        ),
    ] = "table",
    output: Output = None,
    phases: Annotated[bool, typer.Option("--phases", help="Split every row by phase.")] = False,
) -> int:
    """Render a saved report.

    It may come from another machine; no engine is needed.
    """
    from infer_bench.output import check_outputs
    from infer_bench.report.serialize import load_report

    check_outputs({"--output": output}, [report])
    deliver(load_report(report), format, output, phases=phases)
    return 0
