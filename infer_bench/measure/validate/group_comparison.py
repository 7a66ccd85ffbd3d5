"""Predictions of two models for one group of rows, compared batch by batch; some of the rows wait to be explained."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from infer_bench.data import Table
from infer_bench.measure.validate.causes.differing_rows import DifferingRows, join
from infer_bench.measure.validate.label_reading import LabelReading
from infer_bench.stats.agreement.comparison import Comparison, compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.stats.agreement.row_outcomes import RowOutcomes
from infer_bench.typing import Bools, Indices, Ints

MOST_DIFFERING, MOST_ALIKE = 1_024, 512
"""So many rows of a group are examined, of those that differ and of those that do not."""

Fetch = Callable[[Indices], Table]


@dataclass
class GroupComparison:
    """The comparison of one candidate with the reference on one group, growing with every batch.

    `reading` says how labels are had where nothing else is compared. `features` are those of the worst rows, by number;
    `complaint` is why rows have a prediction of one model only, and `complaint_row` the first row of the batch that had
    it first. `differing` and `alike` are rows for causes to be found on, the first that differ, and the first that do
    not, of the first block and of blocks in which some differ. None of it depends on how blocks were put into parts.
    """

    group: str
    limits: Limits
    reading: LabelReading | None = None
    comparison: Comparison = field(default_factory=Comparison)
    complaint: str = ""
    complaint_row: int = 0
    features: dict[int, Table] = field(default_factory=dict)
    differing: list[DifferingRows] = field(default_factory=list)
    alike: list[DifferingRows] = field(default_factory=list)
    _waiting: list[DifferingRows] = field(default_factory=list)
    _is_of_interest: bool = True

    def open_block(self, first: int) -> None:
        """The next batch is the first one of a block, and begins with the row of this number."""
        self._is_of_interest, self._waiting = first == 0, []

    def add(self, reference: Predictions, candidate: Predictions, first: int, fetch: Fetch) -> None:
        """Compare a batch whose first row has the number `first`; `fetch` gives rows of it."""
        if self.reading is not None:
            reference, candidate = self.reading.alone(reference, candidate)
        numbers = np.arange(first, first + len(reference.values), dtype=np.int64)
        outcomes = RowOutcomes.of(reference, candidate, self.limits)
        batch = compare(reference, candidate, self.limits, rows=numbers, outcomes=outcomes)
        self.comparison += batch
        if batch.reference_alone:
            self._complain(unlike_widths(batch) or candidate.complaint, first)
        if reference.refusals.any():
            self._complain(reference.complaint, first)
        self._keep_features(first, fetch)
        self._keep_examples(reference, candidate, numbers, outcomes, fetch)

    def _complain(self, complaint: str, first: int) -> None:
        if complaint and not self.complaint:
            self.complaint, self.complaint_row = complaint, first

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
        """The first rows that differ, and the first that do not, as long as there is room for them."""

        def take(mask: Bools, room: int) -> list[DifferingRows]:
            rows = np.flatnonzero(mask)[: max(0, room)]
            if not len(rows):
                return []
            ours, theirs, some = reference.take(rows), candidate.take(rows), outcomes.take(rows)
            return [DifferingRows.of(self.group, numbers[rows], fetch(rows), ours, theirs, some)]

        self.differing += take(outcomes.differ, MOST_DIFFERING - _count(self.differing))
        self._waiting += take(~outcomes.differ, MOST_ALIKE - _count(self.alike) - _count(self._waiting))
        self._is_of_interest |= bool(outcomes.differ.any())
        if self._is_of_interest:
            self.alike += self._waiting
            self._waiting = []

    @property
    def is_beyond(self) -> bool:
        """Whether some pair of numbers is farther apart than the tolerance allows."""
        return any(tally.failing for tally in self.comparison.outputs)

    @property
    def examples(self) -> DifferingRows | None:
        """Rows that differ and rows that do not, for causes to be found on; None before the first batch."""
        parts = [*self.differing, *self.alike]
        return join(parts) if parts else None


def merge(one: GroupComparison, other: GroupComparison) -> GroupComparison:
    """The comparison on both sets of rows, whichever comes first."""
    comparison = one.comparison + other.comparison
    worst = {line[0] for line in comparison.worst.lines}
    features = one.features | other.features
    complaints = [(part.complaint_row, part.complaint) for part in (one, other) if part.complaint]
    row, complaint = min(complaints, default=(0, ""))
    return GroupComparison(
        one.group, one.limits, one.reading, comparison, complaint, row,
        {number: features[number] for number in sorted(worst & features.keys())},
        _first([*one.differing, *other.differing], MOST_DIFFERING),
        _first([*one.alike, *other.alike], MOST_ALIKE),
    )  # fmt: skip


def _count(parts: Iterable[DifferingRows]) -> int:
    return sum(len(part.numbers) for part in parts)


def _first(parts: list[DifferingRows], most: int) -> list[DifferingRows]:
    """The rows with the lowest numbers; the parts, none of which reaches into another, in the order of their rows."""
    selection, room = [], most
    for part in sorted(parts, key=lambda part: int(part.numbers[0])):
        rows = part if len(part.numbers) <= room else part.take(np.arange(room))
        if len(rows.numbers):
            selection.append(rows)
        room -= len(rows.numbers)
    return selection


def unlike_widths(comparison: Comparison) -> str:
    """That the two models have different numbers of outputs; empty where they do not, or where that is not known."""
    if comparison.widths is None:
        return ""
    ours, theirs = comparison.widths
    sentence = f"an answer has {theirs} column{'' if theirs == 1 else 's'} where the reference's has {ours}"
    return f"{sentence}, and the two are no probabilities" if {ours, theirs} == {1, 2} else sentence
