"""`infer-bench show`: render a saved report."""

from infer_bench.cli.options import show as of
from infer_bench.cli.options.shared import Output, Phases


def show(report: of.File, format: of.Format = "table", output: Output = None, phases: Phases = False) -> int:
    """Render a saved report.

    It may come from another machine; no engine is needed.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.output import check_outputs
    from infer_bench.report.serialize import load_report

    check_outputs({"--output": output}, [report])
    Delivery(None, format, output, phases).deliver(load_report(report))
    return 0
