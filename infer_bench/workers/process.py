"""The coordinator's side of a worker: start a process, send it requests with a time limit, end it for certain."""

import contextlib
import functools
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, TypeVar

from infer_bench import errors
from infer_bench.machine.exit_codes import describe_exit
from infer_bench.workers.connection import Connection, connect
from infer_bench.workers.job import Job
from infer_bench.workers.protocol import CLOSE, Request, request_frame, response_of
from infer_bench.workers.requests import LoadedModel, LoadModel
from infer_bench.workers.wire import Frame, receive, send

R = TypeVar("R")

DEFAULT_TIMEOUT_S = 120.0
_GRACE_S = 2.0
_TAIL_BYTES = 2_000
_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)
"""What compiled code ends by that did wrong; nobody sends these."""


class Process(Protocol):
    """As much of `subprocess.Popen` as a worker needs of its process."""

    @property
    def pid(self) -> int:
        """Its number, and that of its process group."""

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while nobody has waited for its end."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises `subprocess.TimeoutExpired`."""


class Worker:
    """One candidate in a process of its own. Methods raise `WorkerCrashed` or `WorkerHung` when it does not answer.

    `started_ns` is the clock just before the process was started. `shares` are file descriptors that it inherits.
    """

    def __init__(self, job: Job, *, timeout_s: float = DEFAULT_TIMEOUT_S, shares: Sequence[int] = ()) -> None:
        self.job = job
        self._failure: errors.WorkerError | None = None
        self._timeout_s = timeout_s
        self._killed = False
        self._numbers = itertools.count()
        self._waiting = 0
        command = [job.interpreter or sys.executable, "-P", "-m", "infer_bench.workers"]
        with contextlib.ExitStack() as resources:
            try:
                self._stderr: IO[bytes] = resources.enter_context(tempfile.TemporaryFile())
                ours, theirs = connect()
                self._connection: Connection = resources.enter_context(ours)
                with theirs:
                    self.started_ns = time.perf_counter_ns()
                    self._process = self._start([*command, str(theirs.fileno())], [theirs.fileno(), *shares])
            except (OSError, MemoryError) as error:
                why = getattr(error, "strerror", None) or "out of memory"
                raise errors.WorkerError(f"{command[0]} cannot be started: {why}") from None
            resources.pop_all()  # both live as long as the process

    def _start(self, command: Sequence[str], shares: Sequence[int]) -> Process:
        """The process of that command, which inherits the descriptors: the first one is its connection."""
        return subprocess.Popen(
            [*command, ",".join(map(str, self.job.affinity))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            env={**os.environ, **_bridge(self.job), **self.job.environment},
            cwd=self.job.folder,
            pass_fds=shares,
            start_new_session=True,  # Ctrl-C is for the coordinator, which ends its workers in order
        )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is known to answer no more."""
        return self._connection.closed

    def ask(self, request: Request[R], *, timeout_s: float | None = None) -> R:
        """Send a request and wait for its response. An error that the worker reports is raised here as what it is.

        Responses to earlier requests whose waiting was broken off are passed over.
        """
        if self._connection.closed:
            fate = self._failure.message if self._failure else f"{request.title!r} comes too late"
            raise errors.WorkerCrashed(f"the worker has ended: {fate}")
        number = next(self._numbers)
        frame = request_frame(number, request)
        self._waiting += 1
        try:
            send(self._connection, frame)
        except OSError:
            raise self._crash(request.title) from None
        return self._response(request, number, timeout_s)

    def post(self, request: Request[R], *, timeout_s: float | None = None) -> Callable[[], R]:
        """Send a request ahead of the response to the one before; what is returned waits for its response, in turn.

        It tells also when the worker is gone. For requests of a few kilobytes, which the system takes at once.
        """
        number = next(self._numbers)
        frame = request_frame(number, request)
        self._waiting += 1
        with contextlib.suppress(OSError):
            send(self._connection, frame)
        return functools.partial(self._response, request, number, timeout_s)

    def _response(self, request: Request[R], number: int, timeout_s: float | None = None) -> R:
        limit_s = timeout_s or self._timeout_s
        try:
            frame = self._frame(request, number, limit_s)
            return response_of(request, frame)
        except (EOFError, OSError):
            raise self._crash(request.title) from None
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            self.kill()
            message = f"the worker's answer to {request.title!r} was not understood: {error}"
            self._failure = self._failure or errors.WorkerError(message)
            raise self._failure from None

    def _frame(self, request: Request[Any], number: int, limit_s: float) -> Frame:
        """The frame that answers request `number`."""
        until = time.monotonic() + limit_s
        while self._connection.poll(max(0.0, until - time.monotonic())):
            frame = receive(self._connection)
            self._waiting -= 1
            if frame.number == number:
                return frame
            if frame.number > number:
                raise ValueError("it answers a later request")
        self.kill()
        hint = "raise --timeout, or take less rows"
        self._failure = errors.WorkerHung(f"no answer to {request.title!r} in {limit_s:g} s", hint)
        raise self._failure

    def open(self) -> LoadedModel:
        """Import and load the model of the worker's own job."""
        return self.ask(LoadModel(self.job))

    def close(self) -> None:
        """Ask it to end, and see that it does. One that is at work, since waiting for it was broken off, is killed."""
        if self._connection.closed:
            return
        if self._waiting <= 0:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                send(self._connection, Frame(CLOSE, 0))
                self._process.wait(_GRACE_S)
        self.kill()

    def kill(self) -> None:
        """End the process and whatever it started, which may live on when it has ended itself."""
        if not self._killed:
            self.send_kill()
            self._killed = True
            self._process.wait()
        self._connection.close()
        self._stderr.close()

    def send_kill(self) -> None:
        """Let the process end; `kill` waits for it, while several may be cleared away at the same time."""
        if not self._killed:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _crash(self, title: str) -> errors.WorkerError:
        if self._failure is not None:
            return self._failure
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        line = self._last_line()
        code = self._process.returncode
        self.kill()
        ending = "closed its connection" if code is None else describe_exit(code)
        message = f"the worker {ending} during {title!r}{': ' + line if line else ''}"
        is_fault = code is not None and -code in _FAULTS
        hint = (
            f"the library failed on {self.job.model.name}: see whether another version of it runs it"
            if is_fault
            else ""
        )
        self._failure = errors.WorkerCrashed(message, hint)
        return self._failure

    def _last_line(self) -> str:
        if self._stderr.closed:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _TAIL_BYTES))
        lines = [line.strip() for line in self._stderr.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""


def _bridge(job: Job) -> dict[str, str]:
    """For another environment's interpreter: a folder that holds nothing but this package, put on its path."""
    if not job.interpreter or Path(job.interpreter).absolute() == Path(sys.executable).absolute():
        return {}
    return {"PYTHONPATH": _bridge_folder().name}


@functools.cache
def _bridge_folder() -> "tempfile.TemporaryDirectory[str]":
    folder = tempfile.TemporaryDirectory(prefix="infer-bench-")
    (Path(folder.name) / "infer_bench").symlink_to(Path(__file__).resolve().parent.parent, target_is_directory=True)
    return folder
