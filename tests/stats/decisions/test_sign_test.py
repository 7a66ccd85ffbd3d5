"""The sign test that may be looked at after every layout: never more error than promised, and steps that make sense."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer_bench.stats.decisions.sign_test import (
    MOST,
    boundaries,
    crossing,
    least_layouts,
    robust_layouts,
    share_needed,
)

ERRORS = st.floats(1e-6, 0.3)


def walks(share: float, layouts: int, trials: int) -> np.ndarray:
    """Counts beyond the limit after each layout: (trials, layouts)."""
    return np.cumsum(np.random.default_rng(0).random((trials, layouts)) < share, axis=1)


def crossed(counts: np.ndarray, error: float) -> np.ndarray:
    """Which of the walks ever reach the boundary."""
    bounds = np.array([math.inf if b is None else b for b in boundaries(error)[1 : counts.shape[1] + 1]])
    return np.asarray((counts >= bounds).any(axis=1))


def exact(error: float, layouts: int) -> float:
    """The chance that a fair coin crosses, counted path by path with whole numbers."""
    ways, chance = {0: 1}, 0.0
    for n in range(1, layouts + 1):
        after: dict[int, int] = {}
        for count, number in ways.items():
            for total in (count, count + 1):
                after[total] = after.get(total, 0) + number
        bound = boundaries(error)[n]
        ways = {count: number for count, number in after.items() if bound is None or count < bound}
        chance += sum(number for count, number in after.items() if count not in ways) / 2**n
    return chance


@pytest.mark.parametrize("error", [0.2, 0.05, 0.01, 0.005, 0.001])
def test_the_chance_of_a_false_alarm_never_exceeds_the_error_however_often_one_looks(error: float) -> None:
    error_spent = exact(error, MOST)
    assert 0.8 * error < error_spent <= error * (1 + 1e-9)
    assert crossing(0.5, MOST, error) == pytest.approx(error_spent, rel=1e-6)


@pytest.mark.parametrize("error", [0.05, 0.01])
def test_simulated_coins_cross_as_often_as_counted(error: float) -> None:
    assert crossed(walks(0.5, 100, 20_000), error).mean() <= error * 1.15
    power = crossed(walks(0.9, 20, 20_000), error).mean()
    assert power == pytest.approx(crossing(0.9, 20, error), abs=0.01)


@settings(deadline=None, max_examples=30)
@given(ERRORS)
def test_a_boundary_never_falls_and_rises_by_one_at_the_most(error: float) -> None:
    counts = boundaries(error, 120)
    least = least_layouts(error)
    assert all(bound is None for bound in counts[:least])
    possible = [bound for bound in counts[least:] if bound is not None]
    assert all(b - a in (0, 1) for a, b in itertools.pairwise(possible))
    assert all(bound is None or bound <= n for n, bound in enumerate(counts))
    assert all(bound is None or bound > n / 2 for n, bound in enumerate(counts) if n)


def test_what_the_first_looks_take() -> None:
    assert [least_layouts(error) for error in (0.05, 0.01, 0.001, 0.25)] == [5, 7, 10, 2]


@pytest.mark.parametrize("error", [0.05, 0.01, 0.005, 0.001])
def test_the_fewest_that_decide_whatever_one_of_them_says(error: float) -> None:
    layouts = robust_layouts(error)
    bound, before = boundaries(error)[layouts], boundaries(error)[layouts - 1]
    assert (bound, before) == (layouts - 1, layouts - 1)
    assert boundaries(0.01)[:8] == (None,) * 7 + (7,)
    assert 0.5**7 <= 0.01 < 0.5**6


def test_two_freaks_take_eighteen() -> None:
    assert [robust_layouts(error, 2) for error in (0.01, 0.005)] == [18, 18]
    assert boundaries(0.005)[17:19] == (16, 16)


def test_a_stricter_error_asks_for_no_fewer() -> None:
    for strict, loose in ((0.001, 0.01), (0.01, 0.05)):
        for hard, easy in zip(boundaries(strict), boundaries(loose), strict=True):
            assert hard is None or (easy is not None and easy <= hard)


@pytest.mark.parametrize("layouts", [7, 13, 30])
def test_the_share_needed_is_the_one_that_crosses_with_the_power_asked_for(layouts: int) -> None:
    share = share_needed(layouts, 0.01, 0.95)
    assert share is not None
    assert crossing(share, layouts, 0.01) == pytest.approx(0.95, abs=1e-3)
    assert crossing(share - 0.01, layouts, 0.01) < 0.95


def test_more_layouts_need_a_smaller_share_and_too_few_none() -> None:
    shares = [share_needed(n, 0.01, 0.95) for n in range(7, 60)]
    assert all(a is not None and b is not None and b <= a for a, b in itertools.pairwise(shares))
    assert share_needed(6, 0.01, 0.95) is None


@given(st.floats(0.01, 0.99), st.integers(1, 60), st.sampled_from([0.05, 0.01]))
def test_crossing_is_a_chance_that_grows_with_share_and_layouts(share: float, layouts: int, error: float) -> None:
    chance = crossing(share, layouts, error)
    assert 0 <= chance <= 1
    assert chance <= crossing(min(1.0, share + 0.01), layouts, error) + 1e-12
    assert chance <= crossing(share, layouts + 1, error) + 1e-12


@pytest.mark.parametrize("error", [0.0, 0.5, 1.0, -1.0, math.nan])
def test_an_error_rate_that_is_none_is_refused(error: float) -> None:
    with pytest.raises(ValueError, match="error rate"):
        boundaries(error)
