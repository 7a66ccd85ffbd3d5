"""The options of `show`."""

from typing import Annotated

from infer_bench.cli.completion import complete_from
from infer_bench.cli.options.groups import output, report

Files = Annotated[list[str], report(metavar="REPORT.json", help="Reports that --json wrote, or a folder of them.")]
Format = Annotated[
    str,
    output(
        "--format",
        "-f",
        metavar="NAME",
        help="table, json or html; of most reports markdown, of tables csv; of bench, load and fleet junit, of bench "
        "and load openmetrics, of bench github-action-benchmark, pyperf or bencher.",
        autocompletion=complete_from(
            *("table", "json", "html", "markdown", "csv"),
            *("junit", "openmetrics", "pyperf", "bencher", "github-action-benchmark"),
        ),
    ),
]
ChartFile = Annotated[
    str | None,
    output("--chart", metavar="FILE", help="Draw a chart to this file instead: its ending is .svg or .png."),
]
ChartKind = Annotated[
    str | None,
    output(
        "--chart-kind",
        metavar="NAME",
        help="Which one: latency, phases, throughput or deltas of a bench; ratios of a gate; differences or causes "
        "of a comparison; knee, latency or timeline of a load; phases, icicle, functions, operators or changes of a "
        "profile.",
    ),
]
