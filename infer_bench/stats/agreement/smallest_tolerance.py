"""The least tolerance that lets every row pass, to the last bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.typing import Floats

__all__ = ["least_passing"]

Passes = Callable[[float, Floats, Floats], npt.NDArray[np.bool_]]

NEAR = 2.0**-40
"""The bracket put around a guess, relative: far wider than the rounding of the few operations that made it."""


def least_passing(passes: Passes, one: Floats, other: Floats, guess: float) -> float:
    """The least x >= 0 with `passes(x, one, other)` in every row; infinite when no finite one does.

    `passes` answers (rows,) from x and the rows' values, and must never turn false as x grows. Solving for x in closed
    form is off by the rounding of the sum that it goes into, so x is bisected over the floats themselves, which are
    ordered as their bits are; rows that pass at the lower end need not be looked at again.
    """
    low, high = 0.0, float("inf")
    with np.errstate(all="ignore"):
        for bound in (0.0, guess * (1 - NEAR), guess * (1 + NEAR)):
            if not np.isfinite(bound):
                continue
            bad = ~passes(bound, one, other)
            if not bad.any():
                high = bound
                break
            low, one, other = bound, one[bad], other[bad]
        if high == 0:
            return 0.0
        while (middle := _between(low, high)) not in (low, high):
            bad = ~passes(middle, one, other)
            if bad.any():
                low, one, other = middle, one[bad], other[bad]
            else:
                high = middle
    return high


def _between(low: float, high: float) -> float:
    """The float half-way between two non-negative ones, counted in floats."""
    ends: Any = np.array([low, high]).view(np.int64)
    return float(np.array([ends[0] + (ends[1] - ends[0]) // 2]).view(np.float64)[0])
