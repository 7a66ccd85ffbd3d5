"""Student's t against printed tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.student_t import cumulative, quantile


@pytest.mark.parametrize(
    ("share", "freedom", "t"),
    [
        (0.975, 1, 12.706205),
        (0.975, 2, 4.302653),
        (0.975, 7, 2.364624),
        (0.95, 5, 2.015048),
        (0.99, 10, 2.763769),
        (0.995, 30, 2.749996),
        (0.9, 13, 1.350171),
        (0.95, 1000, 1.646379),
        (0.75, 3, 0.764892),
    ],
)
def test_quantiles_are_those_of_the_tables(share: float, freedom: int, t: float) -> None:
    assert quantile(share, freedom) == pytest.approx(t, abs=2e-6)


@given(st.floats(0.501, 0.9999), st.integers(1, 60))
def test_quantile_undoes_cumulative(share: float, freedom: int) -> None:
    assert cumulative(quantile(share, freedom), freedom) == pytest.approx(share, abs=1e-9)


@given(st.floats(0, 50), st.integers(1, 60))
def test_the_distribution_is_symmetric_about_a_half(t: float, freedom: int) -> None:
    assert cumulative(t, freedom) + cumulative(-t, freedom) == pytest.approx(1)
    assert cumulative(0, freedom) == pytest.approx(0.5)


@pytest.mark.parametrize("share", [0.4, 1.0, 1.5])
def test_a_share_out_of_reach_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        quantile(share, 5)


def test_no_degree_of_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="degree"):
        cumulative(1.0, 0)
