"""Rows a second and CPU time of a candidate, each of whole processes. Pure.

All blocks of a process count together: a slow row that is one of many, or a pause now and then, lies in few blocks, and
the median block would know nothing of it.
"""

import statistics
from collections.abc import Sequence

from infer_bench.report.bench import Process


def compute_rows_per_s(processes: Sequence[Process]) -> float:
    """Rows answered per second of the blocks' wall time, the median over processes: measured, not 1 / latency."""
    rates = [_sum(process, "rows") * 1e9 / wall_ns for process in processes if (wall_ns := _sum(process, "wall_ns"))]
    return statistics.median(rates) if rates else 0.0


def compute_cpu(processes: Sequence[Process], batch: int) -> tuple[int, float] | None:
    """The CPU time of a request of `batch` rows, ns, the median over processes, and its share of the wall time.

    None where it was not measured.
    """
    busy = [process for process in processes if _sum(process, "cpu_ns") and _sum(process, "rows")]
    if not busy:
        return None
    requests_ns = [_sum(process, "cpu_ns") * batch / _sum(process, "rows") for process in busy]
    share = sum(_sum(process, "cpu_ns") for process in busy) / sum(_sum(process, "wall_ns") for process in busy)
    return round(statistics.median(requests_ns)), share


def _sum(process: Process, field: str) -> int:
    """Over the blocks that took time."""
    return sum(getattr(block, field) for block in process.rounds if block.wall_ns > 0)
