"""Comparing answers: deltas, labels, and what is not finite."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infer_bench.stats import compare_predictions

NAN, INF = float("nan"), float("inf")
ANSWERS = arrays(np.float64, st.tuples(st.integers(0, 20), st.integers(0, 3)), elements=st.floats())


def column(*values: float) -> Any:
    return np.array(values, dtype=np.float64).reshape(-1, 1)


@pytest.mark.parametrize(
    ("reference", "candidate", "delta", "mismatches"),
    [
        (column(1.0, 2.0), column(1.5, 2.0), 0.5, 0),
        (column(NAN, INF, -INF, 1.0), column(NAN, INF, -INF, 1.0), 0.0, 0),
        (column(NAN, INF, INF, 1.0), column(1.0, -INF, NAN, INF), None, 4),
        (column(1e308), column(-1e308), INF, 0),
        (column(NAN), column(NAN), None, 0),
        (np.zeros((0, 1)), np.zeros((0, 1)), None, 0),
    ],
)
def test_deltas_are_over_finite_pairs_and_the_rest_is_counted(
    reference: Any, candidate: Any, delta: float | None, mismatches: int
) -> None:
    found = compare_predictions(reference, candidate)
    assert (found.max_abs_delta, found.non_finite_mismatches, found.rows) == (delta, mismatches, len(reference))
    assert bool(found.reason) is (delta is None)


@given(ANSWERS)
def test_an_answer_agrees_with_itself(predictions: Any) -> None:
    found = compare_predictions(predictions, predictions.copy())
    assert found.max_abs_delta in (None, 0.0)
    assert found.non_finite_mismatches == 0


@given(st.data())
def test_the_comparison_is_symmetric(data: Any) -> None:
    shape = (4, 2)
    one, other = (data.draw(arrays(np.float64, shape, elements=st.floats())) for _ in range(2))
    assert compare_predictions(one, other) == compare_predictions(other, one)


@pytest.mark.parametrize(
    ("candidate", "words"),
    [(np.zeros((3, 1)), "3 rows"), (np.zeros((2, 2)), "2 outputs a row"), (np.zeros(2), "1 dimensions")],
)
def test_answers_of_other_shapes_are_not_compared_and_say_why(candidate: Any, words: str) -> None:
    found = compare_predictions(np.zeros((2, 1)), candidate)
    assert found.max_abs_delta is None
    assert words in found.reason


@pytest.mark.parametrize(
    ("ours", "theirs", "changes"),
    [
        ([0, 1], [0.0, True], 0),
        (["a", "b"], ["a", "c"], 1),
        ([0, 1], ["0", "1"], 2),
        ([NAN], [NAN], 0),
        (None, ["a"], None),
        (["a"], None, None),
    ],
)
def test_label_changes(ours: Any, theirs: Any, changes: int | None) -> None:
    rows = len(ours or theirs)
    labels = [None if side is None else np.array(side, dtype=object) for side in (ours, theirs)]
    assert compare_predictions(np.zeros((rows, 1)), np.zeros((rows, 1)), *labels).label_changes == changes


def test_labels_of_another_length_are_not_compared_but_the_numbers_are() -> None:
    found = compare_predictions(column(1.0), column(1.0), np.array([1]), np.array([1, 2]))
    assert (found.max_abs_delta, found.label_changes) == (0.0, None)
    assert "labels for 1 rows" in found.reason
