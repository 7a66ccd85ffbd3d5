"""Times files of one network side by side in one worker: what their sessions take for the same arrays."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from infer_bench.typing import Samples
from infer_bench.workers.protocol import Request

WARM_UP_CALLS = 5


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTimes:
    """By file: the samples (rounds × calls,) in ns, round after round."""

    samples: Mapping[str, Samples]


@dataclass(frozen=True, slots=True)
class TimeNetworks(Request[NetworkTimes]):
    """Time `calls` runs of each of `paths` in each of `rounds` rounds, in an order shuffled by `seed`.

    A call takes the first `batch` requests of the arrays in `rows` (the first entry as it stands where `batch` is 0).
    Rounds end early when `budget_ns` is spent, and so does warming up.
    """

    title = "time"
    paths: tuple[str, ...]
    rows: str
    batch: int
    rounds: int
    calls: int
    budget_ns: int
    seed: int


def time_networks(request: TimeNetworks) -> NetworkTimes:
    """Measure. The sessions lie in memory in a random order: a process is one sample of its layout."""
    from infer_bench.workers.tasks.quantize import first_feed, run_session, start_session

    order = random.Random(request.seed)
    paths = list(request.paths)
    order.shuffle(paths)
    feed = first_feed(request.rows, request.batch)
    sessions = {path: start_session(path) for path in paths}
    for session in sessions.values():
        first_ns = time.perf_counter_ns()
        for _ in range(WARM_UP_CALLS):
            run_session(session, feed)
            if (time.perf_counter_ns() - first_ns) * len(paths) > request.budget_ns:
                break
    samples: dict[str, list[int]] = {path: [] for path in paths}
    start_ns = time.perf_counter_ns()
    for _ in range(request.rounds):
        order.shuffle(paths)
        for path in paths:
            run = sessions[path].run
            for _ in range(request.calls):
                before_ns = time.perf_counter_ns()
                run(None, feed)
                samples[path].append(time.perf_counter_ns() - before_ns)
        if time.perf_counter_ns() - start_ns > request.budget_ns:
            break
    return NetworkTimes({path: np.asarray(values, dtype=np.int64) for path, values in samples.items()})
