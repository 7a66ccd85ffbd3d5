"""Waits that cost no CPU: what is waited for is held up by whoever spins."""

import contextlib
import os
import select
import subprocess
from pathlib import Path
from typing import Any

LOOK_S, LIMIT_S = 0.02, 600
"""How often one looks, and how long is waited for what is sure to come: on a busy machine a start takes long."""


def wait_for_file(path: Path, process: "subprocess.Popen[Any]") -> None:
    """Until the process has written a file, or has ended."""
    while not path.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
            return


def wait_for_child(process: "subprocess.Popen[Any]") -> list[int]:
    """The processes that it has started, as soon as there is one."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        pids = [int(pid) for pid in children.read_text().split()]
        if pids:
            return pids
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
    raise AssertionError("it ended before it started a worker")


def wait_for_end(pid: int) -> None:
    """Until a process that need not be ours has ended."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            assert select.select([descriptor], [], [], LIMIT_S)[0], f"process {pid} goes on"
        finally:
            os.close(descriptor)
