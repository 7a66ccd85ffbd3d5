"""Two sets of answers to the same rows, compared. Pure: whoever calls this has run the models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.converters.ensemble import Bools, Floats

TOLERANCE: Mapping[str, float] = {"exact": 1e-12, "float32": 1e-6}
"""Largest accepted |difference|, relative to the reference where that is larger than 1, for each precision."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two models answer one group of rows.

    `max_abs_delta` and `max_rel_delta` are over the answers that are finite on both sides, the relative one against
    max(1, |reference|). `non_finite_mismatches` counts answers where one side is NaN or infinite and the other is not
    the same. `label_changes` is None without labels. `worst_row` is the row of the largest relative difference, or of
    the first mismatch.
    """

    name: str
    rows: int
    max_abs_delta: float
    max_rel_delta: float
    label_changes: int | None
    non_finite_mismatches: int
    passed: bool
    worst_row: int | None = None


def compare(
    name: str,
    reference: Floats,
    candidate: Floats,
    tolerance: float,
    labels: tuple[Sequence[object], Sequence[object]] | None = None,
) -> Agreement:
    """Compare canonical answers, float64 (rows, outputs) each, and the two sides' labels (rows,) where there are any.

    Raises `ValueError` when the shapes differ.
    """
    if reference.shape != candidate.shape:
        raise ValueError(f"answers of shapes {reference.shape} and {candidate.shape} cannot be compared")
    finite = np.isfinite(reference) & np.isfinite(candidate)
    with np.errstate(invalid="ignore", over="ignore"):
        delta = np.where(finite, np.abs(reference - candidate), 0.0)
        relative = np.where(finite, delta / np.maximum(1.0, np.abs(reference)), 0.0)
    odd = ~finite & ~_same(reference, candidate)
    changes = None if labels is None else int(label_changes(*labels).sum())
    largest = float(relative.max(initial=0.0))
    return Agreement(
        name=name,
        rows=len(reference),
        max_abs_delta=float(delta.max(initial=0.0)),
        max_rel_delta=largest,
        label_changes=changes,
        non_finite_mismatches=int(odd.sum()),
        passed=largest <= tolerance and not odd.any() and not changes,
        worst_row=_worst(relative, odd),
    )


def _same(reference: Floats, candidate: Floats) -> Bools:
    same: Bools = (reference == candidate) | (np.isnan(reference) & np.isnan(candidate))
    return same


def _worst(relative: Floats, odd: Bools) -> int | None:
    if odd.any():
        return int(np.argmax(odd.any(axis=1)))
    return int(np.argmax(relative.max(axis=1))) if relative.any() else None


def label_changes(reference: Sequence[object], candidate: Sequence[object]) -> npt.NDArray[np.bool_]:
    """Where the labels differ, (rows,). Labels are compared as values: 1 and 1.0 are the same, 1 and "1" are not."""
    if len(reference) != len(candidate):
        raise ValueError(f"{len(reference)} and {len(candidate)} labels cannot be compared")
    pairs = zip(np.asarray(reference).tolist(), np.asarray(candidate).tolist(), strict=True)
    return np.array([a != b for a, b in pairs], dtype=np.bool_)
