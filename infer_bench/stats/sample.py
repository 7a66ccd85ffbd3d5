"""A sample of pairs chosen by the rows' numbers alone, so that it does not depend on how the rows were split."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SIZE = 4096


@dataclass(frozen=True, slots=True)
class Sample:
    """The `SIZE` rows with the lowest hashes of their numbers: (hash, row, reference, candidate), in that order."""

    pairs: tuple[tuple[int, int, float, float], ...] = ()

    @classmethod
    def of(cls, rows: npt.NDArray[np.int64], reference: Floats, candidate: Floats) -> "Sample":
        """The sample of finite pairs among these rows."""
        finite = np.isfinite(reference) & np.isfinite(candidate)
        numbers, ours, theirs = rows[finite], reference[finite], candidate[finite]
        keys = _hashed(numbers)
        if len(keys) > SIZE:
            first = np.argpartition(keys, SIZE - 1)[:SIZE]
            keys, numbers, ours, theirs = keys[first], numbers[first], ours[first], theirs[first]
        pairs = zip(keys.tolist(), numbers.tolist(), ours.tolist(), theirs.tolist(), strict=True)
        return cls(tuple(sorted(pairs)))

    def __add__(self, other: "Sample") -> "Sample":
        if len(self.pairs) == SIZE and other.pairs and other.pairs[0] > self.pairs[-1]:
            return self
        return Sample(tuple(sorted((*self.pairs, *other.pairs))[:SIZE]))

    def rank_correlation(self) -> float | None:
        """Spearman's rho of the two sides, ties at their mean rank; None for fewer than two rows or a constant side."""
        if len(self.pairs) < 2:
            return None
        ours, theirs = (_ranks(np.array([pair[i] for pair in self.pairs])) for i in (2, 3))
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
