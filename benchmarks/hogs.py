"""CPU hogs: processes that keep the cores busy while something else is measured."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def hogs(count: int) -> Iterator[None]:
    """Keep `count` busy loops running; each ends by itself after an hour at the latest."""
    loop = "import time\nend = time.monotonic() + 3600\nwhile time.monotonic() < end: pass"
    running = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
