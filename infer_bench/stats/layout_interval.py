"""Intervals whose unit is the process: one process is one sample of a memory layout.

Two processes that run the same file differ by a real amount, because code and data land on other addresses. An interval
taken inside one process cannot see that and is several times too narrow, however many calls it holds.
"""

import math
from collections.abc import Sequence

import numpy as np

from infer_bench.stats.percentiles import interval

LAYOUT_SD = 0.009
"""Standard deviation, on the log scale, of the ratio of two processes that run one file (measured: 0.9 %, alike on a
quiet and on a busy machine). The floor of what layouts are taken to differ by, so that processes that agree by luck do
not shrink an interval to nothing."""

_Z = 1.959964
_STUDENT = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624)
"""Student's t at 97.5 %, for 1 to 7 degrees of freedom."""
ORDERED_FROM = 9
"""From nine processes on, the order statistics alone reach 95 % with one freak on either side."""


def layout_interval(values: Sequence[float], within: float = 0.0) -> tuple[float, float]:
    """95 % interval of the centre of `values` (>= 1), one a process, on the log scale.

    From nine processes on: the order-statistic (sign-test) interval of their median, which no single freak can move.
    With two to eight: Student's t, so that it holds for whatever spread this machine has. Both are never narrower than
    an interval for the known spread: +-1.96 sqrt(LAYOUT_SD^2 + (within / 1.96)^2) / sqrt(k), where `within` is the
    half-width of a process's own 95 % interval. One process gives that floor alone. The median of `values` is always
    inside.
    """
    count, centre = len(values), float(np.median(values))
    floor = math.hypot(_Z * LAYOUT_SD, within) / math.sqrt(count)
    low, high = _spread(values)
    return min(low, centre - floor), max(high, centre + floor)


def _spread(values: Sequence[float]) -> tuple[float, float]:
    count, centre = len(values), float(np.median(values))
    if count < 2:
        return centre, centre
    ranks = interval(count, 0.5) if count >= ORDERED_FROM else None
    if ranks is not None:
        ordered = sorted(values)
        return ordered[ranks[0] - 1], ordered[ranks[1] - 1]
    mean = float(np.mean(values))
    half = _STUDENT[count - 2] * float(np.std(values, ddof=1)) / math.sqrt(count)
    return min(mean - half, centre), max(mean + half, centre)
