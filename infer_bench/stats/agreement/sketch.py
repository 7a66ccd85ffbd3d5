"""A mergeable sketch of how differences are spread: counts in bins a 128th of a power of two wide."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from infer_bench.typing import Floats

_SHIFT = 45  # keeps 7 of a double's 52 mantissa bits
RELATIVE_WIDTH = 2.0**-7
"""A quantile read from the sketch is too high by less than this share."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Counts of non-negative doubles by their sign, exponent and leading seven mantissa bits.

    Bins are keyed by those bits, in rising order; sketches are merged by adding their counts, which no order changes.
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Floats) -> "Sketch":
        """The sketch of non-negative `values` (n,)."""
        bits = np.ascontiguousarray(values + 0.0).view(np.int64) >> _SHIFT
        if not len(bits):
            return cls()
        # Counting is several times cheaper than sorting, and there are 2**18 bins at the most.
        low = int(bits.min())
        counts = np.bincount(bits - low)
        keys = np.flatnonzero(counts)
        return cls(dict(zip((keys + low).tolist(), counts[keys].tolist(), strict=True)))

    def __add__(self, other: "Sketch") -> "Sketch":
        counts = dict(self.counts)
        for key, count in other.counts.items():
            counts[key] = counts.get(key, 0) + count
        return Sketch(dict(sorted(counts.items())))

    def quantile(self, share: float) -> float:
        """The upper edge of the bin that holds the value of rank ceil(share x n); 0 of nothing."""
        keys, counts = self._arrays()
        if not len(keys):
            return 0.0
        rank = max(1, int(np.ceil(share * counts.sum())))
        key = int(keys[np.searchsorted(np.cumsum(counts), rank)])
        return 0.0 if key == 0 else float(_edge(key + 1))

    def decades(self) -> tuple[tuple[int | None, int], ...]:
        """(decade, count) in rising order: decade d holds [10**d, 10**(d + 1)) by the bins' lower edges, None zeros."""
        decades: dict[int | None, int] = {}
        for key, count in sorted(self.counts.items()):
            edge = _edge(key)
            decade = None if edge == 0 else int(np.floor(np.log10(edge))) if np.isfinite(edge) else 309
            decades[decade] = decades.get(decade, 0) + count
        return tuple(decades.items())

    def _arrays(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        keys = np.array(sorted(self.counts), dtype=np.int64)
        return keys, np.array([self.counts[int(key)] for key in keys], dtype=np.int64)


def _edge(key: int) -> float:
    return float(np.array([key << _SHIFT], dtype=np.int64).view(np.float64)[0])
