"""`infer-bench bench`: what a model costs to serve."""

from typing import Annotated

import typer

from infer_bench.cli import options
from infer_bench.cli.options import AllowPickle, Candidates, Data, Format, JsonPath, Output


def bench(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL", help="Model files, or package.module:function.")
    ] = None,
    data: Data = None,
    engine: Candidates = None,
    batch: Annotated[str, typer.Option("--batch", "-b", help="Batch sizes, as in 1,64,1000.")] = "1",
    threads: Annotated[int, typer.Option("--threads", "-t", help="Threads of each engine.")] = 1,
    scenario: Annotated[str, typer.Option("--scenario", help="single_stream or offline.")] = "single_stream",
    rows: Annotated[str, typer.Option("--rows", help="rotate through distinct rows, or always the same.")] = "rotate",
    budget: Annotated[str | None, typer.Option("--budget", help="Time to measure for, as in 10s.")] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", help="Rounds over all processes. [default: 60]")] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", help="Fresh processes a candidate. [default: 3; with a baseline 9]")
    ] = None,
    percentiles: Annotated[str, typer.Option("--percentiles", help="As in 50,95,99.9.")] = "50,95,99",
    phases: Annotated[bool, typer.Option("--phases", help="Split every row by phase.")] = False,
    reference: Annotated[str | None, typer.Option("--reference", help="The candidate to compare with.")] = None,
    allow_pickle: AllowPickle = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that a worker may take to answer.")] = 120.0,
    affinity: Annotated[str | None, typer.Option("--affinity", help="CPUs to bind workers to, as in 0,1.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Order of blocks, and rows drawn from the model.")] = 0,
    against: Annotated[
        str | None,
        typer.Option("--against", help="Baseline to race: a model, engine[:key=value,…] or module:function."),
    ] = None,
    against_python: Annotated[
        str | None, typer.Option("--against-python", help="Interpreter to run the baseline in: another environment.")
    ] = None,
    max_regression: Annotated[
        str | None, typer.Option("--max-regression", help="As in 5%, or p50=3%,p95=10%,load=20%,rss=10%,size=0%.")
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", help="As in 'p99<5ms' or 'onnxruntime.p50<50us'. Repeatable.")
    ] = None,
    max_delta: Annotated[float | None, typer.Option("--max-delta", help="Largest |Δ| of the answers.")] = None,
    baseline: Annotated[
        str | None, typer.Option("--baseline", help="A report that --save-baseline wrote on this machine.")
    ] = None,
    save_baseline: Annotated[
        str | None, typer.Option("--save-baseline", help="Keep the report, to be compared with later.")
    ] = None,
    inconclusive: Annotated[
        str, typer.Option("--inconclusive", help="What an inconclusive gate exits with: 3, or pass (0) or fail (1).")
    ] = "3",
    alpha: Annotated[float, typer.Option("--alpha", help="Error rate of a gate.")] = options.DEFAULT_ALPHA,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Try the gate itself: its false alarms and its power on this machine.")
    ] = False,
    trials: Annotated[int, typer.Option("--trials", help="Of a self-test: trials with nothing planted.")] = 40,
    hogs: Annotated[
        str | None, typer.Option("--hogs", help="Of a self-test: CPU hogs beside it, as in 0,2. [default: 0,CPUs]")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", help="Of a self-test: trials at once, each one more load for the others.")
    ] = 1,
    json: JsonPath = None,
    format: Format = "table",
    output: Output = None,
) -> int:
    """Measure what a model costs to serve.

    Latency by phase, throughput, cold start, memory, and how far the answers of the candidates lie apart.
    """
    from infer_bench.cli.runs.bench import Delivery, measured
    from infer_bench.measure.gate.settings import gate_settings
    from infer_bench.measure.settings import ROWS_MODES, SCENARIOS, Settings
    from infer_bench.output import check_outputs
    from infer_bench.project import project_table

    gate = gate_settings(
        project_table(),
        against=against,
        python=against_python,
        baseline=baseline,
        max_regression=None if self_test else max_regression,
        bounds=limit or (),
        max_delta=max_delta,
        inconclusive=options.choice(inconclusive),
        alpha=alpha,
        plain=any(given is not None for given in (rounds, processes, save_baseline)),
    )
    options.check_gate(gate, rounds=rounds, processes=processes, reference=reference, save_baseline=save_baseline)
    settings = Settings(
        batches=options.numbers(batch, int, "batch"),
        threads=threads,
        scenario=options.one_of(scenario, "scenario", SCENARIOS),
        rows_mode=options.one_of(rows, "rows", ROWS_MODES),
        rounds=rounds,
        budget_s=options.duration(budget),
        processes=options.processes(processes, save_baseline or baseline),
        percentiles=options.numbers(percentiles, float, "percentiles"),
        reference=reference,
        allow_pickle=allow_pickle,
        seed=seed,
        timeout_s=timeout,
        affinity=options.affinity(affinity),
    )
    check_outputs(
        {"--json": json, "--output": output, "--save-baseline": save_baseline},
        [*(models or []), data, against, baseline],
    )
    delivery = Delivery(json, format, output, phases, save_baseline)
    if self_test:
        from infer_bench.cli.runs.selftest import selftested

        options.check_self_test(gate, save_baseline=save_baseline, alpha=alpha)
        return selftested(models or [], data, engine or [], trials, hogs, jobs, max_regression, settings, delivery)
    return measured(options.named(models), data, engine or [], settings, gate, delivery)
