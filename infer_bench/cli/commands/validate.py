"""`infer-bench validate`: does it still answer the same, and if not, why."""

from typing import Annotated

import typer

from infer_bench.cli import options
from infer_bench.cli.options import AllowPickle, Data, JsonPath, Output


def validate(
    models: Annotated[
        list[str], typer.Argument(metavar="REFERENCE CANDIDATE", help="Models, or saved predictions first.")
    ],
    data: Data = None,
    engine: Annotated[
        list[str] | None,
        typer.Option("--engine", "-e", help="engine[:key=value,…]: one for all sides, or one for each."),
    ] = None,
    atol: Annotated[float | None, typer.Option("--atol", help="Largest |Δ| that passes. [default: 1e-4]")] = None,
    rtol: Annotated[float | None, typer.Option("--rtol", help="More, as a share of the reference's answer.")] = None,
    threshold: Annotated[float | None, typer.Option("--threshold", help="Your decision threshold.")] = None,
    probes: Annotated[str, typer.Option("--probes", help="on, off or only: rows made to find differences.")] = "on",
    rows: Annotated[int | None, typer.Option("--rows", help="Read no more than so many rows.")] = None,
    worst: Annotated[int, typer.Option("--worst", help="How many of the worst rows to keep.")] = 10,
    input_dtype: Annotated[str | None, typer.Option("--input-dtype", help="Round rows to float32 or float64.")] = None,
    threads: Annotated[int, typer.Option("--threads", "-t", help="Threads of each engine.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Of the probes.")] = 0,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that a worker may take to answer.")] = 600.0,
    allow_pickle: AllowPickle = False,
    export_worst: Annotated[
        str | None, typer.Option("--export-worst", help="Write the worst rows: parquet or csv.")
    ] = None,
    json: JsonPath = None,
    format: Annotated[str, typer.Option("--format", "-f", help="table, json, markdown or csv.")] = "table",
    output: Output = None,
) -> int:
    """Compare what models answer, and say why it differs.

    On your rows and on rows made to find differences. Exits with 4 if they differ.
    """
    from infer_bench.cli.runs.validate import Delivery, compared
    from infer_bench.measure.validate.settings import INPUT_DTYPES, PROBES, ValidateSettings, project_tolerances

    given = {
        name: value for name, value in (("atol", atol), ("rtol", rtol), ("threshold", threshold)) if value is not None
    }
    settings = ValidateSettings(
        **{**project_tolerances(), **given},
        probes=options.one_of(probes, "probes", PROBES),
        rows=rows,
        worst=worst,
        input_dtype=options.one_of(input_dtype, "input-dtype", INPUT_DTYPES) if input_dtype else None,
        threads=threads,
        seed=seed,
        timeout_s=timeout,
        allow_pickle=allow_pickle,
    )
    return compared(models, data, engine or [], settings, Delivery(json, format, output, export_worst))
