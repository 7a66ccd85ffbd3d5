"""Intervals of percentiles of latencies that come in runs."""

import math

import numpy as np
import pytest

from infer_bench.stats import percentiles
from infer_bench.stats.load.intervals import bound_percentile
from infer_bench.stats.load.times import bound_percentiles, summarize_times
from infer_bench.stats.queue import simulate_times
from infer_bench.typing import Floats

BUSY, REQUESTS, RUNS = 0.8, 20_000, 100


def queue_times(seed: int) -> Floats:
    """ns of requests of an M/M/1 queue in its steady state, whose times are exponential, with the mean 1/(1 - BUSY)."""
    random = np.random.default_rng(seed)
    service = random.standard_exponential(REQUESTS + 2_000) * 1e6
    return simulate_times(service, random.standard_exponential(len(service)) * 1e6 / BUSY)[2_000:]


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_nineteen_of_twenty_intervals_hold_the_truth(q: float) -> None:
    truth = -math.log(1 - q) / (1 - BUSY) * 1e6
    ranks = percentiles.interval(REQUESTS, q)
    assert ranks is not None
    hits = independent_hits = 0
    for seed in range(RUNS):
        latencies = queue_times(seed)
        bounds = bound_percentile(latencies, q)
        assert bounds is not None
        low, high = bounds
        hits += low <= truth <= (math.inf if high is None else high)
        ordered = np.sort(latencies)
        independent_hits += ordered[ranks[0] - 1] <= truth <= ordered[ranks[1] - 1]
    assert hits >= 88
    assert independent_hits <= 60


def test_runs_that_are_short_beside_what_is_slow_hold_it_too() -> None:
    """2,000 requests whose logarithms are an autoregression that forgets in 100; their median is 1 ms."""
    hits = 0
    for seed in range(RUNS):
        steps = np.random.default_rng(seed).standard_normal(2_500) * math.sqrt(1 - 0.99**2)
        level, levels = 0.0, []
        for step in steps.tolist():
            level = 0.99 * level + step
            levels.append(level)
        bounds = bound_percentile(np.exp(levels[500:]) * 1e6, 0.5)
        assert bounds is not None
        hits += bounds[0] <= 1e6 <= (math.inf if bounds[1] is None else bounds[1])
    assert hits >= 90


def test_independent_latencies_get_little_more_than_the_exact_interval() -> None:
    latencies = np.random.default_rng(0).permutation(100_000).astype(float)
    exact = percentiles.interval(100_000, 0.99)
    bounds = bound_percentile(latencies, 0.99)
    assert exact is not None
    assert bounds is not None
    assert bounds[1] is not None
    assert bounds[0] <= exact[0] - 1
    assert exact[1] - 1 <= bounds[1]
    assert bounds[1] - bounds[0] < 2 * (exact[1] - exact[0])


def test_one_stall_bounds_no_tail() -> None:
    latencies = np.full(4_000, 1_000.0)
    latencies[2_000:2_400] = np.arange(400_000, 0, -1_000)
    assert bound_percentile(latencies, 0.95) == (1_000, None)
    assert bound_percentile(latencies, 0.5) == (1_000, 1_000)


def test_failures_leave_the_upper_end_open() -> None:
    latencies = np.arange(10_000, dtype=float)
    latencies[::100] = math.inf
    np.random.default_rng(0).shuffle(latencies)
    times = summarize_times(np.sort(latencies[np.isfinite(latencies)]).astype(np.int64), failures=100)
    intervals = bound_percentiles(times, latencies).intervals
    assert "p99.9" not in intervals  # it is a failure itself
    assert intervals["p99"][1] is None
    assert intervals["p50"][1] is not None


def test_a_small_sample_has_none() -> None:
    assert bound_percentile(np.arange(100, dtype=float), 0.999) is None
    assert bound_percentile(np.arange(10, dtype=float), 0.5) is None
