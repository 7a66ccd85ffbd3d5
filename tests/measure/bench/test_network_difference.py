"""Two networks' outputs in a row of the table: by name, exactly where they are exact, and never guessed."""

from typing import Any

import numpy as np
import pytest

from infer_bench.measure.bench.network_difference import describe_difference
from infer_bench.measure.schedule.measurements import NetworkOutputs

PROBABILITIES = np.array([[[0.1, 0.9]], [[0.6, 0.4]]], np.float32)


def compare(ours: dict[str, Any], theirs: dict[str, Any], batch: int = 1) -> dict[str, Any]:
    return describe_difference(NetworkOutputs(ours), NetworkOutputs(theirs), batch)


def ragged(*arrays: Any) -> Any:
    column = np.empty(len(arrays), dtype=object)
    for i, array in enumerate(arrays):
        column[i] = array
    return column


def test_outputs_are_compared_by_their_names_and_classes_by_the_largest() -> None:
    boxes = np.zeros((2, 1, 4), np.float32)
    ours = {"probabilities": PROBABILITIES, "boxes": boxes}
    theirs = {"boxes": boxes + 0.5, "probabilities": PROBABILITIES[..., ::-1]}
    result = compare(ours, theirs, batch=3)
    assert result["max_abs_delta"] == pytest.approx(0.8)
    assert (result["label_changes"], result["delta_rows"], result["delta_note"]) == (2, 6, "")


def test_other_names_in_the_same_order_are_the_same_outputs() -> None:
    result = compare({"y": PROBABILITIES}, {"output": PROBABILITIES})
    assert (result["max_abs_delta"], result["delta_note"]) == (0.0, "")


EXACT = np.array([[1, 2, 3], [4, 5, 6]])
OTHERS = EXACT + np.array([0, 0, 1])
NO_NUMBERS = np.full((2, 3), np.nan)
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], float | None, str]] = {
    "whole numbers": (
        {"y": EXACT},
        {"y": OTHERS},
        None,
        "2 values of 'y' are not the reference's",
    ),
    "the same whole numbers": ({"y": EXACT}, {"y": EXACT}, 0.0, ""),
    "text": (
        {"y": np.array([["a"], ["b"]], object)},
        {"y": np.array([["a"], ["c"]], object)},
        None,
        "1 values of 'y' are not the reference's",
    ),
    "sizes": (
        {"y": np.zeros((2, 1, 3), np.float32)},
        {"y": ragged(np.zeros((1, 3), np.float32), np.zeros((1, 4), np.float32))},
        None,
        "'y' of request 1 has the size (1, 4) where the reference gives (1, 3)",
    ),
    "an output": (
        {"y": PROBABILITIES, "z": PROBABILITIES},
        {"y": PROBABILITIES},
        None,
        "it lacks the output 'z'",
    ),
    "no number": (
        {"y": np.full((2, 3), np.nan)},
        {"y": np.full((2, 3), np.nan)},
        None,
        "'y' is nowhere finite on both sides",
    ),
    "nothing": ({}, {}, None, "no answers"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_no_number_says_is_a_note(name: str) -> None:
    ours, theirs, delta, note = CASES[name]
    result = compare(ours, theirs)
    assert (result.get("max_abs_delta"), result["delta_note"]) == (delta, note)
