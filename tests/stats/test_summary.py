"""From raw samples to a `Latency`: correction, refusals, and the coverage of intervals over processes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.errors import CannotRun
from infer_bench.stats.layout_interval import LAYOUT_SD, ORDERED_FROM, layout_interval
from infer_bench.stats.percentiles import minimum_samples, percentile
from infer_bench.stats.summary import summarise

ROUNDS = st.lists(st.lists(st.integers(0, 10**9), max_size=40), max_size=4)
PROCESSES = st.lists(ROUNDS, min_size=1, max_size=4).filter(lambda ps: any(r for p in ps for r in p))


def arrays(processes: Any) -> list[list[Any]]:
    return [[np.array(r, dtype=np.int64) for r in rounds] for rounds in processes]


@given(PROCESSES, st.integers(0, 1000), st.sampled_from([50.0, 90.0, 95.0, 99.0]))
def test_every_figure_is_of_the_pooled_corrected_sample(processes: Any, floor: int, percent: float) -> None:
    latency = summarise(arrays(processes), floor, (percent,))
    pooled = np.array([max(ns - floor, 0) for p in processes for r in p for ns in r], dtype=np.int64)
    by_name = {"p50": latency.p50_ns, "p95": latency.p95_ns, "p99": latency.p99_ns, **latency.more}
    assert (latency.samples, latency.min_ns, latency.max_ns) == (len(pooled), int(pooled.min()), int(pooled.max()))
    assert latency.mean_ns == pytest.approx(pooled.mean(), abs=0.51)
    for name, value in by_name.items():
        q = float(name[1:]) / 100
        if len(pooled) < minimum_samples(q):
            assert value is None
            assert latency.needs[name] == minimum_samples(q)
        else:
            low, high = latency.intervals[name]
            assert value == percentile(pooled, q)
            assert latency.min_ns <= low <= value <= high <= latency.max_ns
            assert name not in latency.needs


@pytest.mark.parametrize(("percent", "rank"), [(99.9, 9990), (99.99, None), (29, 2900), (99.0, 9900), (0.1, 10)])
def test_a_percentile_is_read_as_it_is_written(percent: float, rank: int | None) -> None:
    latency = summarise([[np.arange(1, 10_001)]], 0, (percent,))
    assert {**latency.more, "p99": latency.p99_ns}[f"p{percent:g}"] == rank


def test_each_process_is_corrected_by_its_own_floor() -> None:
    latency = summarise(arrays([[[1000] * 10], [[1100] * 10]]), (100, 200))
    assert (latency.min_ns, latency.max_ns, latency.floor_ns) == (900, 900, 150)


def test_several_calls_a_sample_are_means_and_have_no_tail_percentile() -> None:
    latency = summarise(arrays([[[10_500] * 5000]]), 500, (50, 95, 99, 99.9), calls_per_sample=10)
    assert (latency.p50_ns, latency.p95_ns, latency.unit) == (1000, 1000, "batch-mean")
    assert (latency.p99_ns, latency.more) == (None, {"p99.9": None})
    assert not latency.needs
    assert set(latency.intervals) == {"p50", "p95"}


@pytest.mark.parametrize("processes", [[], [[]], [[[]], [[], []]]])
def test_no_sample_is_an_error_with_the_code_of_cannot_run(processes: Any) -> None:
    with pytest.raises(CannotRun, match="not one valid sample"):
        summarise(arrays(processes))


def test_samples_below_the_floor_give_zeros_and_no_failure() -> None:
    latency = summarise(arrays([[[10] * 600], [[5] * 600]]), 100)
    assert (latency.p50_ns, latency.p99_ns, latency.intervals["p50"]) == (0, 0, (0, 0))


def test_an_interval_of_one_process_allows_for_the_known_spread_of_layouts() -> None:
    samples = np.linspace(30_000, 60_000, 100_001).astype(np.int64)
    low, high = summarise([[samples]]).intervals["p50"]
    assert math.log(high / low) / 2 >= 1.9 * LAYOUT_SD


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=25), st.floats(0, 0.1))
def test_a_layout_interval_holds_the_median_and_is_never_below_the_floor(values: list[float], within: float) -> None:
    low, high = layout_interval(values, within)
    floor = math.hypot(1.96 * LAYOUT_SD, within) / math.sqrt(len(values))
    assert low <= np.median(values) <= high
    assert high - low >= 1.999 * floor


def test_one_freak_among_nine_processes_does_not_widen_the_interval() -> None:
    calm = [0.001 * i for i in range(ORDERED_FROM - 1)]
    assert layout_interval([*calm, 3.0]) == pytest.approx(layout_interval([*calm, 0.009]), abs=0.005)


@pytest.mark.parametrize(("processes", "least", "most"), [(3, 0.94, 0.995), (5, 0.94, 0.99), (9, 0.94, 0.995)])
def test_intervals_over_processes_cover_the_median_over_layouts(processes: int, least: float, most: float) -> None:
    rng = np.random.default_rng(7)
    base, covered, trials = 40_000, 0, 400
    for _ in range(trials):
        samples = [_process(rng, base) for _ in range(processes)]
        low, high = summarise(samples).intervals["p50"]
        covered += low <= base * math.exp(0.05 * math.log(2)) <= high
    assert least <= covered / trials <= most


def _process(rng: np.random.Generator, base: float) -> list[Any]:
    """Ten rounds of 40 calls: a layout of sd 0.9 %, block noise that remembers, and an exponential tail."""
    noise = np.zeros(10)
    for i in range(1, 10):
        noise[i] = 0.8 * noise[i - 1] + 0.004 * rng.standard_normal()
    logs = LAYOUT_SD * rng.standard_normal() + noise[:, None] + 0.05 * rng.standard_exponential((10, 40))
    return list((base * np.exp(logs)).astype(np.int64))
