"""A comparison sees every way in which two answers can differ."""

from typing import Any

import numpy as np
import pytest

from infer_bench.converters.check import DOUBLE, SINGLE, compare, smallest_tolerance, tolerance
from tests.converters.onnx.test_writer import random_ensemble


def column(*values: float) -> Any:
    return np.array(values, dtype=float)[:, None]


@pytest.mark.parametrize(
    ("expected", "actual", "passes"),
    [
        (column(1.0, 2.0), column(1.0, 2.0), True),
        (column(0.5), column(0.5 + 9e-7), True),
        (column(0.5), column(0.5 + 2e-6), False),
        (column(1e6), column(1e6 + 0.5), True),
        (column(1e6), column(1e6 + 2.0), False),
        (column(np.nan), column(np.nan), True),
        (column(np.nan), column(0.0), False),
        (column(0.0), column(np.nan), False),
        (column(np.inf), column(np.inf), True),
        (column(np.inf), column(-np.inf), False),
        (column(np.inf), column(1.0), False),
        (np.zeros((0, 2)), np.zeros((0, 2)), True),
    ],
)
def test_numbers(expected: Any, actual: Any, passes: bool) -> None:
    assert compare("g", expected, actual).passes(SINGLE) is passes


def test_figures_point_at_the_worst_row() -> None:
    found = compare("g", column(1.0, 100.0, 3.0), column(1.0, 101.0, 3.5))
    assert (found.rows, found.worst_row) == (3, 2)
    assert found.max_abs_delta == 1.0
    assert found.max_scaled_delta == pytest.approx(0.5 / 3)
    assert smallest_tolerance([found, compare("h", column(0.0), column(0.9))]) == 0.9


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        compare("g", np.zeros((2, 1)), np.zeros((2, 2)))


def test_a_changed_label_counts_unless_it_was_a_tie() -> None:
    yes, no = np.array(["yes"], object), np.array(["no"], object)
    clear = compare("g", column(0.9), column(0.9), labels=(yes, no))
    assert (clear.label_changes, clear.ties, clear.passes(SINGLE)) == (1, 0, False)
    tie = compare("g", column(0.5), column(0.5), labels=(yes, no))
    assert (tie.label_changes, tie.ties, tie.passes(SINGLE)) == (0, 1, True)
    several = compare("g", np.array([[0.4, 0.4, 0.2]]), np.array([[0.4, 0.4, 0.2]]), labels=(yes, no))
    assert several.ties == 1


def test_float32_anywhere_allows_float32_rounding() -> None:
    double, single = random_ensemble(0), random_ensemble(0)
    object.__setattr__(single, "score_dtype", "float32")
    assert tolerance(double, "exact") == DOUBLE
    assert tolerance(double, "float32") == tolerance(single, "exact") == SINGLE
