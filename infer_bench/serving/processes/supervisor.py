"""The process that watches: it starts the workers, starts those anew that die, and ends them in order.

A model that crashes takes its worker with it, and the requests in that worker; connections that nobody has accepted yet
wait in the socket, which the process that watches holds.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection as Wakeup
from multiprocessing.connection import wait
from typing import Any

from infer_bench.errors import CannotRun
from infer_bench.machine.environment import thread_environment
from infer_bench.machine.exit_codes import describe_exit
from infer_bench.serving.processes.memory import create_memory
from infer_bench.serving.processes.plan import Ready, ServerPlan, WorkerPlan
from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.connection import Connection, connect
from infer_bench.workers.protocol import FAILURE, Failure
from infer_bench.workers.wire import Frame, receive, send

FIRST_DELAY_S, LONGEST_DELAY_S = 0.25, 30.0
SOUND_AFTER_S = 60.0
"""A worker that has lived so long is started at once when it dies."""
_GRACE_S = 5.0
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))

Tell = Callable[[str], None]


def restart_delay_s(failures: int) -> float:
    """How long to wait before a worker is started for the next time, after so many short lives in a row."""
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (failures - 1)) if failures else 0.0


class WorkerSlot:
    """One worker after the other, all of the same number."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self.process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None
        self.ready: Ready | None = None
        self.failures = 0
        self.start_at_s = 0.0
        self._started_s = 0.0

    def start(self) -> None:
        """Start a process. Raises `CannotRun` when the system refuses."""
        ours, theirs = connect()
        descriptors = (theirs.fileno(), self._plan.socket, self._plan.memory)
        threads = self._plan.server.settings.threads
        with theirs:
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "infer_bench.serving", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    # ONNX Runtime 1.32 else reports to its maker, and warns where it cannot keep an id for that.
                    env={"ORT_DISABLE_TELEMETRY": "1", **os.environ, **thread_environment(threads)},
                    pass_fds=descriptors,
                    # Ctrl-C is for the process that watches. Not a session: Linux schedules each as one group, and
                    # a server apart from its clients took 1.4 times the CPU time, in caches that went cold.
                    process_group=0,
                )
            except OSError as error:
                ours.close()
                raise CannotRun(f"{sys.executable} cannot be started: {error.strerror}") from None
        self.connection, self.ready, self._started_s = ours, None, time.monotonic()
        with contextlib.suppress(OSError):
            send(ours, Frame("plan", 0, *pack(self._plan)))

    def hear(self) -> None:
        """Take what the worker says. Raises what keeps it from serving, EOFError when it is gone."""
        assert self.connection is not None
        frame = receive(self.connection)
        if frame.kind == FAILURE:
            raise unpack(Failure, frame.body, frame.arrays).error()
        self.ready = unpack(Ready, frame.body, frame.arrays)

    def bury(self) -> str:
        """See that the process is gone; gives how it ended, in words, and when to start the next is set."""
        assert self.process is not None
        assert self.connection is not None
        self.connection.close()
        try:
            code = self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        lived_s = time.monotonic() - self._started_s
        self.failures = 0 if self.ready is not None and lived_s > SOUND_AFTER_S else self.failures + 1
        self.start_at_s = time.monotonic() + restart_delay_s(self.failures)
        self.process = self.connection = None
        return describe_exit(code)

    def terminate(self) -> None:
        """Ask it to drain."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and what it has started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """Keeps the workers of a plan running on a bound socket until a signal asks for the end.

    `tell` is given what a person should know; `tell_ready` is called when the port is open, with what the first worker
    says.
    """

    def __init__(
        self, plan: ServerPlan, listener: socket.socket, *, tell: Tell, tell_ready: Callable[[Ready], None]
    ) -> None:
        self._plan, self._listener = plan, listener
        self._tell, self._tell_ready = tell, tell_ready
        memory = create_memory(plan.workers)
        self._slots = [WorkerSlot(WorkerPlan(plan, i, listener.fileno(), memory)) for i in range(plan.workers)]
        self._open = False

    def run(self) -> None:
        """Serve. Raises what keeps the first workers from serving, and ends in order on SIGTERM and Ctrl-C."""
        with _signals() as wakeup:
            try:
                while not self._watch(wakeup):
                    pass
                self._drain(wakeup)
            finally:
                for slot in self._slots:
                    slot.kill()

    def _watch(self, wakeup: Wakeup) -> bool:
        """Start who is due, and hear what happens next; whether the end was asked for."""
        now = time.monotonic()
        for slot in self._slots:
            if slot.process is None and now >= slot.start_at_s:
                slot.start()
        due = [slot.start_at_s - now for slot in self._slots if slot.process is None]
        by_descriptor = {slot.connection.fileno(): slot for slot in self._slots if slot.connection is not None}
        events = wait([wakeup, *by_descriptor], max(0.0, min(due)) if due else None)
        if wakeup in events:
            return True
        for event in events:
            self._hear(by_descriptor[event])  # type: ignore[index]
        return False

    def _hear(self, slot: WorkerSlot) -> None:
        try:
            slot.hear()
        except (EOFError, OSError, ValueError):
            end = slot.bury()
            if not self._open:
                raise CannotRun(f"the server's process {end} while it loaded the model") from None
            self._tell(f"a worker {end}; it is started anew in {restart_delay_s(slot.failures):g} s")
            return
        except Exception as error:
            if not self._open:
                raise
            slot.bury()
            self._tell(f"a worker cannot serve: {error}; it is tried again in {restart_delay_s(slot.failures):g} s")
            return
        if not self._open and slot.ready is not None:
            self._open = True
            self._tell_ready(slot.ready)

    def _drain(self, wakeup: Wakeup) -> None:
        """Refuse new connections, and let the workers end what they have; the next signal, or the time, ends them."""
        wakeup.recv_bytes()
        self._listener.close()
        for slot in self._slots:
            slot.terminate()
        until = time.monotonic() + self._plan.drain_s + _GRACE_S
        pending = {slot.connection.fileno(): slot for slot in self._slots if slot.connection is not None}
        while pending and (rest_s := until - time.monotonic()) > 0:
            events = wait([wakeup, *pending], rest_s)
            if wakeup in events:
                return
            for event in events:
                try:
                    pending[event].hear()  # type: ignore[index]
                except Exception:  # noqa: BLE001 - it is gone, or about to be: what it says of that is of no use any more
                    pending.pop(event).kill()  # type: ignore[arg-type]


@contextlib.contextmanager
def _signals() -> Iterator[Wakeup]:
    """What can be read once a signal has asked for the end. A signal that is ignored (`nohup`) stays so."""
    reader, writer = Pipe(duplex=False)
    before: dict[int, Any] = {}

    def ask(number: int, _: object) -> None:
        with contextlib.suppress(OSError):
            writer.send_bytes(bytes([number]))

    try:
        with contextlib.suppress(ValueError):  # of a thread that is not the main one
            for number in _SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    before[number] = signal.signal(number, ask)
        yield reader
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()
