"""How a load went over time."""

import numpy as np

from infer_bench.report.load import LoadInterval
from infer_bench.typing import Bools, Samples

INTERVALS = 60
"""So many at the most."""
LEAST_NS = 100_000_000


def build_timeline(due: Samples, latencies: Samples, is_right: Bools, duration_ns: int) -> tuple[LoadInterval, ...]:
    """Intervals of at least 0.1 s, those without a request left out.

    `due` (requests,) are ns from the begin of the measured time, `latencies` (requests,) ns, read where `is_right`.
    """
    length_ns = max(LEAST_NS, -(-duration_ns // INTERVALS))
    intervals = []
    places = due // length_ns
    for number in np.unique(places):
        inside = places == number
        right = latencies[inside & is_right]
        middle, longest = (int(np.median(right)), int(right.max())) if len(right) else (None, None)
        samples = int(inside.sum())
        intervals.append(LoadInterval(int(number) * length_ns, samples, samples - len(right), middle, longest))
    return tuple(intervals)
