"""A command of infer-bench in a process of its own, which ends when the process that started it has ended.

A worker of a cluster may be killed at any time, and what it has started would go on for nobody.
"""

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

_GRACE_S = 10.0
"""For a command to end its workers and remove its folders, before it is killed."""


def run_command(words: Sequence[str], folder: str) -> "subprocess.CompletedProcess[bytes]":
    """Run `infer-bench WORDS` in a folder to its end; its stderr is kept, its stdout is not.

    The process reads from a pipe that nothing is written to: it is closed when this process ends, however it does.
    """
    command = [sys.executable, "-m", __name__, *words]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        try:
            stderr = process.stderr.read()  # `communicate` would close the pipe
            return subprocess.CompletedProcess(command, process.wait(), None, stderr)
        except BaseException:
            _end(process)
            raise


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_S)
    process.kill()


def _end_with_starter() -> None:
    """Wait until the pipe is closed, then end this process as if it had been told to."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_starter, daemon=True).start()
    runpy.run_module("infer_bench", run_name="__main__", alter_sys=True)
