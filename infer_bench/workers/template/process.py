"""The coordinator's side of a template and of the workers that it forks."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from threading import Lock

from infer_bench.errors import InferBenchError
from infer_bench.workers.job import Job
from infer_bench.workers.process import Worker
from infer_bench.workers.template.requests import ForkWorker, ImportLibraries, ReapWorker


class Template:
    """A worker that opens no model: it imports libraries and forks other workers, which end with it.

    Raises `WorkerError` as a worker does. May be used by several threads.
    """

    def __init__(self, job: Job, *, timeout_s: float) -> None:
        self._lock = Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._number = theirs.fileno()
            self._worker = Worker(job, timeout_s=timeout_s, shares=[self._number])

    def import_libraries(self, modules: Sequence[str]) -> str:
        """Import modules; returns the one that started a thread, so that it cannot be forked any more, if one did."""
        with self._lock:
            return self._worker.ask(ImportLibraries(tuple(modules))).obstacle

    def fork(self, connection: int, stderr: int) -> int:
        """Fork a worker that owns these two descriptors; returns its process number."""
        with self._lock:
            with contextlib.suppress(OSError):  # it has ended, which the worker tells better
                socket.send_fds(self._control, [b"f"], [connection, stderr])
            return self._worker.ask(ForkWorker(self._number)).pid

    def reap(self, pid: int) -> int:
        """The exit code of a worker that has ended."""
        with self._lock:
            return self._worker.ask(ReapWorker(pid)).code

    def close(self) -> None:
        """End it, and so all that it forked."""
        self._worker.kill()
        self._control.close()


class ForkedProcess:
    """The process of a forked worker: the template's child, and not ours."""

    def __init__(self, pid: int, template: Template) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._template = template
        self._lock = Lock()
        self._end = os.pidfd_open(pid)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal. Raises `subprocess.TimeoutExpired`."""
        with self._lock:
            if self.returncode is None:
                if not select.select([self._end], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("worker", timeout or 0.0)
                os.close(self._end)
                self.returncode = -signal.SIGKILL
                with contextlib.suppress(InferBenchError):  # the template was killed, and its workers with it
                    self.returncode = self._template.reap(self.pid)
            return self.returncode


class ForkedWorker(Worker):
    """A worker that a template forks, and that is told and ended like any other."""

    def __init__(self, template: Template, job: Job, *, timeout_s: float) -> None:
        self._template = template
        super().__init__(job, timeout_s=timeout_s)

    def _start(self, command: Sequence[str], shares: Sequence[int]) -> ForkedProcess:
        return ForkedProcess(self._template.fork(shares[0], self._stderr.fileno()), self._template)


def can_fork_workers() -> bool:
    """Whether this system ends forked workers with their template, and tells of their end."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True
