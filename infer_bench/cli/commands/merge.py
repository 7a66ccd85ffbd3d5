"""`infer-bench merge`: the parts of a comparison become one report."""

from typing import Annotated

from infer_bench.cli.options.groups import model
from infer_bench.cli.options.shared import Chart, Html, JsonPath, Output
from infer_bench.cli.options.validate import ExportWorst, Format

Parts = Annotated[list[str], model(metavar="PART...", help="Reports that `validate --shard K/N --json` has written.")]


def merge(
    parts: Parts,
    export_worst: ExportWorst = None,
    json: JsonPath = None,
    format: Format = "",
    output: Output = None,
    html: Html = None,
    chart: Chart = None,
) -> int:
    """Merge the reports on parts of the rows.

    The result is what one run over all rows would have written. Exits with 4 if predictions differ, and with 6 if a
    part is missing or belongs to something else.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.illustrations import Illustrations

    to = Delivery(json, format, output, illustrations=Illustrations(html, chart))
    to.check_format("validate")
    from infer_bench.cli.runs.merge import run_merge

    return run_merge(parts, to, worst=export_worst)
