"""`infer-bench bench`: what a model costs to serve."""

from typing import Annotated

import typer

from infer_bench.cli import options
from infer_bench.cli.options import AllowPickle, Candidates, Data, Format, JsonPath, Output


def bench(
    models: Annotated[list[str], typer.Argument(metavar="MODEL…", help="Model files, or package.module:function.")],
    data: Data = None,
    engine: Candidates = None,
    batch: Annotated[str, typer.Option("--batch", "-b", help="Batch sizes, as in 1,64,1000.")] = "1",
    threads: Annotated[int, typer.Option("--threads", "-t", help="Threads of each engine.")] = 1,
    scenario: Annotated[str, typer.Option("--scenario", help="single_stream or offline.")] = "single_stream",
    rows: Annotated[str, typer.Option("--rows", help="rotate through distinct rows, or always the same.")] = "rotate",
    budget: Annotated[float | None, typer.Option("--budget", help="Seconds of measuring.")] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", help="Rounds over all processes. [default: 60]")] = None,
    processes: Annotated[int, typer.Option("--processes", help="Fresh processes a candidate.")] = 3,
    percentiles: Annotated[str, typer.Option("--percentiles", help="As in 50,95,99.9.")] = "50,95,99",
    phases: Annotated[bool, typer.Option("--phases", help="Split every row by phase.")] = False,
    reference: Annotated[str | None, typer.Option("--reference", help="The candidate to compare with.")] = None,
    allow_pickle: AllowPickle = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that a worker may take to answer.")] = 120.0,
    affinity: Annotated[str | None, typer.Option("--affinity", help="CPUs to bind workers to, as in 0,1.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Order of blocks, and rows drawn from the model.")] = 0,
    json: JsonPath = None,
    format: Format = "table",
    output: Output = None,
) -> int:
    """Measure what a model costs to serve.

    Latency by phase, throughput, cold start, memory, and how far the answers of the candidates lie apart.
    """
    from infer_bench.cli.measured import measured
    from infer_bench.measure.settings import ROWS_MODES, SCENARIOS, Settings

    settings = Settings(
        batches=options.numbers(batch, int, "batch"),
        threads=threads,
        scenario=options.one_of(scenario, "scenario", SCENARIOS),
        rows_mode=options.one_of(rows, "rows", ROWS_MODES),
        rounds=rounds,
        budget_s=budget,
        processes=processes,
        percentiles=options.numbers(percentiles, float, "percentiles"),
        reference=reference,
        allow_pickle=allow_pickle,
        seed=seed,
        timeout_s=timeout,
        affinity=options.numbers(affinity, int, "affinity") if affinity else (),
    )
    return measured(models, data, engine or [], settings, json=json, format=format, output=output, phases=phases)
