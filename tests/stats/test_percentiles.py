"""Nearest-rank percentiles, their minimum samples and the exact coverage of their intervals."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats import binomial
from infer_bench.stats.percentiles import (
    interval,
    least_percentile,
    median,
    minimum_samples,
    percentile,
    percentile_rank,
)

SAMPLES = st.lists(st.integers(0, 2**62), min_size=1, max_size=300).map(lambda v: np.array(v, dtype=np.int64))
QUANTILES = st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999])


@given(SAMPLES, QUANTILES)
def test_the_percentile_is_the_value_at_the_ceiling_of_q_n_of_the_sorted_sample(samples: Any, q: float) -> None:
    oracle = sorted(samples.tolist())[math.ceil(Fraction(str(q)) * len(samples)) - 1]
    assert percentile(samples, q) == oracle


@given(SAMPLES, QUANTILES, QUANTILES)
def test_percentiles_are_ordered_and_within_the_sample(samples: Any, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert samples.min() <= percentile(samples, low) <= percentile(samples, high) <= samples.max()


@given(SAMPLES, QUANTILES, st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter_and_is_left_alone(samples: Any, q: float, random: Any) -> None:
    before = samples.tolist()
    shuffled = before.copy()
    random.shuffle(shuffled)
    assert percentile(np.array(shuffled, dtype=np.int64), q) == percentile(samples, q)
    assert samples.tolist() == before


@pytest.mark.parametrize(
    ("n", "q", "rank"), [(100, 0.95, 95), (1000, 0.29, 290), (10, 0.7, 7), (1, 0.5, 1), (2, 0.5, 1)]
)
def test_the_rank_is_not_moved_by_rounding_of_the_product(n: int, q: float, rank: int) -> None:
    assert percentile_rank(n, q) == rank


@pytest.mark.parametrize("q", [0.0, 1.0, -0.1, 95.0, math.nan])
def test_a_percentile_outside_the_open_unit_interval_is_refused(q: float) -> None:
    for call in (lambda: percentile_rank(10, q), lambda: minimum_samples(q), lambda: interval(10, q)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            call()


def test_no_sample_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="at least one"):
        percentile_rank(0, 0.5)


@pytest.mark.parametrize(
    ("q", "at_95", "at_99"), [(0.9, 46, 64), (0.95, 93, 130), (0.99, 473, 662), (0.999, 4742, 6636)]
)
def test_minimum_samples_are_those_of_mlperf_loadgen(q: float, at_95: int, at_99: int) -> None:
    assert (minimum_samples(q, 0.95), minimum_samples(q, 0.99)) == (at_95, at_99)


@given(st.integers(1, 200), st.floats(0.001, 0.999))
def test_the_binomial_agrees_with_the_sum_of_its_exact_terms(n: int, p: float) -> None:
    terms = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    for k in {0, n // 3, n // 2, n - 1, n}:
        assert binomial.below(n, p, k) == pytest.approx(math.fsum(terms[: k + 1]), abs=1e-12)


@given(st.integers(1, 10**7), st.sampled_from([0.1, 0.5, 0.9, 0.99, 0.999]), st.sampled_from([0.9, 0.95, 0.99]))
def test_an_interval_has_ranks_in_range_and_at_least_its_nominal_coverage(n: int, q: float, confidence: float) -> None:
    ranks = interval(n, q, confidence)
    if ranks is None:
        assert 1 - q**n - (1 - q) ** n < confidence + 0.6 * (1 - confidence)
        return
    low, high = ranks
    coverage = binomial.below(n, q, high - 1) - binomial.below(n, q, low - 1)
    assert 1 <= low < high <= n
    assert coverage >= confidence - 1e-12
    if n * min(q, 1 - q) > 2000:
        assert coverage <= confidence + 0.2 * (1 - confidence)


@pytest.mark.parametrize("q", [0.9, 0.95, 0.99, 0.999])
def test_a_sample_that_carries_a_percentile_carries_its_interval(q: float) -> None:
    assert interval(minimum_samples(q), q) is not None


DRAWS: dict[str, Callable[[np.random.Generator, Any], Any]] = {
    "normal": lambda rng, shape: 40_000 + 2_000 * rng.standard_normal(shape),
    "bimodal": lambda rng, shape: np.where(rng.random(shape) < 0.3, 1.5, 1.0) * (30_000 + rng.normal(0, 900, shape)),
    "log-normal": lambda rng, shape: 30_000 * np.exp(0.5 * rng.standard_normal(shape)),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize(("n", "q"), [(300, 0.5), (1000, 0.95), (3000, 0.99)])
def test_simulated_coverage_is_94_to_96_percent(name: str, n: int, q: float) -> None:
    rng = np.random.default_rng(20)
    truth = np.quantile(DRAWS[name](np.random.default_rng(1), 1_000_000), q)
    ranks = interval(n, q)
    assert ranks is not None
    low, high = ranks
    samples = np.partition(DRAWS[name](rng, (6000, n)), [low - 1, high - 1], axis=1)
    covered = np.mean((samples[:, low - 1] <= truth) & (truth <= samples[:, high - 1]))
    assert 0.94 <= covered <= 0.96


@given(st.lists(st.integers(0, 2**53), min_size=1, max_size=300), st.booleans())
def test_the_median_is_numpys_to_the_last_bit(samples: list[int], whole: bool) -> None:
    values = np.array(samples, dtype=np.int64) if whole else np.log1p(samples)
    before = values.tolist()
    assert median(values) == median(before) == float(np.median(values))
    assert values.tolist() == before


@pytest.mark.parametrize(
    ("waiting_ns", "at_least"), [(0, 900), (100, 800), (300, 700), (1_000, 500), (10**9, 100)], ids=str
)
def test_a_percentile_without_waiting_is_cut_as_far_as_the_waiting_goes(waiting_ns: int, at_least: float) -> None:
    """Of 100, 200, …, 1,000 the p90 is 900; a wait of 300 may have been 200 of that and 100 of the 800 below."""
    samples = np.array([1_000, 300, 900, 100, 700, 200, 800, 400, 600, 500], dtype=np.int64)
    assert least_percentile(samples, 0.9, waiting_ns) == pytest.approx(at_least)
