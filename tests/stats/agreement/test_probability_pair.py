"""One output beside two: the same answer where the two are probabilities, told by numbers alone, row by row."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infer_bench.stats.agreement.comparison import Comparison, compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.stats.agreement.probability_pair import comparable_rows, to_same_outputs

NAN = float("nan")
LIMITS = Limits(1e-4, threshold=0.3, worst=2)


def predictions(values: Any, labels: Any = None) -> Predictions:
    return Predictions.unrefused(np.asarray(values, dtype=np.float64), None if labels is None else Labels.of(labels))


def pair_of(p: Any, dtype: Any = np.float64) -> Any:
    return np.stack([1 - p, p], axis=1).astype(dtype).astype(np.float64)


@given(arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)), st.sampled_from(["f8", "f4"]))
def test_a_pair_is_its_second_probability_to_the_last_bit(p: Any, dtype: str) -> None:
    pair, single = pair_of(p, dtype), p.astype(dtype).astype(np.float64)[:, None]
    for one, other in ((pair, single), (single, pair)):
        result = compare(predictions(one), predictions(other), LIMITS)
        assert (result.failing, result.max_abs, result.flips, result.widths) == (0, 0.0, 0, None)
        assert len(result.outputs) == 1


def test_what_only_the_first_probability_shows_is_a_difference() -> None:
    """Rounded to eighths the two add up to 1.005: the second agrees, the first is off."""
    result = compare(predictions([[0.255, 0.75]]), predictions([[0.75]]), LIMITS)
    assert result.failing == 1
    assert result.max_abs == pytest.approx(0.005)


@pytest.mark.parametrize("row", [[-2.0, 3.0], [0.6, 0.6], [3.5, 17.0], [float("inf"), 1.0], [0.7, 0.7]])
def test_other_pairs_are_two_outputs(row: list[float]) -> None:
    """Scores, targets, independent probabilities, a pair that adds up to something else."""
    for one, other in (([row], [[row[1]]]), ([[row[1]]], [row])):
        result = compare(predictions(one), predictions(other), LIMITS)
        assert (result.failing, result.common, result.widths) == (1, 0, (len(one[0]), len(other[0])))


def test_a_decision_value_and_its_negative_are_the_value() -> None:
    value = np.array([-3.25, 0.0, 0.4, 17.5])
    pair = np.stack([-value, value], axis=1).astype(np.float32)
    result = compare(predictions(pair), predictions(value[:, None].astype(np.float32)), LIMITS)
    assert (result.failing, result.max_abs, result.widths) == (0, 0.0, None)
    assert compare(predictions(-pair), predictions(value[:, None]), LIMITS).failing == 3


def test_exchanged_classes_differ() -> None:
    p = np.array([0.1, 0.7])
    assert compare(predictions(pair_of(p)[:, ::-1]), predictions(p[:, None]), LIMITS).failing == 2


def test_nan_stays_nan() -> None:
    pair, single = [[NAN, NAN], [0.25, NAN], [NAN, NAN]], [[NAN], [0.75], [0.5]]
    result = compare(predictions(pair), predictions(single), LIMITS)
    assert (result.failing, result.non_finite_mismatches, result.widths) == (2, 2, None)


def test_labels_are_compared_beside_it() -> None:
    p = np.array([0.1, 0.7])
    result = compare(predictions(pair_of(p), [0, 1]), predictions(p[:, None], [0, 0]), LIMITS)
    assert (result.label_changes, result.failing) == (1, 1)


@given(arrays(np.float64, (12, 2), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 1.25, NAN])), st.integers(1, 5))
def test_rows_cut_into_any_parts_add_up_to_the_whole(wide: Any, cuts: int) -> None:
    ours, theirs = predictions(wide), predictions(np.full((12, 1), 0.5))
    parts = [np.arange(12)[i::cuts] for i in range(cuts)]
    for one, other in ((ours, theirs), (theirs, ours)):
        shards = [compare(one.take(part), other.take(part), LIMITS, rows=part) for part in parts]
        assert sum(shards, Comparison()) == compare(one, other, LIMITS)


def test_as_many_outputs_are_left_as_they_are() -> None:
    values = np.array([[0.25, 0.75], [3.0, 1.0]])
    assert comparable_rows(values, values + 1).all()
    assert to_same_outputs(values, values)[0] is values
    assert not comparable_rows(values, np.zeros((2, 3))).any()
