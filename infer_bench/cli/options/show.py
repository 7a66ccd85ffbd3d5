"""The options of `show`."""

from typing import Annotated

from infer_bench.cli.options.groups import output, report

File = Annotated[str, report(metavar="REPORT.json", help="A report that --json wrote.")]
Format = Annotated[
    str,
    output(
        "--format",
        "-f",
        metavar="NAME",
        help="table or json; of a bench also github-action-benchmark, junit, openmetrics, pyperf or bencher; "
        "of bench and validate csv; of these and profile markdown.",
    ),
]
