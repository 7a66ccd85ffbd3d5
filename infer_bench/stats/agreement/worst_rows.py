"""The rows that differ most, and a merge of two such lists."""

from dataclasses import dataclass

import numpy as np

from infer_bench.stats.agreement.limits import is_same
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.stats.agreement.row_outcomes import RowOutcomes, common_values
from infer_bench.typing import Floats, Ints

Line = tuple[int, int, float, float, float]
"""Row, output, |Δ| (inf where only one side is finite), reference, candidate.

The output is `NO_OUTPUT`, and one of the two predictions NaN, where only one model predicts the row.
"""
NO_OUTPUT = -1


@dataclass(frozen=True, slots=True)
class Worst:
    """At most `most` lines, the worst first; of equal ones the lower row."""

    lines: tuple[Line, ...] = ()
    most: int = 0

    def __add__(self, other: "Worst") -> "Worst":
        most = max(self.most, other.most)
        return Worst(tuple(sorted((*self.lines, *other.lines), key=_order)[:most]), most)

    def __eq__(self, other: object) -> bool:
        # repr, since a NaN among the predictions equals itself here
        return isinstance(other, Worst) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def worst_of(reference: Predictions, candidate: Predictions, rows: Ints, outcomes: RowOutcomes, most: int) -> Worst:
    """The worst of the rows that differ, one line a row with the output that differs most; `rows` are their numbers."""
    if not most or not outcomes.differ.any():
        return Worst(most=most)
    alone = Worst(_alone(reference, candidate, rows, outcomes, most), most)
    return alone + Worst(_furthest(reference, candidate, rows, outcomes, most), most)


def _alone(
    reference: Predictions, candidate: Predictions, rows: Ints, outcomes: RowOutcomes, most: int
) -> tuple[Line, ...]:
    """Lines of the first rows to which one model alone gives a number."""
    nan, inf = float("nan"), float("inf")
    lines = []
    for i in np.flatnonzero(outcomes.refusals)[np.argsort(rows[outcomes.refusals])][:most]:
        ours, theirs = (float(side.values[i, 0]) if side.values.shape[1] else nan for side in (reference, candidate))
        pair = (ours, nan) if outcomes.reference_alone[i] else (nan, theirs)
        lines.append((int(rows[i]), NO_OUTPUT, inf, *pair))
    return tuple(lines)


def _furthest(
    reference: Predictions, candidate: Predictions, rows: Ints, outcomes: RowOutcomes, most: int
) -> tuple[Line, ...]:
    """Lines of the compared rows that differ most."""
    ours, theirs = common_values(reference, candidate, outcomes.common)
    differ = outcomes.differ[outcomes.common]
    ours, theirs, numbers = ours[differ], theirs[differ], rows[outcomes.common][differ]
    gaps = _gaps(ours, theirs)
    if not gaps.size:
        return ()
    at, output = np.arange(len(gaps)), gaps.argmax(axis=1)
    size, one, other = gaps[at, output], ours[at, output], theirs[at, output]
    first = np.lexsort((numbers, -size))[:most]
    return tuple((int(numbers[i]), int(output[i]), float(size[i]), float(one[i]), float(other[i])) for i in first)


def _gaps(ours: Floats, theirs: Floats) -> Floats:
    with np.errstate(all="ignore"):
        gaps = np.abs(ours - theirs)
    return np.asarray(np.where(is_same(ours, theirs), 0.0, np.where(np.isnan(gaps), np.inf, gaps)))


def _order(line: Line) -> tuple[float, int, int]:
    return -line[2], line[0], line[1]
