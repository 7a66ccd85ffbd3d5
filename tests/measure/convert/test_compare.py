"""A comparison sees every way in which two predictions can differ."""

from typing import Any

import numpy as np
import pytest

from infer_bench.measure.convert.compare import TOLERANCES, Criterion, compare_group, failure, passes
from infer_bench.stats.agreement.predictions import Labels, Predictions

SINGLE = Criterion("relative", TOLERANCES["float32"])


def predictions(*values: float, labels: tuple[str, ...] | None = None) -> Predictions:
    table = np.array(values, dtype=float)[:, None]
    return Predictions.unrefused(table, None if labels is None else Labels.of(labels))


def compare(reference: Predictions, candidate: Predictions) -> Any:
    return compare_group("ordinary", reference, candidate, SINGLE)


@pytest.mark.parametrize(
    ("reference", "candidate", "same"),
    [
        ((1.0, 2.0), (1.0, 2.0), True),
        ((0.5,), (0.5 + 9e-7,), True),
        ((0.5,), (0.5 + 2e-6,), False),
        ((1e6,), (1e6 + 0.5,), True),
        ((1e6,), (1e6 + 2.0,), False),
        ((np.nan,), (np.nan,), True),
        ((np.nan,), (0.0,), False),
        ((0.0,), (np.nan,), False),
        ((np.inf,), (np.inf,), True),
        ((np.inf,), (-np.inf,), False),
        ((np.inf,), (1.0,), False),
        ((), (), True),
    ],
)
def test_numbers(reference: Any, candidate: Any, same: bool) -> None:
    group = compare(predictions(*reference), predictions(*candidate))
    assert passes(group, SINGLE) is same
    assert (failure((group,), SINGLE) is None) is same


def test_figures_are_those_of_the_rows_farthest_apart() -> None:
    group = compare(predictions(1.0, 100.0, 3.0), predictions(1.0, 101.0, 3.5))
    assert group.rows == 3
    assert group.max_abs_delta == 1.0
    assert group.max_relative_delta == pytest.approx(0.5 / 3)


def test_a_changed_label_counts_where_there_is_a_prediction() -> None:
    group = compare(predictions(0.9, labels=("yes",)), predictions(0.9, labels=("no",)))
    assert (group.label_changes, passes(group, SINGLE)) == (1, False)
    missing = compare(predictions(np.nan, labels=("yes",)), predictions(np.nan, labels=("no",)))
    assert (missing.label_changes, passes(missing, SINGLE)) == (0, True)


def test_rows_that_the_original_refuses_are_counted_apart() -> None:
    original = Predictions(np.array([[1.0], [np.nan], [np.nan]]), np.array([False, True, True]))
    group = compare(original, predictions(1.0, 5.0, np.nan))
    assert (group.refused, group.answered_though_refused, passes(group, SINGLE)) == (2, 1, True)
