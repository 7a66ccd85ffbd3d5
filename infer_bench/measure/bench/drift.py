"""Whether requests get slower or faster the more of them a process has answered: then a figure depends on how many.

The blocks' medians of each process are put to the test of Mann and Kendall (H. B. Mann, "Nonparametric tests against
trend", 1945): of all pairs of blocks, how many more rise than fall. It asks for no shape of the trend.
"""

import math
from collections.abc import Iterable

import numpy as np

from infer_bench.measure.bench.in_use import InUse
from infer_bench.measure.bench.noise import measure_variation
from infer_bench.report.bench import BenchResult, Process
from infer_bench.report.common import Notice
from infer_bench.typing import Array

DRIFT = "drift"
SURE = 5.0
"""Standard deviations that rises outnumber falls by, over all processes: such blocks are one slow spell no more."""
LEAST_CHANGE = 1.1
ENOUGH_BLOCKS = 8


def note_drift(result: BenchResult, in_use: InUse) -> Iterable[Notice]:
    """That requests of every process change in one direction, and neither fixed work nor waiting says why."""
    processes = [process for process in result.processes if len(process.rounds) >= ENOUGH_BLOCKS]
    variation = measure_variation(result)
    if not processes or variation is None or variation.is_queued or abs(_count_deviations(processes)) < SURE:
        return
    changes = [_change(_read_medians(process)) for process in processes]
    works = [_change(np.array([r.reference_ns for r in process.rounds])) for process in processes]
    if not (min(changes) > LEAST_CHANGE or max(changes) < 1 / LEAST_CHANGE):
        return
    change = float(np.median(changes))
    if abs(math.log(np.median(works))) > abs(math.log(change)) / 2:
        return
    side = "longer" if change > 1 else "shorter"
    text = f"requests take {abs(change - 1) * 100:.0f} % {side} at the end of a process than at its beginning"
    yield Notice(DRIFT, f"{text}: the figures depend on how many were made", _explain(change, in_use), result.candidate)


def _explain(change: float, in_use: InUse) -> str:
    causes = "what it keeps of each request" if change > 1 else "a warm-up that had not ended"
    causes += "" if in_use.rows == "same" else ", rows that stand in the order of their cost"
    return f"causes: {causes}" + ("" if in_use.budget_given else "; --budget measures longer")


def _count_deviations(processes: Iterable[Process]) -> float:
    """By how many standard deviations rises outnumber falls, over all processes."""
    scores = [_count_rises(_read_medians(process)) for process in processes]
    variance = sum(size * (size - 1) * (2 * size + 5) / 18 for _, size in scores)
    return sum(rises for rises, _ in scores) / math.sqrt(variance)


def _count_rises(medians: Array) -> tuple[int, int]:
    """Pairs of blocks that rise less those that fall, and how many blocks there are."""
    differences = np.sign(medians[None, :] - medians[:, None])
    return int(np.triu(differences, 1).sum()), len(medians)


def _read_medians(process: Process) -> Array:
    return np.array([np.median(r.request_ns) for r in process.rounds if r.request_ns])


def _change(values: Array) -> float:
    """The last quarter of the blocks over the first; 1 where there is none."""
    quarter = max(2, len(values) // 4)
    first, last = (float(np.median(part)) for part in (values[:quarter], values[-quarter:]))
    return last / first if first > 0 and last > 0 else 1.0
