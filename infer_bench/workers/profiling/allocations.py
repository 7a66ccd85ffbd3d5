"""What a request allocates through Python's allocators, by tracemalloc."""

import statistics
import tracemalloc
from collections.abc import Sequence
from typing import Any

from infer_bench.workers.profiling.requests import Allocations
from infer_bench.workers.timing.loop import Clock, Stages

LIMIT_NS = 2_000_000_000
"""So long are requests answered, which tracing slows twentyfold where they allocate much."""


def measure_allocations(stages: Stages, requests: Sequence[Any], clock: Clock) -> Allocations:
    """See `Allocations`. One request is answered first, so that caches filled once count for none.

    Of the others there are as many as begin within `LIMIT_NS`, and one at least.
    """
    tracemalloc.start()
    try:
        stages(requests[0])
        start = tracemalloc.get_traced_memory()[0]
        until_ns = clock() + LIMIT_NS
        peaks = [_peak(stages, request) for place, request in enumerate(requests) if not place or clock() < until_ns]
        retained = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    count = len(peaks)
    return Allocations(round(statistics.median(peaks)), round(retained / count), count)


def _peak(stages: Stages, request: Any) -> int:
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    stages(request)
    return tracemalloc.get_traced_memory()[1] - before
