"""Options that several commands share."""

from typing import Annotated

from infer_bench.cli.completion import complete_candidate
from infer_bench.cli.options.groups import how, machine, output, requests, what

Data = Annotated[
    str | None,
    what("--data", "-d", metavar="FILE", help="Rows: a parquet, csv, JSON, npy or npz file; or a pattern of files."),
]
Shapes = Annotated[
    list[str] | None,
    requests("--shape", metavar="NAME:SHAPE", help="An input's shape, as in images:1x3x224x224. Repeatable."),
]
Sizes = Annotated[
    list[str] | None, requests("--dim", metavar="NAME=N", help="The size of a named axis, as in batch=8. Repeatable.")
]
Fills = Annotated[
    list[str] | None,
    requests("--fill", metavar="NAME=VALUES", help="An input's values: zeros, ones, 16000 or 0..999. Repeatable."),
]
Candidates = Annotated[
    list[str] | None,
    what(
        "--engine",
        "--engines",
        "-e",
        metavar="CANDIDATE",
        autocompletion=complete_candidate,
        help="A candidate, engine[:key=value,…] or package.module:function, or (bench) all. Repeatable.",
    ),
]
AllowPickle = Annotated[bool, what("--allow-pickle", help="Open any pickle. A pickle can run code: trust it.")]
Budget = Annotated[str | None, how("--budget", metavar="TIME", help="Time to measure for, as in 10s.")]
Threads = Annotated[int, machine("--threads", "-t", metavar="N", help="Threads of each engine.")]
Timeout = Annotated[float, machine("--timeout", metavar="SECONDS", help="Seconds that a worker may take to answer.")]
JsonPath = Annotated[
    str | None, output("--json", metavar="FILE", help="Also write the report as JSON to this file (- is stdout).")
]
Output = Annotated[
    str | None,
    output("--output", "-o", metavar="FILE", help="Write the report to this file, in the format of its ending."),
]
Html = Annotated[str | None, output("--html", metavar="FILE", help="Also write a page with tables and charts.")]
Chart = Annotated[str | None, output("--chart", metavar="FILE", help="Also draw the first chart: .svg or .png.")]
Wide = Annotated[bool, output("--wide", help="Show every column, however narrow the terminal is.")]
Notes = Annotated[bool, output("--notes", help="Show every note in full, not the warnings alone.")]
Phases = Annotated[bool, output("--phases", help="Split every row by phase.")]
