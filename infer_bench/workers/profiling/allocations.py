"""What a request allocates through Python's allocators, by tracemalloc."""

import statistics
import tracemalloc
from collections.abc import Sequence
from typing import Any

from infer_bench.workers.profiling.requests import Allocations
from infer_bench.workers.timing.loop import Stages


def measure_allocations(stages: Stages, requests: Sequence[Any]) -> Allocations:
    """See `Allocations`. One request is answered first, so that caches filled once count for none."""
    tracemalloc.start()
    try:
        stages(requests[0])
        start = tracemalloc.get_traced_memory()[0]
        peaks = [_peak(stages, request) for request in requests]
        retained = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    count = len(requests)
    return Allocations(round(statistics.median(peaks)), round(retained / count), count)


def _peak(stages: Stages, request: Any) -> int:
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    stages(request)
    return tracemalloc.get_traced_memory()[1] - before
