"""Whether a converted file answers as the original: pure, arrays in, a group's result out."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.report.convert import CheckedGroup
from infer_bench.typing import Bools, Floats

TOLERANCES = {"float64": 1e-12, "float32": 1e-6}
"""What |difference| / max(1, |reference|) may be: some ulps of the dtype that answers are added up in."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """One side's answers: values (rows, outputs), labels (rows,) or None, rows refused (rows,)."""

    values: Floats
    labels: npt.NDArray[Any] | None
    refused: Bools


def judge(name: str, reference: Predictions, candidate: Predictions) -> CheckedGroup:
    """Compare on rows of one kind. Rows that the original refuses have no answer to be compared with: they are counted,
    and so are those of them that the candidate answers all the same.
    """
    refused = reference.refused
    asked = ~refused
    ours, theirs = reference.values[asked], candidate.values[asked]
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    finite = np.isfinite(ours) & np.isfinite(theirs)
    delta = np.abs(np.where(finite, ours, 0.0) - np.where(finite, theirs, 0.0))
    relative = delta / np.maximum(1.0, np.abs(np.where(finite, ours, 0.0)))
    confident = np.isfinite(candidate.values[refused]).any(axis=1) & ~candidate.refused[refused]
    return CheckedGroup(
        name=name,
        rows=len(reference.values),
        max_abs_delta=float(delta.max(initial=0.0)),
        max_relative_delta=float(relative.max(initial=0.0)),
        label_changes=_label_changes(reference, candidate, asked),
        non_finite_mismatches=int((~finite & ~same).any(axis=1).sum()),
        refused=int(refused.sum()),
        answered_though_refused=int(confident.sum()),
    )


def narrowed(predictions: Predictions, dtype: str) -> Predictions:
    """The answers as `dtype` holds them: one beyond float32's range is infinite there, and rightly so."""
    with np.errstate(over="ignore"):
        return replace(predictions, values=predictions.values.astype(dtype).astype(np.float64))


def _label_changes(reference: Predictions, candidate: Predictions, asked: Bools) -> int:
    """Rows whose label differs, among those with an answer: what a library calls a row of NaN is no answer."""
    if reference.labels is None or candidate.labels is None:
        return 0
    known = asked & np.isfinite(reference.values).all(axis=1)
    pairs = zip(reference.labels[known].tolist(), candidate.labels[known].tolist(), strict=True)
    return sum(ours != theirs for ours, theirs in pairs)


def passes(group: CheckedGroup, tolerance: float) -> bool:
    """Whether the group holds no difference beyond the tolerance."""
    return group.max_relative_delta <= tolerance and not group.label_changes and not group.non_finite_mismatches


def failure(groups: tuple[CheckedGroup, ...], tolerance: float) -> str | None:
    """The first group that does not pass, in words; None when all do."""
    for group in groups:
        if not passes(group, tolerance):
            found = [f"max |Δ| {group.max_abs_delta:.1e}"] if group.max_relative_delta > tolerance else []
            found += [f"{group.label_changes} labels differ"] if group.label_changes else []
            found += [f"{group.non_finite_mismatches} rows NaN or infinite"] if group.non_finite_mismatches else []
            return f"the file answers otherwise on {group.name} rows: {', '.join(found)} (of {group.rows:,} rows)"
    return None
