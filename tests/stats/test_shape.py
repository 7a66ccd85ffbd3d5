"""One hump or two, how wide, and whether warm-up is over."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.shape import is_bimodal, spread

Draw = Callable[[np.random.Generator, int], Any]

ONE_HUMP: dict[str, Draw] = {
    "narrow log-normal": lambda rng, n: 40_000 * np.exp(0.05 * rng.standard_normal(n)),
    "wide log-normal": lambda rng, n: 40_000 * np.exp(1.0 * rng.standard_normal(n)),
    "exponential tail": lambda rng, n: 30_000 + 3_000 * rng.standard_exponential(n),
    "normal with a tenth in a tail": lambda rng, n: (
        30_000 + 300 * rng.standard_normal(n) + (rng.random(n) < 0.1) * 20_000 * rng.standard_exponential(n)
    ),
    "uniform": lambda rng, n: rng.uniform(1_000, 1_500, n),
    "clock of 100 ns": lambda rng, n: np.round((700 + 60 * rng.standard_normal(n)) / 100) * 100,
    "clock of 42 ns": lambda rng, n: np.round((500 + 30 * rng.standard_normal(n)) / 41.67) * 41.67,
    "constant": lambda rng, n: np.full(n, 500),
    "zeros": lambda rng, n: np.zeros(n),
}


@pytest.mark.parametrize("name", ONE_HUMP)
@pytest.mark.parametrize(("n", "trials"), [(100, 200), (300, 200), (3000, 100)])
def test_one_hump_is_called_two_in_less_than_1_percent(name: str, n: int, trials: int) -> None:
    rng = np.random.default_rng(n)
    assert sum(is_bimodal(ONE_HUMP[name](rng, n).astype(np.int64)) for _ in range(trials)) <= trials // 100


@pytest.mark.parametrize(
    ("share", "distance", "n", "width"), [(0.2, 1.5, 300, 0.05), (0.2, 1.5, 3000, 0.1), (0.5, 1.2, 300, 0.03)]
)
def test_two_humps_are_found(share: float, distance: float, n: int, width: float) -> None:
    rng = np.random.default_rng(3)
    slow = np.where(rng.random((100, n)) < share, distance, 1.0)
    samples = (40_000 * slow * np.exp(width * rng.standard_normal((100, n)))).astype(np.int64)
    assert sum(is_bimodal(row) for row in samples) >= 95


@pytest.mark.parametrize("n", [0, 1, 99])
def test_few_samples_are_never_called_bimodal(n: int) -> None:
    assert not is_bimodal(np.resize(np.array([100, 1000], dtype=np.int64), n))


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=400))
def test_any_sample_has_an_answer_and_a_spread(values: list[int]) -> None:
    samples = np.array(values, dtype=np.int64)
    assert is_bimodal(samples) in (True, False)
    assert np.isfinite(spread(samples))


def test_spread_is_the_coefficient_of_variation_and_ignores_outliers() -> None:
    samples = np.random.default_rng(0).normal(40_000, 4_000, 20_000).astype(np.int64)
    assert spread(samples) == pytest.approx(0.1, rel=0.05)
    samples[:200] = 10**9
    assert spread(samples) == pytest.approx(0.1, rel=0.05)
