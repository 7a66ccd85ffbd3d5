"""`infer-bench bench`: what a model costs to serve."""

from infer_bench.cli.options import bench as of
from infer_bench.cli.options.shared import (
    AllowPickle,
    Budget,
    Candidates,
    Chart,
    Data,
    Fills,
    Html,
    JsonPath,
    Notes,
    Output,
    Phases,
    Shapes,
    Sizes,
    Timeout,
    Wide,
)


def bench(
    models: of.Models = None,
    data: Data = None,
    labels: of.Labels = None,
    forms: of.Forms = False,
    keep: of.Keep = None,
    slo: of.Slo = None,
    price: of.Price = None,
    shape: Shapes = None,
    dim: Sizes = None,
    fill: Fills = None,
    show_inputs: of.ShowInputs = False,
    engine: Candidates = None,
    batch: of.Batches = "1",
    threads: of.Threads = "1",
    scenario: of.Scenario = "single_stream",
    rows: of.RowsMode = "rotate",
    budget: Budget = None,
    quick: of.Quick = False,
    rounds: of.Rounds = None,
    processes: of.Processes = None,
    percentiles: of.Percentiles = "50,95,99",
    phases: Phases = False,
    memory: of.Memory = False,
    wide: Wide = False,
    notes: Notes = False,
    reference: of.Reference = None,
    require_provider: of.Provider = None,
    no_probes: of.NoProbes = False,
    allow_pickle: AllowPickle = False,
    timeout: Timeout = 120.0,
    affinity: of.Affinity = None,
    seed: of.Seed = 0,
    against: of.Against = None,
    against_python: of.AgainstPython = None,
    max_regression: of.MaxRegression = None,
    limit: of.Limits = None,
    max_delta: of.MaxDelta = None,
    baseline: of.Baseline = None,
    save_baseline: of.SaveBaseline = None,
    inconclusive: of.Inconclusive = "3",
    alpha: of.Alpha = of.DEFAULT_ALPHA,
    self_test: of.SelfTest = False,
    trials: of.Trials = None,
    hogs: of.Hogs = None,
    jobs: of.Jobs = None,
    json: JsonPath = None,
    format: of.Format = "",
    output: Output = None,
    html: Html = None,
    chart: Chart = None,
) -> int:
    """Measure what a model costs to serve.

    Latency by phase, throughput, cold start, memory, and how far the answers of the candidates lie apart.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.illustrations import Illustrations
    from infer_bench.cli.options import reading, rules
    from infer_bench.measure.gate.settings import build_gate_settings
    from infer_bench.measure.settings import ROWS_MODES, SCENARIOS, Settings
    from infer_bench.project import project_table

    gate = build_gate_settings(
        project_table(), against=against, python=against_python, baseline=baseline, bounds=limit or (),
        max_regression=None if self_test else max_regression, max_delta=max_delta, alpha=alpha,
        inconclusive=reading.read_inconclusive(inconclusive), plain={rounds, processes, save_baseline} != {None},
    )  # fmt: skip
    rules.check_gate(gate, rounds=rounds, processes=processes, reference=reference, save_baseline=save_baseline)
    settings = Settings(
        batches=reading.read_numbers(batch, int, "batch"), **reading.read_threads(threads), timeout_s=timeout,
        scenario=reading.pick(scenario, "scenario", SCENARIOS), rows_mode=reading.pick(rows, "rows", ROWS_MODES),
        rounds=rounds, labels=labels, reference=reference, probes=not no_probes, slo=slo, price=price, seed=seed,
        **reading.read_sampling(budget, rounds, processes, save_baseline or baseline, quick=quick),
        percentiles=reading.read_numbers(percentiles, float, "percentiles"), allow_pickle=allow_pickle, memory=memory,
        affinity=reading.read_affinity(affinity), requests=reading.read_requests(shape, dim, fill),
        forms=forms, keep_forms=keep, require_provider=require_provider,
    )  # fmt: skip
    rules.check_settings(settings, gate, data, save_baseline, show_inputs=show_inputs)
    to = Delivery(json, format, output, phases, Illustrations(html, chart), wide, notes)
    rules.check_files(to.files, save_baseline, [*(models or []), data, labels, against, baseline])
    rules.check_target(models, engine, gate, self_test, (trials, hogs, jobs), save_baseline=save_baseline, alpha=alpha)
    to.check_chosen_format("self-test" if self_test else "bench")
    from infer_bench.cli.runs.bench import run_bench
    from infer_bench.cli.runs.inputs import run_inputs
    from infer_bench.cli.runs.selftest import run_selftest

    if show_inputs:
        return run_inputs(models or [], engine or [], settings, output)
    if self_test:
        return run_selftest(models or [], data, engine or [], trials, hogs, jobs, max_regression, settings, to)
    return run_bench(models or [], data, engine or [], settings, gate, to, save_baseline=save_baseline)
