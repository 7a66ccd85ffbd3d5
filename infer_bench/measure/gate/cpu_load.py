"""CPU load: processes that keep the cores busy while something else is measured."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

MOST_S = 6 * 3600


@contextlib.contextmanager
def keep_busy(count: int) -> Iterator[list[int]]:
    """So many processes that do nothing but use a CPU, by their numbers; they end with this one, or after hours."""
    loop = f"import os, time\nend, parent = time.monotonic() + {MOST_S}, {os.getpid()}\n"
    loop += "while time.monotonic() < end and os.getppid() == parent:\n    for _ in range(1_000_000): pass"
    processes = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(count)]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
