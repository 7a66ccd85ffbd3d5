"""When requests are due."""

import numpy as np

from infer_bench.report.load import Arrivals
from infer_bench.typing import Samples


def plan_arrivals(count: int, duration_ns: int, arrivals: Arrivals, seed: int) -> Samples:
    """Times (count,) in ns from 0 to `duration_ns`, in order; the same for the same seed.

    `constant`: evenly spaced. `poisson`: those of a Poisson process of which it is known that `count` fall into the
    interval, which are independent and uniform, so that a rate asked for is had exactly.
    """
    if arrivals == "constant":
        return np.arange(count, dtype=np.int64) * duration_ns // max(1, count)
    times = np.random.default_rng(seed).random(count) * duration_ns
    return np.sort(times.astype(np.int64))
