"""Whether a candidate of a bench predicts what the reference does: deltas, labels, and what is not finite."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infer_bench.measure.bench.results import difference
from infer_bench.measure.schedule.measurements import Measurement

NAN, INF = float("nan"), float("inf")
PREDICTIONS = arrays(np.float64, st.tuples(st.integers(0, 20), st.integers(0, 3)), elements=st.floats())


def measurement(predictions: Any, labels: Any = None, engine: str = "lightgbm") -> Measurement:
    candidate: Any = SimpleNamespace(engine=SimpleNamespace(name=engine))
    return Measurement(candidate, 1, predictions=predictions, labels=labels)


def differences(reference: Any, candidate: Any, labels: tuple[Any, Any] = (None, None)) -> dict[str, Any]:
    return difference(measurement(candidate, labels[1]), measurement(reference, labels[0]))


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
        (np.array([[NAN, NAN]]), np.zeros((1, 2)), None, 2),
    ],
)
def test_deltas_are_over_finite_pairs_and_the_rest_is_counted(
    reference: Any, candidate: Any, delta: float | None, mismatches: int
) -> None:
    fields = differences(reference, candidate)
    assert (fields["max_abs_delta"], fields["non_finite_mismatches"]) == (delta, mismatches)
    assert fields["delta_rows"] == len(reference)
    assert bool(fields["delta_note"]) is (delta is None)


@given(PREDICTIONS)
def test_predictions_agree_with_themselves(predictions: Any) -> None:
    delta = differences(predictions, predictions.copy())
    assert delta["max_abs_delta"] in (None, 0.0)
    assert delta["non_finite_mismatches"] == 0


@given(st.data())
def test_the_comparison_is_symmetric(data: Any) -> None:
    one, other = (data.draw(arrays(np.float64, (4, 2), elements=st.floats())) for _ in range(2))
    assert differences(one, other) == differences(other, one)


@pytest.mark.parametrize(
    ("candidate", "words"), [(np.ones((2, 2)), "2 outputs a row"), (np.zeros(2), "1 dimensions"), (None, "no answers")]
)
def test_predictions_of_other_shapes_are_not_compared_and_say_why(candidate: Any, words: str) -> None:
    delta = differences(np.zeros((2, 1)), candidate)
    assert delta.keys() == {"delta_note"}
    assert words in delta["delta_note"]


def test_of_unlike_numbers_of_rows_the_first_are_compared() -> None:
    assert differences(column(1.0, 2.0), column(1.0))["delta_rows"] == 1


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
    zeros = np.zeros((len(ours or theirs), 1))
    assert differences(zeros, zeros, (ours, theirs))["label_changes"] == changes


def test_the_text_of_a_function_is_compared_with_that_of_functions_alone() -> None:
    function, model = measurement(column(1.0), ["yes"], "callable"), measurement(column(1.0), ["no"])
    assert difference(model, function)["label_changes"] is None
    assert difference(measurement(column(1.0), ["no"], "callable"), function)["label_changes"] == 1


def test_labels_of_another_length_are_not_compared_but_the_numbers_are() -> None:
    delta = differences(column(1.0), column(1.0), ([1], []))
    assert (delta["max_abs_delta"], delta["label_changes"]) == (0.0, None)
    assert "labels for 1 rows" in delta["delta_note"]
