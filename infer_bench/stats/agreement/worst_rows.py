"""The rows that differ most, and a merge of two such lists."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.typing import Floats

Line = tuple[int, int, float, float, float]
"""Row, output, |Δ| (inf where only one side is finite), reference, candidate."""


@dataclass(frozen=True, slots=True)
class Worst:
    """At most `most` lines, the worst first; of equal ones the lower row."""

    lines: tuple[Line, ...] = ()
    most: int = 0

    def __add__(self, other: "Worst") -> "Worst":
        most = max(self.most, other.most)
        return Worst(tuple(sorted((*self.lines, *other.lines), key=_order)[:most]), most)

    def __eq__(self, other: object) -> bool:
        # repr, since a NaN among the answers equals itself here
        return isinstance(other, Worst) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def worst_of(
    reference: Floats, candidate: Floats, rows: npt.NDArray[np.int64], bad: npt.NDArray[np.bool_], most: int
) -> Worst:
    """The worst of the rows that are `bad` (rows,), one line a row with the output that differs most."""
    if not most or not bad.any():
        return Worst(most=most)
    ours, theirs, numbers = reference[bad], candidate[bad], rows[bad]
    with np.errstate(all="ignore"):
        gaps = np.abs(ours - theirs)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    gaps = np.where(same, 0.0, np.where(np.isnan(gaps), np.inf, gaps))
    output = gaps.argmax(axis=1)
    at = np.arange(len(gaps))
    size = gaps[at, output]
    first = np.lexsort((numbers, -size))[:most]
    values = (ours[at, output], theirs[at, output])
    lines = [(int(numbers[i]), int(output[i]), float(size[i]), float(values[0][i]), float(values[1][i])) for i in first]
    return Worst(tuple(lines), most)


def _order(line: Line) -> tuple[float, int, int]:
    return -line[2], line[0], line[1]
