"""The exact rank test against brute force, and that its bounds are its verdicts."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.decisions import mann_whitney

SIZES = [(1, 1), (1, 4), (3, 2), (3, 3), (5, 4), (4, 6)]
values = st.lists(st.integers(1, 60).map(float), min_size=1, max_size=12)
errors = st.sampled_from([0.001, 0.01, 0.05, 0.2, 0.4])


def brute_force(n: int, m: int) -> list[int]:
    counts = [0] * (n * m + 1)
    for ours in combinations(range(n + m), n):
        others = set(range(n + m)) - set(ours)
        counts[sum(a > b for a in ours for b in others)] += 1
    return counts


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_arrangements_are_those_of_brute_force(n: int, m: int) -> None:
    assert list(mann_whitney.arrangements(n, m)) == brute_force(n, m)


@pytest.mark.parametrize(("n", "m"), [(9, 9), (20, 7), (40, 40)])
def test_arrangements_add_up_and_are_symmetric(n: int, m: int) -> None:
    result = mann_whitney.arrangements(n, m)
    assert sum(result) == comb(n + m, n)
    assert result == result[::-1]


@pytest.mark.parametrize("error", [0.001, 0.01, 0.05, 0.3])
@pytest.mark.parametrize(("n", "m"), [*SIZES, (9, 9), (12, 5)])
def test_the_critical_value_is_the_least_that_keeps_the_error(n: int, m: int, error: float) -> None:
    result, counts = mann_whitney.critical(n, m, error), mann_whitney.arrangements(n, m)
    tails = [sum(counts[c:]) / comb(n + m, n) for c in range(n * m + 1)]
    fitting = [c for c, tail in enumerate(tails) if tail <= error]
    assert result == (fitting[0] if fitting else None)


@pytest.mark.parametrize(("error", "size"), [(0.4, 2), (0.05, 3), (0.01, 5), (0.001, 7), (1e-5, 10)])
def test_how_many_are_enough(error: float, size: int) -> None:
    assert mann_whitney.enough(error) == size
    assert mann_whitney.critical(size, size, error) is not None
    assert mann_whitney.critical(size - 1, size - 1, error) is None


@given(values=values, baseline=values, error=errors, limit=st.sampled_from([1.0, 1.05, 1.5]))
def test_a_bound_lies_beyond_a_limit_exactly_when_the_test_rejects(
    values: list[float], baseline: list[float], error: float, limit: float
) -> None:
    n, m, ordered = len(values), len(baseline), mann_whitney.ratios(values, baseline)
    least = mann_whitney.critical(n, m, error)
    low, high = mann_whitney.lower(ordered, n, m, error), mann_whitney.upper(ordered, n, m, error)
    if least is None or low is None or high is None:
        assert least is low is high is None
        return
    assert (low > limit) == (sum(ratio > limit for ratio in ordered) >= least)
    assert (high < limit) == (sum(ratio < limit for ratio in ordered) >= least)
    assert low <= mann_whitney.centre(ordered) <= high


@given(values=values, baseline=values, error=errors, factor=st.sampled_from([0.5, 2.0, 8.0]))
def test_scaling_scales_the_bounds(values: list[float], baseline: list[float], error: float, factor: float) -> None:
    n, m = len(values), len(baseline)
    low = mann_whitney.lower(mann_whitney.ratios(values, baseline), n, m, error)
    after = mann_whitney.lower(mann_whitney.ratios([factor * v for v in values], baseline), n, m, error)
    assert after == (None if low is None else pytest.approx(factor * low))


@pytest.mark.parametrize("spread", ["normal", "freaks", "log"])
@pytest.mark.parametrize("error", [0.01, 0.05])
def test_bounds_miss_as_often_as_they_may_whatever_the_distribution(spread: str, error: float) -> None:
    rng, trials, misses = np.random.default_rng(5), 4_000, 0
    for _ in range(trials):
        logs = rng.standard_normal(16) * 0.01
        logs = logs + 0.3 * (rng.random(16) < 0.05) if spread == "freaks" else logs
        sides = np.exp(logs if spread != "log" else rng.exponential(0.1, 16))
        low = mann_whitney.lower(mann_whitney.ratios(sides[:9].tolist(), sides[9:].tolist()), 9, 7, error)
        misses += low is not None and low > 1
    assert misses / trials <= error + 3 * (error / trials) ** 0.5


@pytest.mark.parametrize("error", [0.0, 0.5, -1.0])
def test_errors_that_are_none_are_refused(error: float) -> None:
    with pytest.raises(ValueError, match="between 0 and"):
        mann_whitney.enough(error)
    with pytest.raises(ValueError, match="between 0 and"):
        mann_whitney.critical(3, 3, error)


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mann_whitney.arrangements(0, 3)
