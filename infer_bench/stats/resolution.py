"""From a short look at fixed work: how far apart two alike things look here, and what slow-down would stand out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infer_bench.stats.layout_interval import LAYOUT_SD

PAIRS = 9
"""Processes a side of the gate that the figure is for."""
_Z_FALSE_ALARM = 2.326348
"""1 % false alarms."""
_Z_POWER = 1.644854
"""95 % power."""
_MEDIAN_FACTOR = math.sqrt(math.pi / 2)
"""The median of normal values spreads by so much more than their mean: the verdict rests on ranks, not on a mean."""
_CHI_SQUARE = (0.015791, 0.210721, 0.584374, 1.063623, 1.610308, 2.204131, 2.833107)
"""The 10 % quantiles of chi-square, for 1 to 7 degrees of freedom."""
_MAD = 1.482602


@dataclass(frozen=True, slots=True)
class Resolution:
    """See `resolution`; all are shares on the log scale, 0.01 is 1 %."""

    between_blocks: float
    between_processes: float
    resolvable: float


def resolution(blocks: Sequence[Sequence[float]], pairs: int = PAIRS) -> Resolution:
    """What can be told apart, from the median of each block of the same work: processes (>= 2) -> blocks (>= 1), > 0.

    `between_blocks`: the median over processes of the robust standard deviation (MAD) of its blocks.
    `between_processes`: the standard deviation of the processes' own medians.
    `resolvable`: the smallest slow-down of the median that a comparison of `pairs` processes a side tells from none, at
    1 % false alarms and 95 % power: (2.33 + 1.64) sqrt(pi / 2) sqrt(2 / pairs) s. So that a few processes that agree by
    luck do not promise too much, s is the upper 90 % confidence bound of `between_processes`, and at least 0.9 %.
    """
    logs = [np.log(np.asarray(values, dtype=np.float64)) for values in blocks]
    centres = [float(np.median(own)) for own in logs]
    within = [_MAD * float(np.median(np.abs(own - centre))) for own, centre in zip(logs, centres, strict=True)]
    between = float(np.std(centres, ddof=1))
    freedom = min(len(centres) - 1, len(_CHI_SQUARE))
    spread = max(LAYOUT_SD, between * math.sqrt(freedom / _CHI_SQUARE[freedom - 1]))
    resolvable = (_Z_FALSE_ALARM + _Z_POWER) * _MEDIAN_FACTOR * math.sqrt(2 / pairs) * spread
    return Resolution(float(np.median(within)), between, math.expm1(min(resolvable, 50.0)))
