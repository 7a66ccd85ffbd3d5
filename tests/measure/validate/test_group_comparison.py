"""Two sides' answers to a group: refusals, labels of unlike sides, and the rows that are kept."""

from typing import Any

import numpy as np
import pytest

from infer_bench.data import Table
from infer_bench.measure.validate.causes.explain import explain
from infer_bench.measure.validate.group_comparison import MOST_ALIKE, MOST_DIFFERING, GroupComparison
from infer_bench.measure.validate.predictors import Predictions, aligned
from infer_bench.model import ModelSpec
from infer_bench.stats.agreement.compare import Limits

NAN = float("nan")


def predictions(values: list[float], refused: tuple[int, ...] = (), labels: list[Any] | None = None) -> Predictions:
    column = np.array(values).reshape(-1, 1)
    flags = np.isin(np.arange(len(values)), refused)
    if labels is None:
        return Predictions(column, flags)
    known = list(dict.fromkeys(labels))
    return Predictions(column, flags, tuple(known), np.array([known.index(label) for label in labels]))


def paired(ours: Predictions, theirs: Predictions, **options: Any) -> GroupComparison:
    table = Table({"a": np.arange(len(ours.values), dtype=np.float64)})
    pairing = GroupComparison("data", Limits(atol=0.1), **options)
    pairing.add(ours, theirs, 0, table.take)
    return pairing


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
    found = paired(ours, theirs, refusals_count=counted)
    assert (found.refusals, found.failing, found.rows) == (refusals, failing, 2)
    assert found.comparison.rows + found.refusals + found.refused_by_both == 2


def test_labels_are_compared_whatever_their_order_of_appearance() -> None:
    found = paired(
        predictions([0.1, 0.9, 0.9], labels=["no", "yes", "yes"]),
        predictions([0.1, 0.9, 0.9], labels=["no", "yes", "no"]),
    )
    assert found.comparison.label_changes == 1
    same = paired(predictions([0.9, 0.1], labels=[1, 0]), predictions([0.9, 0.1], labels=[1.0, False]))
    assert same.comparison.label_changes == 0


def test_what_is_called_a_row_without_a_number_is_no_label() -> None:
    found = paired(predictions([NAN], labels=["no"]), predictions([NAN], labels=["yes"]))
    assert found.failing == 0


@pytest.mark.parametrize("turned", [False, True])
def test_a_batch_that_is_refused_as_a_whole_leaves_the_other_labels_known(turned: bool) -> None:
    gone = predictions([NAN], (0,))
    batches = [(predictions([0.9], labels=["no"]), predictions([0.9], labels=["yes"])), (gone, gone)]
    pairing = GroupComparison("data", Limits(atol=0.1))
    for first, (ours, theirs) in enumerate(batches[::-1] if turned else batches):
        pairing.add(ours, theirs, first, Table({"a": np.zeros(1)}).take)
    kept = pairing.kept_rows
    assert pairing.comparison.label_changes == 1
    assert kept is not None
    assert kept.labels is not None
    assert [a != b for a, b in zip(*kept.labels, strict=True)] == [row == int(turned) for row in kept.numbers]


def test_a_bounded_number_of_rows_is_kept_with_their_numbers() -> None:
    pairing = GroupComparison("data", Limits(atol=0.1, worst=2))
    for batch in range(4):
        ours = np.zeros((2_000, 1))
        theirs = np.where(np.arange(2_000) % 2 == 0, 0.5 + batch, 0.0).reshape(-1, 1)
        refused = np.zeros(2_000, dtype=np.bool_)
        table = Table({"a": np.arange(2_000.0) + 2_000 * batch})
        pairing.add(Predictions(ours, refused), Predictions(theirs, refused), 2_000 * batch, table.take)
    kept = pairing.kept_rows
    assert kept is not None
    assert (int(kept.differ.sum()), int((~kept.differ).sum())) == (MOST_DIFFERING, MOST_ALIKE)
    assert np.array_equal(kept.table.columns["a"], kept.numbers)
    assert {row: table.columns["a"][0] for row, table in pairing.features.items()} == {6000: 6000.0, 6002: 6002.0}


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
    given = Predictions(np.array(values), np.zeros(1, dtype=np.bool_), theirs, np.array([0]))
    found = aligned(given, spec, reference)
    assert np.allclose(found.values, wanted)
    assert found.labels is not None
    assert set(found.labels) == {"no", "yes"}


def test_several_classes_are_put_in_the_order_of_the_reference() -> None:
    reference = ModelSpec("multiclass", (), ("a", "b", "c"), ("a", "b", "c"))
    spec = ModelSpec("multiclass", (), ("c", "a", "b"), ("c", "a", "b"))
    given = Predictions(np.array([[0.7, 0.1, 0.2]]), np.zeros(1, dtype=np.bool_))
    assert aligned(given, spec, reference).values.tolist() == [[0.1, 0.2, 0.7]]


def test_answers_of_another_width_are_differences_and_no_crash() -> None:
    table = Table({"a": np.arange(3.0)})
    wide = Predictions(np.array([[0.1, 0.9], [0.5, 0.5], [NAN, NAN]]), np.array([False, False, True]))
    pairing = GroupComparison("data", Limits())
    pairing.add(wide, predictions([1.0, 2.0, 3.0]), 0, table.take)
    assert (pairing.failing, pairing.refusals, pairing.rows) == (3, 3, 3)
    assert "an answer has 1 columns where the reference's has 2" in pairing.complaint


@pytest.mark.parametrize("complaint", ["", "no missing values, please"])
def test_another_number_of_columns_is_the_reason_and_no_cause_is_claimed(complaint: str) -> None:
    """Not even where all the rows have missing values, which a candidate might refuse."""
    table = Table({"a": np.full(3, NAN)})
    wide = Predictions(np.full((3, 2), 0.5), np.zeros(3, dtype=np.bool_))
    gone = np.array([False, False, bool(complaint)])
    pairing = GroupComparison("data", Limits())
    for first in (0, 3):
        pairing.add(wide, Predictions(np.where(gone, NAN, 1.0)[:, None], gone, complaint=complaint), first, table.take)
    kept = pairing.kept_rows
    assert kept is not None
    found = explain([kept], None, None)
    assert (found.causes, found.not_explained) == ((), 6)
    assert found.why == pairing.complaint == "an answer has 1 columns where the reference's has 2"
