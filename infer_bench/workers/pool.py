"""The coordinator's side of a worker: start a process, ask it things with a time limit, end it for certain."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from infer_bench import errors
from infer_bench.typing import Array
from infer_bench.workers.job import Job
from infer_bench.workers.protocol import Message, pack_columns, receive, send

DEFAULT_TIMEOUT_S = 120.0
_GRACE_S = 2.0
_TAIL_BYTES = 2_000


class Worker:
    """One candidate in a process of its own. Methods raise `WorkerCrashed` or `WorkerHung` when it does not answer.

    `started_ns` is the clock just before the process was started. `shares` are file descriptors that it inherits.
    """

    def __init__(self, job: Job, *, timeout_s: float = DEFAULT_TIMEOUT_S, shares: Sequence[int] = ()) -> None:
        self.job = job
        self._failure: errors.WorkerError | None = None
        self._timeout_s = timeout_s
        self._killed = False
        command = [job.interpreter or sys.executable, "-P", "-m", "infer_bench.workers"]
        with contextlib.ExitStack() as held:
            try:
                self._stderr: IO[bytes] = held.enter_context(tempfile.TemporaryFile())
                ours, theirs = Pipe()
                self._connection: Connection = held.enter_context(ours)
                with theirs:
                    self.started_ns = time.perf_counter_ns()
                    self._process = self._start([*command, str(theirs.fileno())], [theirs.fileno(), *shares])
            except (OSError, MemoryError) as error:
                why = getattr(error, "strerror", None) or "out of memory"
                raise errors.WorkerError(f"{command[0]} cannot be started: {why}") from None
            held.pop_all()  # both live as long as the process

    def _start(self, command: Sequence[str], shares: Sequence[int]) -> "subprocess.Popen[bytes]":
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
    def ended(self) -> bool:
        """Whether it is known to answer no more."""
        return self._connection.closed

    def ask(self, kind: str, *, timeout_s: float | None = None, **fields: Any) -> Message:
        """Say one thing and wait for its answer. An error that the worker reports is raised here as what it is."""
        self.say(Message(kind, fields))
        return self.hear(kind, timeout_s)

    def say(self, message: Message) -> None:
        """Send without waiting."""
        if self._connection.closed:
            fate = self._failure.message if self._failure else f"{message.kind!r} comes too late"
            raise errors.WorkerCrashed(f"the worker has ended: {fate}")
        try:
            send(self._connection, message)
        except OSError:
            raise self._crashed(message.kind) from None

    def post(self, message: Message) -> None:
        """Send a question ahead of the answer to the one before; `hear` tells when the worker is gone.

        For messages of a few kilobytes, which the system takes at once.
        """
        with contextlib.suppress(OSError, TypeError):  # TypeError: another thread has just closed it
            send(self._connection, message)

    def hear(self, kind: str, timeout_s: float | None = None) -> Message:
        """Wait for the answer to `kind`."""
        limit = timeout_s or self._timeout_s
        try:
            if not self._connection.poll(limit):
                self.kill()
                hint = "raise --timeout, or take less rows"
                self._failure = errors.WorkerHung(f"no answer to {kind!r} in {limit:g} s", hint)
                raise self._failure
            reply = receive(self._connection)
        except (EOFError, OSError):
            raise self._crashed(kind) from None
        except (ValueError, KeyError, TypeError) as error:
            self.kill()
            said = f"the worker's answer to {kind!r} was not understood: {error}"
            self._failure = self._failure or errors.WorkerError(said)
            raise self._failure from None
        if reply.kind == "error":
            raise _error(reply.fields)
        return reply

    def open(self, job: Job | None = None, **seat: Any) -> Message:
        """Import and load; the reply holds `spec`, `import_ns` and `load_ns`.

        A worker may hold several sessions: then each is another `job` with its number `seat`.
        """
        return self.ask("open", **(job or self.job).fields(), **seat)

    def rows(self, columns: Mapping[str, Array], seat: int = 0) -> None:
        """Hand over the rows that the session `seat` is to answer."""
        message = pack_columns(columns)
        self.say(replace(message, fields={**message.fields, "seat": seat}))
        self.hear("rows")

    def put(self, kind: str, columns: Mapping[str, Array]) -> Message:
        """Hand over rows with a question on them alone, and wait for its answer."""
        self.say(replace(pack_columns(columns), kind=kind))
        return self.hear(kind)

    def close(self) -> None:
        """Ask it to end, and see that it does."""
        if self._connection.closed:
            return
        with contextlib.suppress(errors.WorkerError, subprocess.TimeoutExpired):
            self.say(Message("close"))
            self._process.wait(_GRACE_S)
        self.kill()

    def kill(self) -> None:
        """End the process and whatever it started, which may live on when it has ended itself."""
        if not self._killed:
            self._killed = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._connection.close()
        self._stderr.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _crashed(self, kind: str) -> errors.WorkerError:
        if self._failure is not None:
            return self._failure
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        said = self._last_words()
        code = self._process.returncode
        self.kill()
        self._failure = errors.WorkerCrashed(f"the worker {_ended(code)} during {kind!r}{': ' + said if said else ''}")
        return self._failure

    def _last_words(self) -> str:
        if self._stderr.closed:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _TAIL_BYTES))
        lines = [line.strip() for line in self._stderr.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""


def _ended(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _error(fields: Mapping[str, Any]) -> errors.InferBenchError:
    kind = getattr(errors, str(fields.get("type")), errors.EngineError)
    # Made without __init__: some of these take other arguments, and the worker has already worded the message.
    error: errors.InferBenchError = kind.__new__(kind)
    errors.InferBenchError.__init__(error, str(fields.get("message")), str(fields.get("hint", "")))
    error.frames = tuple(str(frame) for frame in fields.get("frames", ()))
    return error


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
