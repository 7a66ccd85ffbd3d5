"""Rows a second and CPU time of whole processes."""

from dataclasses import replace

from infer_bench.measure.bench.throughput import compute_cpu, compute_rows_per_s
from infer_bench.report.bench import Process
from tests import reports

MS = 1_000_000


def run_blocks(*wall_ms: int) -> Process:
    """A process that answered ten rows a block, always at work."""
    process = reports.credit()[1].processes[0]
    blocks = [replace(process.rounds[0], rows=10, wall_ns=ms * MS, cpu_ns=ms * MS) for ms in wall_ms]
    return replace(process, rounds=tuple(blocks))


def test_a_slow_row_in_a_few_blocks_counts() -> None:
    processes = [run_blocks(10, 10, 10, 70)] * 3
    assert compute_rows_per_s(processes) == 400.0  # 40 rows in 100 ms, where the median block has 1,000 a second
    assert compute_cpu(processes, 1) == (2_500_000, 1.0)
    assert compute_cpu(processes, 10) == (25_000_000, 1.0)


def test_one_process_of_three_that_was_held_up_counts_for_nothing() -> None:
    assert compute_rows_per_s([run_blocks(10), run_blocks(10), run_blocks(900)]) == 1000.0


def test_without_time_there_is_neither() -> None:
    assert compute_rows_per_s([run_blocks(0)]) == 0.0
    assert compute_cpu([run_blocks(0)], 1) is None
