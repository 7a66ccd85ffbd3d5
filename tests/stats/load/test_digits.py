"""Numbers beside the limit that they are judged by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.load.digits import write_beside


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [(12.34, 20, "12.3"), (20.0004, 20, "20.0004"), (19.9996, 20, "19.9996"), (20, 20, "20"), (12_345.6, 1, "12,346")],
)
def test_as_many_digits_as_it_takes(value: float, limit: float, text: str) -> None:
    assert write_beside(value, limit) == text


@given(st.floats(1e-9, 1e12), st.floats(-1e-9, 1e-9))
def test_nothing_shows_on_the_other_side(limit: float, distance: float) -> None:
    value = limit * (1 + distance)
    shown = float(write_beside(value, limit).replace(",", ""))
    assert (shown > limit, shown < limit) == (value > limit, value < limit)
