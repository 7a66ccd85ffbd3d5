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


def predictions(values: list[float], refused: tuple[int, ...] = (), labels: list[Any] | None = None) -> Predictions:
    column = np.array(values).reshape(-1, 1)
    flags = np.isin(np.arange(len(values)), refused)
    return Predictions(column, flags, None if labels is None else Labels.of(labels))


def compared(ours: Predictions, theirs: Predictions, **options: Any) -> GroupComparison:
    table = Table({"a": np.arange(len(ours.values), dtype=np.float64)})
    group = GroupComparison("data", Limits(atol=0.1, **options))
    group.add(ours, theirs, 0, table.take)
    return group


@pytest.mark.parametrize(
    ("ours", "theirs", "counted", "refusals", "failing"),
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
    ours: Predictions, theirs: Predictions, counted: bool, refusals: int, failing: int
) -> None:
    group = compared(ours, theirs, count_refusals=counted)
    result = group_result(group, ("p",))
    assert (result.refusals, result.failing, result.rows) == (refusals, failing, 2)
    assert group.comparison.common + result.refusals + result.refused_by_both == 2


def test_labels_are_compared_whatever_their_order_of_appearance() -> None:
    found = compared(
        predictions([0.1, 0.9, 0.9], labels=["no", "yes", "yes"]),
        predictions([0.1, 0.9, 0.9], labels=["no", "yes", "no"]),
    )
    assert found.comparison.label_changes == 1
    same = compared(predictions([0.9, 0.1], labels=[1, 0]), predictions([0.9, 0.1], labels=[1.0, False]))
    assert same.comparison.label_changes == 0


def test_what_is_called_a_row_without_a_number_is_no_label() -> None:
    found = compared(predictions([NAN], labels=["no"]), predictions([NAN], labels=["yes"]))
    assert found.comparison.failing == 0


@pytest.mark.parametrize("turned", [False, True])
def test_a_batch_that_is_refused_as_a_whole_leaves_the_other_labels_known(turned: bool) -> None:
    gone = predictions([NAN], (0,))
    batches = [(predictions([0.9], labels=["no"]), predictions([0.9], labels=["yes"])), (gone, gone)]
    group = GroupComparison("data", Limits(atol=0.1))
    for first, (ours, theirs) in enumerate(batches[::-1] if turned else batches):
        group.add(ours, theirs, first, Table({"a": np.zeros(1)}).take)
    assert group.comparison.label_changes == 1
    assert group.examples is not None
    assert group.examples.relabelled.tolist() == [row == int(turned) for row in group.examples.numbers]


def test_a_bounded_number_of_rows_waits_to_be_explained_with_their_numbers() -> None:
    group = GroupComparison("data", Limits(atol=0.1, worst=2))
    for batch in range(4):
        ours = np.zeros((2_000, 1))
        theirs = np.where(np.arange(2_000) % 2 == 0, 0.5 + batch, 0.0).reshape(-1, 1)
        refused = np.zeros(2_000, dtype=np.bool_)
        table = Table({"a": np.arange(2_000.0) + 2_000 * batch})
        group.add(Predictions(ours, refused), Predictions(theirs, refused), 2_000 * batch, table.take)
    examples = group.examples
    assert examples is not None
    assert (int(examples.differ.sum()), int((~examples.differ).sum())) == (MOST_DIFFERING, MOST_ALIKE)
    assert np.array_equal(examples.table.columns["a"], examples.numbers)
    assert {row: table.columns["a"][0] for row, table in group.features.items()} == {6000: 6000.0, 6002: 6002.0}


@pytest.mark.parametrize(
    ("theirs", "values", "wanted"),
    [
        (("yes", "no"), [[0.2]], [[0.8]]),
        (("no", "yes"), [[0.2]], [[0.2]]),
        ((0, 1), [[0.2]], [[0.2]]),
    ],
)
def test_classes_are_matched_by_label(theirs: tuple[Any, ...], values: Any, wanted: Any) -> None:
    reference = ModelSpec("binary", (), ("output",), ("no", "yes"))
    spec = ModelSpec("binary", (), ("output",), theirs)
    labels = Labels(theirs, np.array([0]))
    found = align_classes(Predictions.unrefused(np.array(values), labels), spec, reference)
    assert np.allclose(found.values, wanted)
    assert found.labels is not None
    assert set(found.labels.names) == {"no", "yes"}


def test_several_classes_are_put_in_the_order_of_the_reference() -> None:
    reference = ModelSpec("multiclass", (), ("a", "b", "c"), ("a", "b", "c"))
    spec = ModelSpec("multiclass", (), ("c", "a", "b"), ("c", "a", "b"))
    predictions = Predictions.unrefused(np.array([[0.7, 0.1, 0.2]]))
    assert align_classes(predictions, spec, reference).values.tolist() == [[0.1, 0.2, 0.7]]


def test_predictions_of_another_width_are_differences_and_no_crash() -> None:
    table = Table({"a": np.arange(3.0)})
    wide = Predictions(np.array([[0.1, 0.9], [0.5, 0.5], [NAN, NAN]]), np.array([False, False, True]))
    group = GroupComparison("data", Limits())
    group.add(wide, predictions([1.0, 2.0, 3.0]), 0, table.take)
    assert (group.comparison.failing, group.comparison.refusals, group.comparison.rows) == (3, 3, 3)
    assert "an answer has 1 columns where the reference's has 2" in group.complaint


@pytest.mark.parametrize("complaint", ["", "no missing values, please"])
def test_another_number_of_columns_is_the_reason_and_no_cause_is_claimed(complaint: str) -> None:
    """Not even where all the rows have missing values, which a candidate might refuse."""
    table = Table({"a": np.full(3, NAN)})
    wide = Predictions(np.full((3, 2), 0.5), np.zeros(3, dtype=np.bool_))
    gone = np.array([False, False, bool(complaint)])
    group = GroupComparison("data", Limits())
    for first in (0, 3):
        group.add(wide, Predictions(np.where(gone, NAN, 1.0)[:, None], gone, complaint=complaint), first, table.take)
    assert group.examples is not None
    found = explain(group.examples, ReferenceAccess(), unlike_widths(group.comparison))
    assert (found.causes, found.not_explained) == ((), 6)
    assert found.why == group.complaint == "an answer has 1 columns where the reference's has 2"


def test_a_batch_that_the_reference_refuses_as_a_whole_does_not_tell_how_many_outputs_it_has() -> None:
    group, table = GroupComparison("data", Limits()), Table({"a": np.zeros(2)})
    wide = Predictions.unrefused(np.full((2, 3), 0.5))
    group.add(predictions([NAN, NAN], (0, 1)), wide, 0, table.take)
    group.add(wide, wide, 2, table.take)
    assert group.examples is not None
    assert group.examples.reference.shape == group.examples.candidate.shape == (4, 3)
    assert (group.comparison.failing, group.comparison.candidate_alone, group.comparison.widths) == (2, 2, None)
