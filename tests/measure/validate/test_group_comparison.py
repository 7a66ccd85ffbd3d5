"""Two models' predictions for a group: refusals, labels of unlike models, and the rows that wait to be explained."""

from typing import Any

import numpy as np
import pytest

from infer_bench.data import Table
from infer_bench.measure.validate.causes.explain import explain
from infer_bench.measure.validate.causes.reference import ReferenceAccess
from infer_bench.measure.validate.group_comparison import MOST_ALIKE, MOST_DIFFERING, GroupComparison, unlike_widths
from infer_bench.measure.validate.predictors import align_classes
from infer_bench.measure.validate.report import group_result
from infer_bench.model import ModelSpec
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions

NAN = float("nan")


def predictions(values: list[float], refusals: tuple[int, ...] = (), labels: list[Any] | None = None) -> Predictions:
    column = np.array(values).reshape(-1, 1)
    flags = np.isin(np.arange(len(values)), refusals)
    return Predictions(column, flags, None if labels is None else Labels.of(labels))


def compare_block(ours: Predictions, theirs: Predictions, **options: Any) -> GroupComparison:
    table = Table({"a": np.arange(len(ours.values), dtype=np.float64)})
    group = GroupComparison("data", Limits(atol=0.1, **options))
    group.add(ours, theirs, 0, table.take)
    return group


@pytest.mark.parametrize(
    ("ours", "theirs", "count_refusals", "refusals", "failing"),
    [
        (predictions([NAN, 1], (0,)), predictions([0.5, 1]), True, 1, 1),
        (predictions([NAN, 1], (0,)), predictions([0.5, 1]), False, 0, 0),
        (predictions([NAN, 1], (0,)), predictions([NAN, 1]), True, 0, 0),
        (predictions([NAN, 1], (0,)), predictions([NAN, 1], (0,)), True, 0, 0),
        (predictions([0.5, 1]), predictions([NAN, 1], (0,)), False, 1, 1),
        (predictions([NAN, 1]), predictions([NAN, 1], (0,)), True, 0, 0),
    ],
)
def test_a_row_that_one_side_refuses_is_a_difference(
    ours: Predictions, theirs: Predictions, count_refusals: bool, refusals: int, failing: int
) -> None:
    group = compare_block(ours, theirs, count_refusals=count_refusals)
    result = group_result(group, ("p",))
    assert (result.refusals, result.failing, result.rows) == (refusals, failing, 2)
    assert group.comparison.common + result.refusals + result.refused_by_both + result.answered_though_refused == 2


def test_labels_are_compared_whatever_their_order_of_appearance() -> None:
    result = compare_block(
        predictions([0.1, 0.9, 0.9], labels=["no", "yes", "yes"]),
        predictions([0.1, 0.9, 0.9], labels=["no", "yes", "no"]),
    )
    assert result.comparison.label_changes == 1
    same = compare_block(predictions([0.9, 0.1], labels=[1, 0]), predictions([0.9, 0.1], labels=[1.0, False]))
    assert same.comparison.label_changes == 0


def test_what_is_called_a_row_without_a_number_is_no_label() -> None:
    result = compare_block(predictions([NAN], labels=["no"]), predictions([NAN], labels=["yes"]))
    assert result.comparison.failing == 0


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_batch_that_is_refused_as_a_whole_leaves_the_other_labels_known(is_reversed: bool) -> None:
    nothing = predictions([NAN], (0,))
    batches = [(predictions([0.9], labels=["no"]), predictions([0.9], labels=["yes"])), (nothing, nothing)]
    group = GroupComparison("data", Limits(atol=0.1))
    for first, (ours, theirs) in enumerate(batches[::-1] if is_reversed else batches):
        group.add(ours, theirs, first, Table({"a": np.zeros(1)}).take)
    assert group.comparison.label_changes == 1
    assert group.examples is not None
    assert group.examples.relabelled.tolist() == [row == int(is_reversed) for row in group.examples.numbers]


def test_a_bounded_number_of_rows_waits_to_be_explained_with_their_numbers() -> None:
    group = GroupComparison("data", Limits(atol=0.1, worst=2))
    for batch in range(4):
        ours = np.zeros((2_000, 1))
        theirs = np.where(np.arange(2_000) % 2 == 0, 0.5 + batch, 0.0).reshape(-1, 1)
        refusals = np.zeros(2_000, dtype=np.bool_)
        table = Table({"a": np.arange(2_000.0) + 2_000 * batch})
        group.add(Predictions(ours, refusals), Predictions(theirs, refusals), 2_000 * batch, table.take)
    examples = group.examples
    assert examples is not None
    assert (int(examples.differ.sum()), int((~examples.differ).sum())) == (MOST_DIFFERING, MOST_ALIKE)
    assert np.array_equal(examples.table.columns["a"], examples.numbers)
    assert {row: table.columns["a"][0] for row, table in group.features.items()} == {6000: 6000.0, 6002: 6002.0}


@pytest.mark.parametrize(
    ("theirs", "values", "expected_values"),
    [
        (("yes", "no"), [[0.2]], [[0.8]]),
        (("no", "yes"), [[0.2]], [[0.2]]),
        ((0, 1), [[0.2]], [[0.2]]),
    ],
)
def test_classes_are_matched_by_label(theirs: tuple[Any, ...], values: Any, expected_values: Any) -> None:
    reference = ModelSpec("binary", (), ("output",), ("no", "yes"))
    spec = ModelSpec("binary", (), ("output",), theirs)
    labels = Labels(theirs, np.array([0]))
    result = align_classes(Predictions.unrefused(np.array(values), labels), spec, reference)
    assert np.allclose(result.values, expected_values)
    assert result.labels is not None
    assert set(result.labels.names) == {"no", "yes"}


def test_several_classes_are_put_in_the_order_of_the_reference() -> None:
    reference = ModelSpec("multiclass", (), ("a", "b", "c"), ("a", "b", "c"))
    spec = ModelSpec("multiclass", (), ("c", "a", "b"), ("c", "a", "b"))
    predictions = Predictions.unrefused(np.array([[0.7, 0.1, 0.2]]))
    assert align_classes(predictions, spec, reference).values.tolist() == [[0.1, 0.2, 0.7]]


def test_predictions_of_another_width_are_differences_and_no_crash() -> None:
    table = Table({"a": np.arange(3.0)})
    wide = Predictions(np.array([[0.1, 0.7], [0.5, 0.7], [NAN, NAN]]), np.array([False, False, True]))
    group = GroupComparison("data", Limits())
    group.add(wide, predictions([1.0, 2.0, 3.0]), 0, table.take)
    assert (group.comparison.failing, group.comparison.refusals, group.comparison.rows) == (3, 3, 3)
    assert "an answer has 1 column where the reference's has 2" in group.complaint


@pytest.mark.parametrize("complaint", ["", "no missing values, please"])
def test_another_number_of_columns_is_the_reason_and_no_cause_is_claimed(complaint: str) -> None:
    """Not even where all the rows have missing values, which a candidate might refuse."""
    table = Table({"a": np.full(3, NAN)})
    wide = Predictions(np.full((3, 2), 0.7), np.zeros(3, dtype=np.bool_))
    nothing = np.array([False, False, bool(complaint)])
    group = GroupComparison("data", Limits())
    for first in (0, 3):
        group.add(
            wide, Predictions(np.where(nothing, NAN, 1.0)[:, None], nothing, complaint=complaint), first, table.take
        )
    assert group.examples is not None
    result = explain(group.examples, ReferenceAccess(), unlike_widths(group.comparison))
    assert (result.causes, result.not_explained) == ((), 6)
    assert (
        result.why
        == group.complaint
        == "an answer has 1 column where the reference's has 2, and the two are no probabilities"
    )


def test_a_batch_that_the_reference_refuses_as_a_whole_does_not_tell_how_many_outputs_it_has() -> None:
    group, table = GroupComparison("data", Limits()), Table({"a": np.zeros(2)})
    wide = Predictions.unrefused(np.full((2, 3), 0.5))
    group.add(predictions([NAN, NAN], (0, 1)), wide, 0, table.take)
    group.add(wide, wide, 2, table.take)
    assert group.examples is not None
    assert group.examples.reference.shape == group.examples.candidate.shape == (4, 3)
    assert (group.comparison.failing, group.comparison.candidate_alone, group.comparison.widths) == (2, 2, None)
