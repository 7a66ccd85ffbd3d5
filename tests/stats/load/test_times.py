"""Percentiles of requests of which some failed, and the histogram."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.load.histogram import build_histogram
from infer_bench.stats.load.times import summarize_times


def test_percentiles_are_nearest_ranks() -> None:
    times = summarize_times(np.arange(1, 10_001))
    assert (times.p50_ns, times.p95_ns, times.p99_ns, times.p999_ns) == (5_000, 9_500, 9_900, 9_990)
    assert (times.min_ns, times.max_ns, times.mean_ns, times.samples) == (1, 10_000, 5_000, 10_000)
    assert times.needs == {}


def test_a_small_sample_has_no_tail() -> None:
    times = summarize_times(np.arange(1, 101))
    assert (times.p50_ns, times.p95_ns, times.p99_ns) == (50, 95, None)
    assert set(times.needs) == {"p99", "p99.9"}


def test_failures_are_slower_than_every_answer() -> None:
    times = summarize_times(np.arange(1, 9_701), failures=300)
    assert (times.p50_ns, times.p95_ns, times.p99_ns) == (5_000, 9_500, None)
    assert times.samples == 10_000
    assert times.needs == {}


def test_nothing_but_failures() -> None:
    times = summarize_times(np.empty(0, dtype=np.int64), failures=10_000)
    assert times.p50_ns is times.max_ns is times.mean_ns is None
    assert times.needs == {}


@given(st.lists(st.integers(0, 2**53), max_size=50))
def test_a_histogram_keeps_count_and_eight_digits(values: list[int]) -> None:
    histogram = build_histogram(np.array(values, dtype=np.int64))
    assert sum(histogram.counts) == len(values)
    lows = sorted(low for low, count in zip(histogram.low_ns, histogram.counts, strict=True) for _ in range(count))
    for value, low in zip(sorted(values), lows, strict=True):
        assert low <= value < low * (1 + 1 / 128) + 1
