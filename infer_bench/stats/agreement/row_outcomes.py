"""What comparing two blocks of predictions says of each row."""

from dataclasses import dataclass

import numpy as np

from infer_bench.stats.agreement.limits import Limits, flips, is_within
from infer_bench.stats.agreement.predictions import Labels, Predictions, label_key
from infer_bench.stats.agreement.probability_pair import comparable_rows, to_same_outputs
from infer_bench.typing import Bools, Floats, Indices, Ints


@dataclass(frozen=True, slots=True, eq=False)
class RowOutcomes:
    """Masks over the rows of a block (rows,).

    `common` rows have predictions of both models. Only the reference gives a number to a row of `reference_alone`,
    only the candidate to one of `candidate_alone`, as the other refuses it or has other outputs (`unlike` rows).
    `relabelled` rows have another label, None where labels are not compared. `differ` says which rows count as
    different under the limits.
    """

    common: Bools
    reference_alone: Bools
    candidate_alone: Bools
    relabelled: Bools | None
    differ: Bools
    unlike: Bools

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
        reference_alone = absent & ~reference.refusals & np.isfinite(ours).any(axis=1)
        candidate_alone = reference.refusals & ~candidate.refusals & np.isfinite(theirs).any(axis=1)
        differ = reference_alone | (candidate_alone & limits.count_refusals)
        one, other = common_values(reference, candidate, common)
        differ[common] = (~is_within(one, other, limits) | flips(one, other, limits)).any(axis=1)
        relabelled = _relabelled(reference, candidate, common, unlike)
        if relabelled is not None:
            differ |= relabelled
        return cls(common, reference_alone, candidate_alone, relabelled, differ, unlike)

    def take(self, rows: Indices) -> "RowOutcomes":
        """Those of some rows."""
        relabelled = None if self.relabelled is None else self.relabelled[rows]
        alone = self.reference_alone[rows], self.candidate_alone[rows]
        return RowOutcomes(self.common[rows], *alone, relabelled, self.differ[rows], self.unlike[rows])


def common_values(reference: Predictions, candidate: Predictions, common: Bools) -> tuple[Floats, Floats]:
    """The values of the `common` rows (rows, outputs) of both, as many outputs of one as of the other."""
    if common.all() and reference.values.shape == candidate.values.shape:
        return reference.values, candidate.values
    ours, theirs = to_same_outputs(reference.values[common], candidate.values[common])
    return ours, theirs if len(ours) else ours


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
