"""A short look at what the machine does to one fixed piece of work."""

import contextlib
import time
from collections.abc import Callable

import numpy as np

from infer_bench.measure.candidates.jobs import build_engine_job
from infer_bench.model import ModelRef
from infer_bench.progress import Progress
from infer_bench.report.doctor import Noise, Timer
from infer_bench.stats.resolution import PAIRS, resolution
from infer_bench.workers.job import Job
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import SetRows
from infer_bench.workers.timing.fixed_work import FEATURES
from infer_bench.workers.timing.loop import measure_stamp_cost
from infer_bench.workers.timing.requests import TimeBlock, WarmUp

Clock = Callable[[], int]
PROCESSES = 6
BLOCKS = 16
BLOCK_NS = 10_000_000
SPIN_NS = 250_000_000
PAUSE_NS = 20_000
"""A gap between two readings of the clock from which on something else is taken to have run."""
_WARM_NS = 100_000_000
_LIMIT_S = 4.0
_TIMEOUT_S = 20.0
_ROWS = 256
_READINGS = 20_001


def measure_timer(clock: Clock = time.perf_counter_ns) -> Timer:
    """What the clock resolves and costs."""
    stamps = np.array([clock() for _ in range(_READINGS)], dtype=np.int64)
    steps = np.diff(stamps)
    positive = steps[steps > 0]
    return Timer(int(positive.min()) if len(positive) else 0, measure_stamp_cost(clock, _READINGS))


def measure_pauses(clock: Clock = time.perf_counter_ns, spin_ns: int = SPIN_NS) -> tuple[int, float]:
    """`(longest, share)`: the longest gap that a loop reading the clock saw, ns, and the share of time lost to gaps."""
    longest = lost_ns = 0
    last = begin = clock()
    while last - begin < spin_ns:
        now = clock()
        gap = now - last
        if gap > PAUSE_NS:
            longest, lost_ns = max(longest, gap), lost_ns + gap
        last = now
    return longest, lost_ns / max(1, last - begin)


def measure_noise(progress: Progress) -> Noise:
    """Blocks of the work by turns in several fresh processes, for about two seconds.

    Raises `WorkerError` or `EngineError` when a process cannot be started or does not answer.
    """
    with contextlib.ExitStack() as stack:
        workers = []
        for index in range(PROCESSES):
            progress.update(index / (2 * PROCESSES), f"starting process {index + 1} of {PROCESSES}")
            workers.append(stack.enter_context(Worker(_build_job(), timeout_s=_TIMEOUT_S)))
            _begin(workers[-1])
        warm = [worker.ask(WarmUp(batch=1, limit_ns=_WARM_NS)).request_ns for worker in workers]
        request_ns = max(1, min(warm))
        blocks = _time_blocks(workers, max(8, BLOCK_NS // request_ns), progress)
    longest, share = measure_pauses()
    spreads = resolution(blocks)
    return Noise(
        processes=len(blocks),
        blocks=len(blocks[0]),
        request_ns=request_ns,
        between_blocks=spreads.between_blocks,
        between_processes=spreads.between_processes,
        longest_pause_ns=longest,
        paused_share=share,
        resolvable=spreads.resolvable,
        resolvable_processes=PAIRS,
    )


def _build_job() -> Job:
    target = "infer_bench.workers.timing.fixed_work:compute"
    model = ModelRef(target, "callable", "python", "", 0)
    options = {"function": target, "call": "record"}
    return build_engine_job("callable", model, options)


def _begin(worker: Worker) -> None:
    worker.open()
    rows = np.random.default_rng(0).standard_normal((FEATURES, _ROWS))
    worker.ask(SetRows({f"f{i}": column for i, column in enumerate(rows)}))


def _time_blocks(workers: list[Worker], samples: int, progress: Progress) -> list[list[float]]:
    """The median of each block, ns: processes -> blocks. The order is turned round from one round to the next."""
    medians_by_worker: list[list[float]] = [[] for _ in workers]
    until = time.monotonic() + _LIMIT_S
    for index in range(BLOCKS):
        progress.update(0.5 + index / (2 * BLOCKS), f"looking at the noise, block {index + 1} of {BLOCKS}")
        turns = list(zip(workers, medians_by_worker, strict=True))
        for worker, medians in turns if index % 2 else turns[::-1]:
            block = worker.ask(TimeBlock(batch=1, samples=samples, calls=1, phases=False))
            medians.append(max(1.0, float(np.median(block.request))))
        if time.monotonic() > until:
            break
    return medians_by_worker
