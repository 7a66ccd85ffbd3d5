"""Random reports: every field of every type, as `results.py` declares it."""

from typing import Any

from hypothesis import strategies as st

from infer_bench.report.bench import BenchResult, Process, Round, Speedup
from infer_bench.report.common import Environment, Latency, ModelInfo, Notice, Phases, Report, Verdict
from infer_bench.report.gate import Check, Gate, Side

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ns = st.integers(-(2**62), 2**62)
numbers = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | ns | numbers | text
settings_values: Any = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=6
)


def tuples_of(item: Any, size: int = 3) -> Any:
    return st.lists(item, max_size=size).map(tuple)


latencies = st.builds(
    Latency,
    intervals=st.dictionaries(text, st.tuples(ns, ns), max_size=2),
    needs=st.dictionaries(text, ns, max_size=2),
    more=st.dictionaries(text, st.none() | ns, max_size=2),
    p50_ns=st.none() | ns,
    p95_ns=st.none() | ns,
    p99_ns=st.none() | ns,
    mean_ns=ns,
    min_ns=ns,
    max_ns=ns,
    samples=ns,
    floor_ns=ns,
    unit=st.sampled_from(["call", "batch-mean"]),
)
samples = tuples_of(ns)
rounds = st.builds(Round, request_ns=samples, preprocess_ns=samples, predict_ns=samples, postprocess_ns=samples)
processes = st.builds(Process, rounds=tuples_of(rounds, 2), throttled_ns=ns)
models = st.builds(
    ModelInfo, text, text, text, text, ns, task=st.none() | text, features=st.none() | ns, trees=st.none() | ns
)
results = st.builds(
    BenchResult,
    candidate=text | st.sampled_from(["lightgbm:feed=dataframe", "onnxruntime:feed=ndarray,threads=2", "a:b"]),
    engine=text | st.sampled_from(["lightgbm", "onnxruntime"]),
    options=st.dictionaries(text, text, max_size=2),
    model=models,
    batch=ns,
    failed=st.none() | text,
    scenario=text,
    request=st.none() | latencies,
    phases=st.none() | st.builds(Phases, latencies, latencies, latencies),
    rows_per_s=st.none() | numbers,
    speedup=st.none() | st.builds(Speedup, text, numbers, st.none() | numbers, st.none() | numbers),
    max_abs_delta=st.none() | numbers,
    label_changes=st.none() | ns,
    non_finite_mismatches=ns,
    delta_rows=ns,
    delta_note=text,
    cold_start_ns=st.none() | ns,
    rss_bytes=st.none() | ns,
    peak_rss_bytes=st.none() | ns,
    artifact_bytes=st.none() | ns,
    warmup_ns=st.none() | ns,
    processes=tuples_of(processes, 2),
)
environments = st.builds(
    Environment,
    cpus_quota=st.none() | numbers,
    cpus_effective=numbers,
    packages=st.dictionaries(text, text, max_size=2),
    load_average_1m=st.none() | numbers,
    cpu_governor=st.none() | text,
    cpu_mhz=st.none() | ns,
)
notices = st.builds(Notice, text, text, text, st.none() | text)
verdicts = st.builds(
    Verdict, st.sampled_from(["pass", "regressed", "inconclusive", "different", "failed"]), ns, tuples_of(text)
)
measures = st.none() | numbers
checks = st.builds(
    Check,
    candidate=text | st.just("a:b"),
    metric=text | st.sampled_from(["p50", "p95", "rss", "max_abs_delta"]),
    limit=numbers,
    baseline=measures,
    value=measures,
    ratio=measures,
    low=measures,
    high=measures,
    layouts=ns,
    beyond=ns,
    would_see=measures,
    would_fail=measures,
    reason=text,
    final=st.booleans(),
)
sides = st.builds(Side, text | st.just("a:b"), text, text, text, st.dictionaries(text, text, max_size=2))
gates = st.builds(
    Gate, alpha=numbers, beta=numbers, baseline=sides, sides=tuples_of(sides, 2), checks=tuples_of(checks, 4)
)
reports: st.SearchStrategy[Report[BenchResult]] = st.builds(
    Report,
    command=st.just("bench"),
    tool_version=text,
    created_at=text,
    settings=st.dictionaries(text | st.sampled_from(["threads", "percentiles", "rounds"]), settings_values, max_size=4),
    environment=environments,
    results=tuples_of(results),
    notices=tuples_of(notices),
    verdict=st.none() | verdicts,
    complete=st.booleans(),
    gate=st.none() | gates,
    schema_version=st.just(1),
)
