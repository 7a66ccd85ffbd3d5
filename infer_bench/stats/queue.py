"""One server and a queue before it: how many requests a second hold a limit on the time from arrival to answer.

Requests arrive at random (Poisson) and are answered in turn, each for a time that was measured: an M/G/1 queue, whose
waiting times follow from those before by Lindley's recursion, W' = max(0, W + S - A) (D. V. Lindley, "The theory of
queues with a single server", 1952). With the reflection principle that is a running sum less its running minimum.
"""

import numpy as np

from infer_bench.typing import Floats

REQUESTS = 100_000
MOST_BUSY = 0.95
"""Beyond this share of busy time the queue's length is a matter of how long one looks."""
_STEPS = 24


def find_highest_rate(service_ns: Floats, share: float, limit_ns: float, seed: int = 0) -> float | None:
    """The highest arrivals a second at which the quantile `share` (0 to 1) of waiting and service is below the limit.

    `service_ns` (samples,) are times of single requests, ns. The same draws are used at every rate, so that the search
    is of a monotone function. At most `MOST_BUSY` of the time is used. None where the requests alone break the limit.
    """
    random = np.random.default_rng(seed)
    service = random.choice(np.asarray(service_ns, dtype=np.float64), REQUESTS)
    gaps = random.standard_exponential(REQUESTS)
    if np.quantile(service, share) >= limit_ns:
        return None
    low, high = 0.0, MOST_BUSY
    if _hold(service, gaps, high, share, limit_ns):
        return high * 1e9 / float(service.mean())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _hold(service, gaps, middle, share, limit_ns) else (low, middle)
    return low * 1e9 / float(service.mean())


def _hold(service: Floats, gaps: Floats, busy: float, share: float, limit_ns: float) -> bool:
    """Whether the limit holds where the server is busy for this share of the time."""
    return bool(np.quantile(simulate_times(service, gaps * (service.mean() / busy)), share) < limit_ns)


def simulate_times(service: Floats, gaps: Floats) -> Floats:
    """Waiting and service of each request, given the time between its arrival and the next one's."""
    walk = np.concatenate(([0.0], np.cumsum(service[:-1] - gaps[:-1])))
    times: Floats = walk - np.minimum.accumulate(walk) + service
    return times
