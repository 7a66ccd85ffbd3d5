"""The search for the highest rate, against services whose capacity is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.load.rate_search import MOST_TRIALS, Outcome, RateSearch


def run(search: RateSearch, capacity: float, noise: float = 0.0, seed: int = 0, ceiling: float = np.inf) -> RateSearch:
    """Trials of a service that holds below `capacity`, which varies by a share of `noise` from trial to trial.

    Above `ceiling` the generator cannot judge.
    """
    random = np.random.default_rng(seed)
    while (rate := search.next_rate()) is not None:
        outcome: Outcome = "holds" if rate < capacity * (1 + noise * random.standard_normal()) else "broken"
        search.record(rate, "undecided" if rate > ceiling else outcome)
    return search


@given(st.floats(0.5, 3e5), st.floats(0.5, 1e5))
def test_the_capacity_lies_between_the_bounds(capacity: float, start: float) -> None:
    search = run(RateSearch(start), capacity)
    assert search.end == "precision"
    assert search.low is not None
    assert search.high is not None
    assert search.low < capacity <= search.high
    assert search.high / search.low <= 1.06
    assert search.is_confirmed
    assert search.trials <= 50


@pytest.mark.parametrize("seed", range(20))
def test_noise_moves_the_bounds_by_no_more_than_itself(seed: int) -> None:
    search = run(RateSearch(100), 1_000, noise=0.03, seed=seed)
    assert search.low is not None
    assert 850 < search.low < 1_150
    assert search.is_confirmed
    assert search.trials <= MOST_TRIALS


def test_the_capacity_lies_between_the_bounds_though_trials_differ() -> None:
    searches = [run(RateSearch(100), 1_000, noise=0.05, seed=seed) for seed in range(100)]
    assert sum((search.low or 0) < 1_000 <= (search.high or 0) for search in searches) >= 90
    assert all(search.is_confirmed and search.trials < MOST_TRIALS for search in searches)


def test_a_rate_of_which_trials_differ_is_neither_held_nor_broken() -> None:
    search = RateSearch(100)
    for outcome in ("broken", "holds"):
        search.record(100, outcome)
    for _ in range(3):
        search.record(200, "broken")
    while (rate := search.next_rate()) is not None:
        search.record(rate, "broken")
    assert (search.low, search.high) == (None, 200)
    assert search.end == "trials"


def test_one_bad_trial_does_not_break_a_rate() -> None:
    search = RateSearch(100)
    search.record(100, "broken")
    assert search.next_rate() == 100
    search.record(100, "holds")
    assert search.next_rate() == 200


def test_the_generator_may_be_the_limit() -> None:
    search = run(RateSearch(100), 10_000, ceiling=1_000)
    assert search.end == "generator"
    assert search.low == 800
    assert search.high is None
    assert search.is_confirmed


def test_nothing_holds() -> None:
    search = run(RateSearch(100), 0.0)
    assert (search.low, search.end) == (None, "nothing-holds")


def test_everything_holds() -> None:
    search = run(RateSearch(1_000), 1e12)
    assert search.end == "rate"
    assert search.high is None
    assert search.low == 512_000


def test_a_rate_that_holds_once_and_then_breaks_is_given_up() -> None:
    search = RateSearch(100)
    search.record(100, "holds")
    while (rate := search.next_rate()) is not None:
        search.record(rate, "holds" if rate < 80 else "broken")
    assert search.low is not None
    assert search.low < 80
