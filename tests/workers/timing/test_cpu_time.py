"""What a process and its children worked."""

import subprocess
import sys
import time

from infer_bench.workers.timing.cpu_time import read_cpu_ns


def test_a_child_that_was_waited_for_counts() -> None:
    start_ns, own_start_ns = read_cpu_ns(), time.process_time_ns()
    subprocess.run([sys.executable, "-S", "-c", "sum(range(10**6))"], check=True)
    own_ns = time.process_time_ns() - own_start_ns
    assert read_cpu_ns() - start_ns > own_ns
