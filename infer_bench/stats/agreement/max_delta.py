"""Whether two artefacts answer the same rows alike."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two answers to the same rows lie apart.

    `max_abs_delta` is the largest |difference| over the pairs of finite values; None when there is none, or when the
    answers cannot be compared: then `reason` says why. `non_finite_mismatches` counts values that are NaN, inf or
    -inf on one side and something else on the other; NaN agrees with NaN and an infinity with its equal.
    `label_changes` counts rows whose label differs, None without labels on both sides.
    """

    max_abs_delta: float | None
    label_changes: int | None
    non_finite_mismatches: int
    rows: int
    reason: str = ""


def compare_predictions(
    reference: FloatArray,
    candidate: FloatArray,
    reference_labels: Labels | None = None,
    candidate_labels: Labels | None = None,
) -> Agreement:
    """Compare canonical answers, float64 (rows, outputs); labels are (rows,) of any type. Never raises for shapes."""
    reason = _shape_reason(reference, candidate)
    if reason:
        return Agreement(None, None, 0, 0, reason)
    both = np.isfinite(reference) & np.isfinite(candidate)
    changes, reason = _label_changes(reference_labels, candidate_labels, len(reference))
    with np.errstate(over="ignore"):
        deltas = np.abs(reference[both] - candidate[both])
    return Agreement(
        max_abs_delta=float(deltas.max()) if deltas.size else None,
        label_changes=changes,
        non_finite_mismatches=int(np.count_nonzero(~both & ~_same(reference, candidate))),
        rows=len(reference),
        reason=reason or ("" if deltas.size else "no pair of finite answers"),
    )


def _same(reference: FloatArray, candidate: FloatArray) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = (reference == candidate) | (np.isnan(reference) & np.isnan(candidate))
    return same


def _shape_reason(reference: FloatArray, candidate: FloatArray) -> str:
    if reference.ndim != 2 or candidate.ndim != 2:
        return f"answers of {reference.ndim} and {candidate.ndim} dimensions, not 2"
    if len(reference) != len(candidate):
        return f"{len(candidate)} rows answered where the reference answers {len(reference)}"
    if reference.shape[1] != candidate.shape[1]:
        return f"{candidate.shape[1]} outputs a row where the reference gives {reference.shape[1]}"
    return ""


def _label_changes(reference: Labels | None, candidate: Labels | None, rows: int) -> tuple[int | None, str]:
    """The rows whose labels differ; numbers are compared as numbers (1, 1.0 and True agree), anything else as it is."""
    if reference is None or candidate is None:
        return None, ""
    if len(reference) != rows or len(candidate) != rows:
        return None, f"{len(reference)} and {len(candidate)} labels for {rows} rows"
    pairs = zip(reference.tolist(), candidate.tolist(), strict=True)
    return sum(not _equal(ours, theirs) for ours, theirs in pairs), ""


def _equal(ours: Any, theirs: Any) -> bool:
    return bool(ours == theirs) or (ours != ours and theirs != theirs)
