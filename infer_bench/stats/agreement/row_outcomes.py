"""What comparing two blocks of predictions says of each row."""

from dataclasses import dataclass

import numpy as np

from infer_bench.stats.agreement.limits import Limits, flips, is_finite_on_both, is_within
from infer_bench.stats.agreement.predictions import Labels, Predictions, label_key
from infer_bench.stats.agreement.probability_pair import comparable_rows, to_same_outputs
from infer_bench.stats.agreement.rounding import SAME
from infer_bench.typing import Bools, Floats, Indices, Ints


@dataclass(frozen=True, slots=True, eq=False)
class RowOutcomes:
    """Masks over the rows of a block (rows,).

    `common` rows have predictions of both models. Only the reference gives a number to a row of `reference_alone`,
    only the candidate to one of `candidate_alone`, as the other refuses it or has other outputs (`unlike` rows).
    `relabelled` rows have another label, None where labels are not compared. `differ` says which rows count as
    different under the limits. In `rounding` rows nothing but what the reference rounds itself keeps the two apart,
    None where that is not known; a label that hangs on it is no other one.
    """

    common: Bools
    reference_alone: Bools
    candidate_alone: Bools
    relabelled: Bools | None
    differ: Bools
    unlike: Bools
    rounding: Bools | None = None

    @property
    def refusals(self) -> Bools:
        """Rows that differ because one model alone gives them a number."""
        return self.differ & (self.reference_alone | self.candidate_alone)

    @classmethod
    def of(cls, reference: Predictions, candidate: Predictions, limits: Limits) -> "RowOutcomes":
        """The outcomes of rows predicted by both. Raises `ValueError` when the numbers of rows differ."""
        ours, theirs = reference.values, candidate.values
        if len(ours) != len(theirs):
            raise ValueError(f"predictions for {len(ours)} rows cannot be compared with those for {len(theirs)}")
        unlike = ~comparable_rows(ours, theirs) & ~reference.refusals & ~candidate.refusals
        absent = candidate.refusals | unlike
        common = ~reference.refusals & ~absent
        reference_alone = absent & ~reference.refusals & _has_answer(ours)
        candidate_alone = reference.refusals & ~candidate.refusals & _has_answer(theirs)
        differ = reference_alone | (candidate_alone & limits.count_refusals)
        one, other = common_values(reference, candidate, common)
        near, rounding = _nearness(reference, one, other, common, limits)
        differ[common] = (~near | flips(one, other, limits)).any(axis=1)
        relabelled = _relabelled(reference, candidate, common, unlike)
        if relabelled is not None and rounding is not None and limits.by_rounding and not reference.computes_in_float64:
            relabelled &= ~(rounding & _hangs_on_rounding(reference))
        if relabelled is not None:
            differ |= relabelled
        return cls(common, reference_alone, candidate_alone, relabelled, differ, unlike, rounding)

    def take(self, rows: Indices) -> "RowOutcomes":
        """Those of some rows."""
        relabelled = None if self.relabelled is None else self.relabelled[rows]
        alone = self.reference_alone[rows], self.candidate_alone[rows]
        rounding = None if self.rounding is None else self.rounding[rows]
        return RowOutcomes(self.common[rows], *alone, relabelled, self.differ[rows], self.unlike[rows], rounding)


def _has_answer(values: Floats) -> Bools:
    """Rows with a finite number, or of predictions (rows, 0) that are labels alone."""
    return np.asarray(np.isfinite(values).any(axis=1) | (values.shape[1] == 0))


def common_values(reference: Predictions, candidate: Predictions, common: Bools) -> tuple[Floats, Floats]:
    """The values of the `common` rows (rows, outputs) of both, as many outputs of one as of the other."""
    if common.all() and reference.values.shape == candidate.values.shape:
        return reference.values, candidate.values
    ours, theirs = to_same_outputs(reference.values[common], candidate.values[common])
    return ours, theirs if len(ours) else ours


def _nearness(
    reference: Predictions, ours: Floats, theirs: Floats, common: Bools, limits: Limits
) -> tuple[Bools, Bools | None]:
    """Where the `common` rows' predictions (rows, outputs) count as the same, and which rows (all,) are so by rounding.

    What cannot be measured in multiples of the reference's rounding is left to the tolerances.
    """
    near = is_within(ours, theirs, limits)
    all_units = None if reference.units is None else reference.units.of_width(ours.shape[1])
    if all_units is None:
        return near, None
    units, rounding = all_units.take(common), np.zeros(len(common), dtype=np.bool_)
    measurable = units.is_measure & is_finite_on_both(ours, theirs)
    is_rounding = units.is_rounding(theirs)
    by_rounding = np.where(measurable, is_rounding, near)
    rounding[common] = by_rounding.all(axis=1)
    return (by_rounding if limits.by_rounding and not units.is_exact else near), rounding


def _hangs_on_rounding(reference: Predictions) -> Bools:
    """Rows (rows,) in which the two largest outputs, or the only one and a half, are as near as rounding may bring."""
    values, units = reference.values, reference.units
    if units is None or not len(values):
        return np.zeros(len(values), dtype=np.bool_)
    ordered = np.sort(values, axis=1)
    margin = np.abs(ordered[:, 0] - 0.5) if values.shape[1] == 1 else ordered[:, -1] - ordered[:, -2]
    with np.errstate(all="ignore"):
        return np.asarray(margin <= 2 * SAME * units.largest.max(axis=1))


def _relabelled(reference: Predictions, candidate: Predictions, common: Bools, unlike: Bools) -> Bools | None:
    """Rows whose labels differ; None without labels of one kind on both sides, or with other outputs in every row.

    What a library calls a row to which it gives no finite number is no label; a function's text stands for itself.
    """
    ours, theirs = reference.labels, candidate.labels
    if ours is None or theirs is None or ours.text != theirs.text:
        return None
    if unlike.any() and not common.any():
        return None
    places: dict[object, int] = {}
    differs = common & (_shared_codes(ours, places) != _shared_codes(theirs, places))
    if ours.text or not differs.any():
        return np.asarray(differs)
    finite = np.isfinite(reference.values).all(axis=1) & np.isfinite(candidate.values).all(axis=1)
    return np.asarray(differs & finite)


def _shared_codes(labels: Labels, places: dict[object, int]) -> Ints:
    """Each row's label as its place in a list that both models share; -1 for none."""
    table = [places.setdefault(label_key(name), len(places)) for name in labels.names]
    return np.array([*table, -1], dtype=np.int64)[labels.codes]
