"""Is a conversion right? Two models' answers to the same rows, compared; nothing here runs a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.converters.onnx.writer import Precision
from infer_bench.trees.ensemble import Ensemble
from infer_bench.typing import Floats

SINGLE, DOUBLE = 1e-6, 1e-12
"""Tolerances for answers computed in float32 and in float64, relative to an answer's size, absolute below 1."""


@dataclass(frozen=True, slots=True)
class GroupCheck:
    """How one group of rows compares.

    `max_abs_delta` is the largest |difference|, `max_scaled_delta` the largest |difference| / max(1, |expected|);
    `worst_row` has it. `non_finite_mismatches` counts answers that are NaN, or infinite, on one side only.
    `label_changes` counts labels that differ although the expected answer is no tie within the tolerance; `ties` those
    that differ at a tie.
    """

    name: str
    rows: int
    max_abs_delta: float
    max_scaled_delta: float
    worst_row: int
    non_finite_mismatches: int
    label_changes: int
    ties: int

    def passes(self, tolerance: float) -> bool:
        """Whether the answers are the same, to the tolerance."""
        return self.max_scaled_delta <= tolerance and not self.non_finite_mismatches and not self.label_changes


def tolerance(ensemble: Ensemble, precision: Precision) -> float:
    """What may differ: float64 rounding, unless the file or the source library computes in float32."""
    return DOUBLE if precision == "exact" and ensemble.score_dtype == "float64" else SINGLE


def compare(
    name: str,
    expected: Floats,
    actual: npt.NDArray[Any],
    *,
    labels: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
    tolerance: float = SINGLE,
) -> GroupCheck:
    """Compare canonical answers (rows, outputs), and the labels (expected, actual) that go with them.

    Raises `ValueError` when the shapes differ.
    """
    given = np.asarray(actual, dtype=np.float64)
    if expected.shape != given.shape:
        raise ValueError(f"{name}: answers of shape {given.shape} where {expected.shape} are expected")
    same = (expected == given) | (np.isnan(expected) & np.isnan(given))
    finite = np.isfinite(expected) & np.isfinite(given)
    delta = np.where(finite, np.abs(np.where(finite, expected - given, 0.0)), 0.0)
    scaled = delta / np.maximum(1.0, np.where(finite, np.abs(expected), 1.0))
    changed, ties = _labels(expected, labels, 2 * tolerance)
    return GroupCheck(
        name=name,
        rows=len(expected),
        max_abs_delta=float(delta.max(initial=0.0)),
        max_scaled_delta=float(scaled.max(initial=0.0)),
        worst_row=int(scaled.max(axis=1, initial=0.0).argmax()) if scaled.size else -1,
        non_finite_mismatches=int((~same & ~finite).sum()),
        label_changes=changed,
        ties=ties,
    )


def _labels(
    expected: Floats, labels: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None, margin: float
) -> tuple[int, int]:
    if labels is None:
        return 0, 0
    differs = np.array([a != b for a, b in zip(labels[0].tolist(), labels[1].tolist(), strict=True)], np.bool_)
    if expected.shape[1] == 1:
        gap = np.abs(2 * expected[:, 0] - 1)
    else:
        top = np.sort(expected, axis=1)
        gap = top[:, -1] - top[:, -2]
    tied = gap <= margin
    return int((differs & ~tied).sum()), int((differs & tied).sum())


def smallest_tolerance(checks: Sequence[GroupCheck]) -> float:
    """The smallest tolerance at which every group's numbers agree."""
    return max((check.max_scaled_delta for check in checks), default=0.0)
