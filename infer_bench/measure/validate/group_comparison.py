"""Predictions of two models for one group of rows, compared batch by batch; some of the rows wait to be explained."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from infer_bench.data import Table
from infer_bench.measure.validate.causes.differing_rows import DifferingRows, join
from infer_bench.measure.validate.label_reading import LabelReading
from infer_bench.stats.agreement.comparison import Comparison, compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.stats.agreement.row_outcomes import RowOutcomes
from infer_bench.typing import Indices, Ints

MOST_DIFFERING, MOST_ALIKE = 1_024, 512
"""So many rows of a group are examined, of those that differ and of those that do not."""

Fetch = Callable[[Indices], Table]


@dataclass
class GroupComparison:
    """The comparison of one candidate with the reference on one group, growing with every batch.

    `reading` says how labels are had where nothing else is compared. `features` are those of the worst rows, by number;
    `complaint` is why rows have a prediction of one model only.
    """

    group: str
    limits: Limits
    reading: LabelReading | None = None
    comparison: Comparison = field(default_factory=Comparison)
    complaint: str = ""
    features: dict[int, Table] = field(default_factory=dict)
    _parts: list[DifferingRows] = field(default_factory=list)

    def add(self, reference: Predictions, candidate: Predictions, first: int, fetch: Fetch) -> None:
        """Compare a batch whose first row has the number `first`; `fetch` gives rows of it."""
        if self.reading is not None:
            reference, candidate = self.reading.alone(reference, candidate)
        numbers = np.arange(first, first + len(reference.values), dtype=np.int64)
        outcomes = RowOutcomes.of(reference, candidate, self.limits)
        batch = compare(reference, candidate, self.limits, rows=numbers, outcomes=outcomes)
        self.comparison += batch
        if batch.reference_alone:
            self.complaint = self.complaint or unlike_widths(batch) or candidate.complaint
        if reference.refusals.any():
            self.complaint = self.complaint or reference.complaint
        self._keep_features(first, fetch)
        self._keep_examples(reference, candidate, numbers, outcomes, fetch)

    def _keep_features(self, first: int, fetch: Fetch) -> None:
        """Those of the rows that are among the worst so far."""
        worst = {line[0] for line in self.comparison.worst.lines}
        self.features = {row: table for row, table in self.features.items() if row in worst}
        missing = sorted(worst - self.features.keys())
        if missing:
            table = fetch(np.array(missing, dtype=np.intp) - first)
            self.features |= {row: table.slice(i, i + 1) for i, row in enumerate(missing)}

    def _keep_examples(
        self, reference: Predictions, candidate: Predictions, numbers: Ints, outcomes: RowOutcomes, fetch: Fetch
    ) -> None:
        """The first rows that differ, and the first that do not."""
        differing = sum(int(part.differ.sum()) for part in self._parts)
        alike = sum(len(part.differ) for part in self._parts) - differing
        rows = np.concatenate(
            [
                np.flatnonzero(outcomes.differ)[: MOST_DIFFERING - differing],
                np.flatnonzero(~outcomes.differ)[: MOST_ALIKE - alike],
            ]
        )
        if len(rows):
            ours, theirs, some = reference.take(rows), candidate.take(rows), outcomes.take(rows)
            self._parts.append(DifferingRows.of(self.group, numbers[rows], fetch(rows), ours, theirs, some))

    @property
    def is_beyond(self) -> bool:
        """Whether some pair of numbers is farther apart than the tolerance allows."""
        return any(tally.failing for tally in self.comparison.outputs)

    @property
    def examples(self) -> DifferingRows | None:
        """Rows that differ and rows that do not, for causes to be found on; None before the first batch."""
        return join(self._parts) if self._parts else None


def unlike_widths(comparison: Comparison) -> str:
    """That the two models have different numbers of outputs; empty where they do not, or where that is not known."""
    if comparison.widths is None:
        return ""
    ours, theirs = comparison.widths
    sentence = f"an answer has {theirs} column{'' if theirs == 1 else 's'} where the reference's has {ours}"
    return f"{sentence}, and the two are no probabilities" if {ours, theirs} == {1, 2} else sentence
