"""What a request allocates through Python's allocators, by tracemalloc."""

import statistics
import tracemalloc
from collections.abc import Sequence
from typing import Any

from infer_bench.workers.timing.loop import Stages


def allocations(stages: Stages, requests: Sequence[Any]) -> dict[str, int]:
    """`peak_bytes`: the median over requests of the most held at once; `retained_bytes`: the mean of what was kept.

    One request is answered first, so that caches filled once count for none.
    """
    tracemalloc.start()
    try:
        stages(requests[0])
        begun = tracemalloc.get_traced_memory()[0]
        peaks = [_peak(stages, request) for request in requests]
        kept = tracemalloc.get_traced_memory()[0] - begun
    finally:
        tracemalloc.stop()
    peak = round(statistics.median(peaks))
    return {"peak_bytes": peak, "retained_bytes": round(kept / len(requests)), "requests": len(requests)}


def _peak(stages: Stages, request: Any) -> int:
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    stages(request)
    return tracemalloc.get_traced_memory()[1] - before
