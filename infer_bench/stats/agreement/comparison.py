"""Two blocks of predictions compared: arrays in, a result out that can be added to that of other rows.

The comparison of a whole equals the sum of those of its parts, bit for bit and in any order: sums are exact, quantiles
come from a sketch, and samples are chosen by the rows' numbers alone.
"""

from dataclasses import dataclass, field

import numpy as np

from infer_bench.stats.agreement.limits import Limits, flips, is_mismatch
from infer_bench.stats.agreement.pair_sample import Sample
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.stats.agreement.rounding import RoundingTally
from infer_bench.stats.agreement.row_outcomes import RowOutcomes, common_values
from infer_bench.stats.agreement.tally import Tally
from infer_bench.stats.agreement.worst_rows import Worst, worst_of
from infer_bench.typing import Bools, Floats, Indices, Ints

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows compared: one tally an output over the `common` rows, and what concerns a row as a whole.

    To `reference_alone` rows only the reference gives a number, to `candidate_alone` rows only the candidate;
    `refusals` are those of both that count as different. `failing` rows are these, and those that differ by more than
    the limits in some output, are finite on one side only, or change their label or side of the threshold.
    `label_changes` is None where labels are not compared, `argmax_changes` counts rows whose largest output is another
    one. `widths` are the numbers of outputs of reference and candidate where those of some row cannot be compared.
    `rounding` measures both sides' errors against float64, where the reference could be computed in it.
    """

    rows: int = 0
    common: int = 0
    reference_alone: int = 0
    candidate_alone: int = 0
    refusals: int = 0
    outputs: tuple[Tally, ...] = ()
    failing: int = 0
    flips: int = 0
    label_changes: int | None = None
    argmax_changes: int | None = None
    non_finite_mismatches: int = 0
    widths: tuple[int, int] | None = None
    worst: Worst = field(default_factory=Worst)
    sample: Sample = field(default_factory=Sample)
    rounding: RoundingTally = field(default_factory=RoundingTally)

    def __add__(self, other: "Comparison") -> "Comparison":
        """The comparison of both sets of rows. Raises `ValueError` when their outputs differ in number."""
        return Comparison(
            rows=self.rows + other.rows,
            common=self.common + other.common,
            reference_alone=self.reference_alone + other.reference_alone,
            candidate_alone=self.candidate_alone + other.candidate_alone,
            refusals=self.refusals + other.refusals,
            outputs=_add_outputs(self, other),
            failing=self.failing + other.failing,
            flips=self.flips + other.flips,
            label_changes=_add_counts(self, other, "label_changes"),
            argmax_changes=_add_counts(self, other, "argmax_changes"),
            non_finite_mismatches=self.non_finite_mismatches + other.non_finite_mismatches,
            widths=min((part.widths for part in (self, other) if part.widths), default=None),
            worst=self.worst + other.worst,
            sample=self.sample + other.sample,
            rounding=self.rounding + other.rounding,
        )

    @property
    def finite(self) -> int:
        """The pairs of finite predictions of all outputs."""
        return sum(tally.finite for tally in self.outputs)

    @property
    def max_abs(self) -> float:
        """The largest |Δ| of any output; 0 without a finite pair."""
        return max((tally.max_abs for tally in self.outputs), default=0.0)

    @property
    def max_scaled(self) -> float:
        """The largest |Δ| / max(1, |reference|) of any output."""
        return max((tally.max_scaled for tally in self.outputs), default=0.0)

    @property
    def passing_atol(self) -> float | None:
        """The smallest atol that would pass.

        None when none would: a label changes, a prediction flips or is finite on one side only, or stands alone.
        """
        if self.refusals or self.label_changes or self.flips or self.non_finite_mismatches:
            return None
        return max((tally.passing_atol for tally in self.outputs), default=0.0)

    @property
    def passing_rtol(self) -> float | None:
        """The smallest rtol that would pass beside the given atol, for the pairs of numbers; None when none would."""
        smallest = max((tally.passing_rtol for tally in self.outputs), default=0.0)
        return None if self.non_finite_mismatches or np.isinf(smallest) else smallest

    @property
    def pooled(self) -> Tally:
        """All outputs as one."""
        return sum(self.outputs, Tally())


def compare(
    reference: Predictions,
    candidate: Predictions,
    limits: Limits | None = None,
    *,
    rows: Ints | None = None,
    outcomes: RowOutcomes | None = None,
) -> Comparison:
    """Compare two models' predictions for the same rows.

    `rows` are the rows' numbers (0, 1, … by default), by which the worst are named; `outcomes` those of these
    predictions under the same limits, where they are known already. A candidate with another number of outputs gives
    no prediction to any row, but for one output beside two probabilities (see `probability_pair`). Raises `ValueError`
    when the numbers of rows differ.
    """
    limits = limits or Limits()
    outcomes = outcomes or RowOutcomes.of(reference, candidate, limits)
    numbers = np.arange(len(reference.values), dtype=np.int64) if rows is None else rows
    both = outcomes.common
    ours, theirs = common_values(reference, candidate, both)
    return Comparison(
        rows=len(both),
        common=len(ours),
        reference_alone=int(outcomes.reference_alone.sum()),
        candidate_alone=int(outcomes.candidate_alone.sum()),
        refusals=int(outcomes.refusals.sum()),
        outputs=tuple(Tally.of(ours[:, i], theirs[:, i], limits) for i in range(ours.shape[1])),
        failing=int(outcomes.differ.sum()),
        flips=int(flips(ours, theirs, limits).any(axis=1).sum()),
        label_changes=None if outcomes.relabelled is None else int(outcomes.relabelled.sum()),
        argmax_changes=int(_argmax_changes(ours, theirs).sum()) if ours.shape[1] > 1 else None,
        non_finite_mismatches=int(is_mismatch(ours, theirs).any(axis=1).sum()),
        widths=_widths(reference, candidate) if outcomes.unlike.any() else None,
        worst=worst_of(reference, candidate, numbers, outcomes, limits.worst),
        sample=Sample.of(numbers[both], ours[:, 0], theirs[:, 0]) if ours.shape[1] else Sample(),
        rounding=_rounding(reference, ours, theirs, both),
    )


def _rounding(reference: Predictions, ours: Floats, theirs: Floats, common: Bools) -> RoundingTally:
    """Both sides' errors in the `common` rows, where it is known what the reference rounds."""
    units = None if reference.units is None else reference.units.of_width(ours.shape[1])
    if units is None or not len(ours):
        return RoundingTally()
    return RoundingTally.of(ours, theirs, units.take(common))


def _widths(reference: Predictions, candidate: Predictions) -> tuple[int, int]:
    return reference.values.shape[1], candidate.values.shape[1]


def _add_outputs(one: Comparison, other: Comparison) -> tuple[Tally, ...]:
    if one.common and other.common:
        return tuple(a + b for a, b in zip(one.outputs, other.outputs, strict=True))
    return max(one, other, key=lambda part: (part.common, len(part.outputs))).outputs


def _add_counts(one: Comparison, other: Comparison, name: str) -> int | None:
    """The sum of counts that may be unknown; without compared rows a side changes nothing."""
    counts: list[int | None] = [getattr(part, name) for part in (one, other) if part.common]
    counts = counts or [count for part in (one, other) if (count := getattr(part, name)) is not None]
    numbers = [count for count in counts if count is not None]
    return sum(numbers) if numbers and len(numbers) == len(counts) else None


def _argmax_changes(reference: Floats, candidate: Floats) -> Bools:
    if not len(reference):
        return np.zeros(0, dtype=np.bool_)
    return np.asarray(_argmax(reference) != _argmax(candidate))


def _argmax(predictions: Floats) -> Indices:
    return np.asarray(np.where(np.isnan(predictions), -np.inf, predictions).argmax(axis=1))
