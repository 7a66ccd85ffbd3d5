"""Answers of two sides to one group of rows, compared batch by batch; a few of the rows are kept to be explained."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from infer_bench.data import Table, concat
from infer_bench.measure.validate.predictors import Predictions
from infer_bench.report.validate import WorstRow
from infer_bench.stats.agreement.compare import Comparison, Limits, compare, differing, merge
from infer_bench.typing import Bools

Labels = npt.NDArray[np.int64]

MOST_DIFFERING, MOST_ALIKE = 1_024, 512
"""So many rows of a group are kept, of those that differ and of those that do not."""

Fetch = Callable[[npt.NDArray[np.intp]], Table]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Rows of one group with both answers: what causes are found on. `differ` (rows,) says which count as different.

    `labels` are those of both sides (rows,), None without classes. `unlike` says, where it is so, that the candidate's
    answers have another number of columns: then there is nothing in them to explain.
    """

    group: str
    table: Table
    numbers: npt.NDArray[np.int64]
    reference: Predictions
    candidate: Predictions
    differ: Bools
    labels: tuple[Labels, Labels] | None = None
    unlike: str = ""


@dataclass
class GroupComparison:
    """The comparison of one candidate with the reference on one group, growing with every batch."""

    group: str
    limits: Limits
    refusals_count: bool = True
    comparison: Comparison = field(default_factory=Comparison)
    rows: int = 0
    refusals: int = 0
    refused_by_both: int = 0
    failing: int = 0
    complaint: str = ""
    unlike: str = ""
    kept: list[Kept] = field(default_factory=list)
    lone: list[WorstRow] = field(default_factory=list)
    features: dict[int, Table] = field(default_factory=dict)

    def add(self, reference: Predictions, candidate: Predictions, first: int, fetch: Fetch) -> None:
        """Compare a batch whose first row has the number `first`; `fetch` gives rows of it."""
        rows = np.arange(first, first + len(reference.values), dtype=np.int64)
        self.unlike = self.unlike or _unlike(reference, candidate)
        candidate = _fitting(reference, candidate)
        lone = self._lone(reference, candidate)
        both = ~reference.refused & ~candidate.refused
        ours, theirs = reference.take(both), candidate.take(both)
        labels = _labels(ours, theirs)
        found = compare(ours.values, theirs.values, self.limits, rows=rows[both], labels=labels)
        self.comparison = merge(self.comparison, found)
        differ = lone.copy()
        differ[both] = differing(ours.values, theirs.values, self.limits, labels)
        self.rows += len(rows)
        self.refusals += int(lone.sum())
        self.refused_by_both += int((~both & ~lone).sum())
        self.failing += int(differ.sum())
        self._keep_worst(rows, fetch)
        self._keep_lone(reference, candidate, rows, lone, fetch)
        self._keep(reference, candidate, rows, differ, fetch)

    def _lone(self, reference: Predictions, candidate: Predictions) -> Bools:
        """Rows that one side refuses and the other answers; an answer of NaN is as good as a refusal."""
        confident = reference.refused & ~candidate.refused & np.isfinite(candidate.values).any(axis=1)
        silent = candidate.refused & ~reference.refused & np.isfinite(reference.values).any(axis=1)
        self.complaint = self.complaint or (candidate.complaint if silent.any() else "")
        self.complaint = self.complaint or (reference.complaint if confident.any() else "")
        return np.asarray((confident | silent) if self.refusals_count else silent)

    def _keep_worst(self, rows: npt.NDArray[np.int64], fetch: Fetch) -> None:
        """The features of the rows that are among the worst so far."""
        wanted = {line[0] for line in self.comparison.worst.lines}
        self.features = {row: table for row, table in self.features.items() if row in wanted}
        missing = sorted(wanted - self.features.keys())
        if missing:
            table = fetch(np.array(missing, dtype=np.intp) - int(rows[0]))
            self.features |= {row: table.slice(i, i + 1) for i, row in enumerate(missing)}

    def _keep_lone(
        self, reference: Predictions, candidate: Predictions, rows: npt.NDArray[np.int64], lone: Bools, fetch: Fetch
    ) -> None:
        wanted = np.flatnonzero(lone)[: max(0, self.limits.worst - len(self.lone))]
        table = fetch(wanted)
        for i, at in enumerate(wanted):
            ours, theirs = (None if s.refused[at] else float(s.values[at, 0]) for s in (reference, candidate))
            self.lone.append(
                WorstRow(self.group, int(rows[at]), "", ours, theirs, float("inf"), features=table.record(i))
            )

    def _keep(
        self, reference: Predictions, candidate: Predictions, rows: npt.NDArray[np.int64], differ: Bools, fetch: Fetch
    ) -> None:
        have = [sum(int((kept.differ == side).sum()) for kept in self.kept) for side in (True, False)]
        chosen = np.concatenate(
            [
                np.flatnonzero(differ)[: max(0, MOST_DIFFERING - have[0])],
                np.flatnonzero(~differ)[: max(0, MOST_ALIKE - have[1])],
            ]
        )
        if len(chosen):
            ours, theirs = reference.take(chosen), candidate.take(chosen)
            labels = _labels(ours, theirs)
            part = Kept(self.group, fetch(chosen), rows[chosen], ours, theirs, differ[chosen], labels, self.unlike)
            self.kept.append(part)

    @property
    def kept_rows(self) -> Kept | None:
        """Everything that was kept as one; None where nothing was."""
        if not self.kept:
            return None
        if len(self.kept) == 1:
            return self.kept[0]
        return Kept(
            self.group,
            concat(kept.table for kept in self.kept),
            np.concatenate([kept.numbers for kept in self.kept]),
            _joined([kept.reference for kept in self.kept]),
            _joined([kept.candidate for kept in self.kept]),
            np.concatenate([kept.differ for kept in self.kept]),
            _joined_labels(self.kept),
            self.unlike,
        )


def _unlike(reference: Predictions, candidate: Predictions) -> str:
    """That the candidate's answers have another number of columns; empty where they do not, or where there are none."""
    ours, theirs = reference.values.shape[1], candidate.values.shape[1]
    unknown = ours == theirs or reference.refused.all() or candidate.refused.all()
    return "" if unknown else f"an answer has {theirs} columns where the reference's has {ours}"


def _fitting(reference: Predictions, candidate: Predictions) -> Predictions:
    """The candidate's answers; those of another width are none where the reference answers."""
    if reference.values.shape[1] == candidate.values.shape[1]:
        return candidate
    alone = reference.refused & ~candidate.refused & np.isfinite(candidate.values).any(axis=1)
    values = np.repeat(np.where(alone, 0.0, np.nan)[:, None], reference.values.shape[1], axis=1)
    return Predictions(values, ~alone, complaint=_unlike(reference, candidate) or candidate.complaint)


def _joined(parts: list[Predictions]) -> Predictions:
    """Answers below each other; their labels, whose codes differ from batch to batch, are kept apart."""
    values, refused = (np.concatenate([getattr(part, name) for part in parts]) for name in ("values", "refused"))
    return Predictions(values, refused)


def _joined_labels(parts: list[Kept]) -> tuple[Labels, Labels] | None:
    """Labels below each other; those of a batch that one side refuses as a whole are none."""
    if all(part.labels is None for part in parts):
        return None
    none = [np.full(len(part.numbers), -1, dtype=np.int64) for part in parts]
    sides = [part.labels or (gap, gap) for part, gap in zip(parts, none, strict=True)]
    return np.concatenate([side[0] for side in sides]), np.concatenate([side[1] for side in sides])


def _labels(ours: Predictions, theirs: Predictions) -> tuple[Labels, Labels] | None:
    """Labels of both sides as places in one list; what a library calls a row without a finite answer is no label.

    The text of functions' answers, of which the numbers know nothing, is compared with such text alone.
    """
    if ours.labels is None or theirs.labels is None or ours.worded != theirs.worded:
        return None
    places: dict[object, int] = {}
    one, other = (_placed(side, places) for side in (ours, theirs))
    if ours.worded:
        return one, other
    known = np.isfinite(ours.values).all(axis=1) & np.isfinite(theirs.values).all(axis=1)
    return np.where(known, one, -1), np.where(known, other, -1)


def _placed(side: Predictions, places: dict[object, int]) -> Labels:
    table = [places.setdefault(label, len(places)) for label in side.labels or ()]
    return np.array([*table, -1], dtype=np.int64)[side.codes]
