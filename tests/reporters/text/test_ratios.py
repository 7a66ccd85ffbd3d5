"""Ratios near 1 keep the difference that a verdict was made by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.reporters.text import ratios


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (1.1, 1.0951, 1.1059, "1.10× (1.095–1.106)"),
        (1.107, 1.091, 1.128, "1.11× (1.09–1.13)"),
        (1.004, 1.0021, 1.0059, "1.004× (1.002–1.006)"),
        (1.1951, 1.1951, 1.1951, "1.20× "),
        (1.0, 0.99998, 1.00002, "1.00× (0.9999–1.0001)"),
        (1.02, None, 1.0401, "1.02× (≤ 1.05)"),
        (1.08, 1.0799, None, "1.08× (≥ 1.07)"),
        (1.2, None, None, "1.20× "),
        (89.2, 88.3, 92.9, "89.2× (88.3–92.9)"),
        (0.031, 0.028, 0.034, "0.031× (0.028–0.034)"),
        (float("nan"), 1.0, 2.0, "– "),
        (1.79e308, 1.0, 1.79e308, "1.79e+308× (1.00–1.79e+308)"),
    ],
)
def test_a_ratio_and_its_bounds(value: float, low: float | None, high: float | None, text: str) -> None:
    assert " ".join(ratios.measured_ratio(value, low, high)) == text


def bounds(text: str) -> tuple[float, float]:
    low, _, high = text.strip("()").replace(",", "").partition("–")
    return float(low), float(high)


@given(st.lists(st.floats(0.01, 1000), min_size=3, max_size=3))
def test_bounds_are_rounded_outward_and_hold_the_ratio(values: list[float]) -> None:
    low, value, high = sorted(values)
    point, interval = ratios.measured_ratio(value, low, high)
    if low == high:
        return
    lower, upper = bounds(interval)

    assert lower <= low
    assert upper >= high
    assert lower <= float(point.rstrip("×").replace(",", "")) <= upper


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0312, "+3.1 %"), (-0.004, "-0.4 %"), (1.2, "+120 %"), (-1e-7, "+0.0 %"), (1e301, "–"), (1e15, "+1.00e+17 %")],
)
def test_a_change_has_its_sign(share: float, text: str) -> None:
    assert ratios.change(share) == text


@given(st.floats(0, 9))
def test_no_more_sensitivity_is_claimed_than_there_was(share: float) -> None:
    assert float(ratios.at_least(share).removesuffix(" %")) >= share * 100 * (1 - 1e-12)


@pytest.mark.parametrize(("share", "text"), [(0.05, "5 %"), (0.005, "0.5 %"), (0.025, "2.5 %"), (1.0, "100 %")])
def test_an_allowance_is_written_as_it_was_given(share: float, text: str) -> None:
    assert ratios.allowance(share) == text
