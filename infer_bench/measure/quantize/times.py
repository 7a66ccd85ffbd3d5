"""How much faster each form answers than the original, in processes of their own, side by side."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.jobs import build_task_job
from infer_bench.measure.quantize.network_tools import RowsFile
from infer_bench.model import ModelRef
from infer_bench.report.quantize import TimeRatio
from infer_bench.stats.speedup import speedup
from infer_bench.typing import Samples
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.time_networks import TimeNetworks

PROCESSES = 5
ROUNDS = 60
CALLS = 5
PROCESS_NS = 700_000_000
"""What a process may measure for at each batch size."""


def least_s(batch: int, forms: int, row_s: float) -> float:
    """Seconds that timing a batch takes at the least: a call to warm up and a round, of each file in each process."""
    return PROCESSES * (CALLS + 1) * (forms + 1) * max(1, batch) * row_s


def time_forms(
    source: ModelRef,
    paths: Sequence[str],
    rows: RowsFile,
    batches: Sequence[int],
    seed: int,
    timeout_s: float,
    advance: Callable[[float], None],
) -> Mapping[str, tuple[TimeRatio, ...]]:
    """By path, a ratio for each batch size. All files are timed in each process, in an order of its own."""
    samples: dict[int, list[Mapping[str, Samples]]] = {batch: [] for batch in batches}
    everyone = (source.path, *paths)
    for process in range(PROCESSES):
        with Worker(build_task_job(source), timeout_s=timeout_s) as worker:
            for index, batch in enumerate(batches):
                advance((process * len(batches) + index) / PROCESSES / len(batches))
                request = TimeNetworks(
                    everyone, rows.path, batch, ROUNDS, CALLS, PROCESS_NS, seed * PROCESSES + process
                )
                try:
                    samples[batch].append(worker.ask(request).samples)
                except InferBenchError:  # a batch that some file refuses is not timed
                    if worker.has_ended:
                        break
    return {
        path: tuple(
            ratio for batch in batches if (ratio := _ratio(batch, source.path, path, samples[batch])) is not None
        )
        for path in paths
    }


def _ratio(batch: int, original: str, path: str, processes: Sequence[Mapping[str, Samples]]) -> TimeRatio | None:
    ours, theirs = ([_rounds(samples[name]) for samples in processes] for name in (path, original))
    ratio = speedup(theirs, ours)
    if ratio is None:
        return None
    medians = [round(float(np.median(np.concatenate([np.concatenate(p) for p in side])))) for side in (ours, theirs)]
    return TimeRatio(batch, *ratio, *medians)


def _rounds(samples: Samples) -> list[Samples]:
    return [samples[i : i + CALLS] for i in range(0, len(samples), CALLS)]
