"""Speed-ups: the estimate, and that the interval over process pairs holds under every noise that was met."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.speedup import merge_rounds, speedup

TRUE = 1.3


def blocks(*processes: list[int]) -> list[list[Any]]:
    """Processes of rounds whose samples all have one value."""
    return [[np.full(5, value, dtype=np.int64) for value in rounds] for rounds in processes]


def given_ratio(*arguments: Any, **more: Any) -> tuple[float, float | None, float | None]:
    ratio = speedup(*arguments, **more)
    assert ratio is not None
    return ratio


def test_the_ratio_is_the_median_over_pairs_of_the_median_over_rounds() -> None:
    reference = blocks([200, 300, 9000], [220, 220, 220], [400, 400, 400])
    ratio, low, high = given_ratio(reference, blocks([100] * 3, [100] * 3, [100] * 3))
    assert ratio == pytest.approx(3.0)
    assert low is not None
    assert high is not None
    assert low < 3.0 < high


@given(
    counts=st.lists(st.integers(0, 12), min_size=1, max_size=3),
    samples=st.integers(1, 250),
    least=st.integers(1, 300),
)
def test_rounds_in_a_row_are_merged_alike_until_each_has_enough(counts: list[int], samples: int, least: int) -> None:
    layouts = [[np.full(samples, place) for place in range(count)] for count in counts]
    merged = merge_rounds(layouts, least)
    if samples >= least or min(counts) * samples < least:
        assert [list(map(len, rounds)) for rounds in merged] == [[samples] * count for count in counts]
    else:
        assert {tuple(map(len, rounds)) for rounds in merged} == {tuple(map(len, merged[0]))}
        assert all(least <= len(block) < 2 * (least + samples) for block in merged[0])
        assert sum(map(len, merged[0])) == min(counts) * samples


def test_floor_and_calls_a_sample_are_taken_off_on_both_sides() -> None:
    ratio, _, _ = given_ratio(blocks([2100]), blocks([1050]), 100, 50, reference_calls=1, candidate_calls=10)
    assert ratio == pytest.approx(2000 / 100)
    ratio, _, _ = given_ratio(blocks([2100], [2200]), blocks([1000], [1000]), (100, 200), 0)
    assert ratio == pytest.approx(2.0)


def test_rounds_and_processes_that_one_side_lacks_are_left_out() -> None:
    ratio, low, high = given_ratio(blocks([200, 500], [300], [700]), blocks([100], [100, 1], []))
    assert ratio == pytest.approx(math.sqrt(2 * 3))
    assert low is not None
    assert high is not None


@pytest.mark.parametrize("candidate", [[], [[]], [[np.array([], dtype=np.int64)]]])
def test_nothing_in_common_gives_no_ratio(candidate: Any) -> None:
    assert speedup(blocks([100]), candidate) is None


def test_a_single_pair_gives_a_ratio_without_an_interval() -> None:
    ratio, low, high = given_ratio(blocks([200, 200]), blocks([100, 100]))
    assert ratio == pytest.approx(2.0)
    assert (low, high) == (None, None)


def test_a_candidate_below_the_floor_gives_a_finite_ratio() -> None:
    ratio, low, high = given_ratio(blocks([200], [200]), blocks([10], [10]), 0, 50)
    assert all(math.isfinite(value) for value in (ratio, low or math.nan, high or math.nan))


@given(st.lists(st.lists(st.integers(1, 10**9), min_size=1, max_size=5), min_size=2, max_size=12))
def test_swapping_the_sides_inverts_ratio_and_interval(rounds: list[list[int]]) -> None:
    reference, candidate = blocks(*rounds), blocks(*[[1000] * len(r) for r in rounds])
    ratio, low, high = given_ratio(reference, candidate)
    inverse = given_ratio(candidate, reference)
    assert low is not None
    assert high is not None
    assert low <= ratio <= high
    assert inverse == pytest.approx((1 / ratio, 1 / high, 1 / low), rel=1e-9)


NOISES: dict[str, dict[str, float]] = {
    "normal": {},
    "alike": {"layout": 0.0},
    "freak": {"freak": 1 / 60},
    "drift": {"drift": 0.05},
    "hogs": {"noise": 0.02},
    "unruly layouts": {"layout": 0.03},
}


def _pair(
    rng: np.random.Generator, layout: float = 0.009, noise: float = 0.004, drift: float = 0.0, freak: float = 0.0
) -> tuple[Any, Any]:
    """Twelve rounds of 20 calls a side: layouts, block noise that remembers, a shared drift, now and then a freak."""
    common = np.cumsum(drift * rng.standard_normal(12))
    sides = []
    for base in (TRUE * 40_000, 40_000):
        odd = rng.choice([-1, 1]) * rng.uniform(0.05, 0.3) if rng.random() < freak / 2 else 0.0
        own = np.zeros(12)
        for i in range(1, 12):
            own[i] = 0.8 * own[i - 1] + noise * rng.standard_normal()
        logs = layout / math.sqrt(2) * rng.standard_normal() + odd + common + own
        calls = base * np.exp(logs[:, None] + 0.05 * rng.standard_exponential((12, 20)))
        sides.append(list(calls.astype(np.int64)))
    return sides[0], sides[1]


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("pairs", [3, 5, 9])
def test_the_interval_covers_the_truth_in_at_least_93_percent(noise: str, pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    covered, widths = 0, []
    for _ in range(300):
        reference, candidate = zip(*(_pair(rng, **NOISES[noise]) for _ in range(pairs)), strict=True)
        _, low, high = given_ratio(reference, candidate)
        assert low is not None
        assert high is not None
        covered += low <= TRUE <= high
        widths.append(math.log(high / low) / 2)
    assert covered / 300 >= 0.93
    if noise in ("normal", "freak", "drift"):
        assert np.median(widths) < {3: 0.035, 5: 0.02, 9: 0.015}[pairs]
