"""The options of `validate`."""

from typing import Annotated

from infer_bench.cli.completion import complete_candidate, complete_format
from infer_bench.cli.options.groups import how, model, output, tolerance, what

Models = Annotated[list[str], model(metavar="REFERENCE CANDIDATE", help="Models, or saved predictions first.")]
Engines = Annotated[
    list[str] | None,
    what(
        "--engine",
        "-e",
        metavar="ENGINE",
        help="engine[:key=value,…]: one for all sides, or one for each.",
        autocompletion=complete_candidate,
    ),
]
Rows = Annotated[int | None, what("--rows", metavar="N", help="Read no more than so many rows.")]
Probes = Annotated[str, what("--probes", metavar="WHICH", help="on, off or only: rows made to find differences.")]
Shard = Annotated[str | None, what("--shard", metavar="K/N", help="Compare part K of N of the rows, to be merged.")]
On = Annotated[str | None, how("--on", metavar="WHERE", help="Compare in parts on dask, or dask://HOST:PORT.")]
Parts = Annotated[int | None, how("--parts", metavar="N", help="Of --on: how many. [default: 4 a worker]")]
Resume = Annotated[str | None, how("--resume", metavar="DIR", help="Of --on: keep parts here, and use those there.")]
Strict = Annotated[bool, tolerance("--strict", help="A probe that only the candidate answers is different.")]
InputDtype = Annotated[str | None, what("--input-dtype", metavar="DTYPE", help="Round rows to float32 or float64.")]
Seed = Annotated[int, what("--seed", metavar="N", help="Of the probes.")]

Atol = Annotated[float | None, tolerance("--atol", metavar="X", help="Largest |Δ| that passes. [default: 1e-4]")]
Rtol = Annotated[float | None, tolerance("--rtol", metavar="X", help="More, as a share of the reference's answer.")]
Threshold = Annotated[float | None, tolerance("--threshold", metavar="X", help="Your decision threshold.")]

Worst = Annotated[int, output("--worst", metavar="N", help="How many of the worst rows to keep.")]
ExportWorst = Annotated[
    str | None, output("--export-worst", metavar="FILE", help="Write the worst rows: parquet or csv.")
]
Format = Annotated[
    str,
    output(
        "--format",
        "-f",
        metavar="NAME",
        help="table, json, markdown, html or csv.",
        autocompletion_of=complete_format,
    ),
]
