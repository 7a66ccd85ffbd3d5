"""A sample of pairs chosen by the rows' numbers alone, so that it does not depend on how the rows were split."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.typing import Floats

SIZE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The `SIZE` rows with the lowest hashes of their numbers, in the order of these hashes (rows,).

    `hashes` are uint64, `numbers` the rows' own, `reference` and `candidate` the predictions.
    """

    hashes: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    numbers: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    reference: Floats = field(default_factory=lambda: np.zeros(0))
    candidate: Floats = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, rows: npt.NDArray[np.int64], reference: Floats, candidate: Floats) -> "Sample":
        """The sample of finite pairs among these rows."""
        finite = np.isfinite(reference) & np.isfinite(candidate)
        numbers = rows[finite]
        return cls(_hashed(numbers), numbers, reference[finite], candidate[finite])._lowest()

    def __add__(self, other: "Sample") -> "Sample":
        if not len(other.hashes) or (len(self.hashes) == SIZE and other.hashes[0] > self.hashes[-1]):
            return self
        parts = zip(self._columns(), other._columns(), strict=True)
        return Sample(*(np.concatenate(pair) for pair in parts))._lowest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sample):
            return NotImplemented
        return all(np.array_equal(*pair) for pair in zip(self._columns(), other._columns(), strict=True))

    def __hash__(self) -> int:
        return hash(self.hashes.tobytes())

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return self.hashes, self.numbers, self.reference, self.candidate

    def _lowest(self) -> "Sample":
        """The first of these rows in the order of their hashes; those of equal hashes are one row in two samples."""
        indices = np.arange(len(self.hashes))
        if len(indices) > SIZE:
            indices = np.argpartition(self.hashes, SIZE - 1)[:SIZE]
        indices = indices[np.lexsort((self.numbers[indices], self.hashes[indices]))]
        return Sample(*(column[indices] for column in self._columns()))

    def rank_correlation(self) -> float | None:
        """Spearman's rho of the two sides, ties at their mean rank; None for fewer than two rows or a constant side."""
        if len(self.hashes) < 2:
            return None
        ours, theirs = _ranks(self.reference), _ranks(self.candidate)
        if ours.std() == 0 or theirs.std() == 0:
            return 1.0 if np.array_equal(ours, theirs) else None
        return float(np.corrcoef(ours, theirs)[0, 1]) if not np.array_equal(ours, theirs) else 1.0


def _hashed(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Steele's SplitMix64 finaliser: a bijection, so that different rows never tie."""
    with np.errstate(over="ignore"):
        x = rows.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse], dtype=np.float64)
