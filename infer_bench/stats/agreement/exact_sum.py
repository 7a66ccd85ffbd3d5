"""Sums of doubles without any rounding, so that neither the order nor the way they were split can change them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.typing import Floats

_SCALE = 1126
"""2**-1126 divides every double: the smallest is 2**-1074, and a 53-bit mantissa may start below it."""
_HALF = 26


@dataclass(frozen=True, slots=True)
class ExactSum:
    """The sum of doubles as a whole multiple of 2**-1126; infinite terms are counted apart."""

    units: int = 0
    infinite: int = 0

    @classmethod
    def of(cls, values: Floats) -> "ExactSum":
        """The sum of non-negative `values` (n,), +inf among them; n below 2**26."""
        finite = values[np.isfinite(values) & (values != 0)]
        mantissa, exponent = np.frexp(finite)
        integers = np.ldexp(mantissa, 53)
        # Each half stays below 2**27, so that bincount's doubles add up to 2**26 of them without rounding.
        high = np.floor(np.ldexp(integers, -_HALF))
        low = integers - np.ldexp(high, _HALF)
        bins = exponent - 53 + _SCALE
        return cls((_units(bins, high) << _HALF) + _units(bins, low), int(np.isinf(values).sum()))

    def __add__(self, other: "ExactSum") -> "ExactSum":
        return ExactSum(self.units + other.units, self.infinite + other.infinite)

    def mean(self, count: int) -> float:
        """The sum over `count`, rounded once; 0 of nothing."""
        if self.infinite:
            return float("inf")
        return self.units / (count << _SCALE) if count else 0.0


def _units(bins: npt.NDArray[np.integer], weights: Floats) -> int:
    if not len(bins):
        return 0
    sums = np.bincount(bins, weights)
    return sum(int(sums[i]) << int(i) for i in np.flatnonzero(sums))
