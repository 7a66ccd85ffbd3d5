"""Which rows the two sides of a gate answer."""

import numpy as np
import pytest

from infer_bench.measure.given import alike


def columns(*names: str, value: float = 1.0) -> dict[str, np.ndarray]:
    return {name: np.full(3, value) for name in names}


def test_equal_rows_are_the_same_object_so_that_sessions_share_them() -> None:
    ours = columns("a", "b", value=np.nan)
    assert alike(ours, columns("a", "b", value=np.nan), "rows.parquet") is ours
    texts = {"a": np.array(["x", None], dtype=object)}
    assert alike(texts, {"a": np.array(["x", None], dtype=object)}, "rows.parquet") is texts


@pytest.mark.parametrize(
    "theirs",
    [
        columns("a", "b", value=2.0),
        columns("b", "a"),
        columns("a"),
        {"a": np.full(3, 1), "b": np.full(3, 1.0)},
        {"a": np.full(4, 1.0), "b": np.full(4, 1.0)},
    ],
)
def test_of_a_file_each_model_takes_its_own_columns(theirs: dict[str, np.ndarray]) -> None:
    assert alike(columns("a", "b"), theirs, "rows.parquet") is None


def test_drawn_rows_go_to_both_wherever_they_fit() -> None:
    ours = {"a": np.array([1.0]), "b": np.array([2.0])}
    assert alike(ours, columns("a", "b", value=9.0), None) is ours
    other_order = alike(ours, columns("b", "a"), None)
    assert other_order is not None
    assert list(other_order) == ["b", "a"]
    assert other_order["a"] is ours["a"]
    without_names = alike(ours, columns("x0", "x1"), None)
    assert without_names is not None
    assert without_names["x1"] is ours["b"]
    assert alike(ours, columns("a", "b", "c"), None) is None
