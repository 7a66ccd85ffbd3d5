"""The worker process's own side: it opens one candidate and does what it is told, until told to stop.

Started as `INTERPRETER -m infer_bench.workers FD [CPUS]`. Threads, environment and affinity are in force before this
module is imported; it imports the standard library, numpy and, through the engine, the engine's library.
"""

import ctypes
import importlib
import mmap
import os
import platform
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from infer_bench.engines.base import Engine, Session
from infer_bench.engines.session import require
from infer_bench.errors import InferBenchError
from infer_bench.typing import Array
from infer_bench.workers import memory
from infer_bench.workers.job import Job, job_from
from infer_bench.workers.profiling.runs import Profiling, requests_from
from infer_bench.workers.protocol import Message, receive, send, spec_fields, unpack_columns
from infer_bench.workers.shared import placed
from infer_bench.workers.tasks import predict_batches as streaming
from infer_bench.workers.tasks import read_trees as structure
from infer_bench.workers.tasks.convert import convert
from infer_bench.workers.tasks.predict_table import whole_table
from infer_bench.workers.timing.hosted_session import MARK_BYTES, HostedSession, Table, memory_offset, scalar

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ask Linux to kill this process when the coordinator dies, so that none is left running."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def load_engine(target: str) -> Engine:
    """The engine at `module:Class`, made anew."""
    module, _, name = target.partition(":")
    engine: Engine = getattr(importlib.import_module(module), name)()
    return engine


class Child:
    """The state of a worker: its sessions by number, of which most workers have one."""

    def __init__(self) -> None:
        self._seats: dict[int, HostedSession] = {}
        self._profiling: Profiling | None = None
        self._mark: mmap.mmap | None = None

    def answer(self, message: Message) -> Message:
        """Do what one message asks."""
        handler = getattr(self, f"do_{message.kind}", None)
        if handler is None:
            raise ValueError(f"unknown request {message.kind!r}")
        reply: Message = handler(message)
        return reply

    def do_open(self, message: Message) -> Message:
        """Import the engine's library and load the model."""
        fields = dict(message.fields)
        number, seed = int(fields.pop("seat", 0)), fields.pop("ballast_seed", None)
        if (mark := fields.pop("mark", None)) is not None and self._mark is None:
            self._mark = mmap.mmap(int(mark), MARK_BYTES)
        job = job_from(fields)
        self._block_imports(job)
        start = time.perf_counter_ns()
        engine = load_engine(job.engine)
        for module in engine.requires:
            require(module, getattr(engine, "extra", ""))
        held = memory_offset(seed)
        imported = time.perf_counter_ns()
        session = engine.open(job.model, {**job.options, "allow_pickle": "yes" if job.allow_pickle else "no"})
        loaded = time.perf_counter_ns()
        self._seats[number] = HostedSession(session, held)
        spec = spec_fields(session.spec)
        return Message("opened", {"spec": spec, "import_ns": imported - start, "load_ns": loaded - imported})

    def _block_imports(self, job: Job) -> None:
        for name in job.lean:
            # A None entry makes `import name` raise ImportError, which these libraries handle: they go without.
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]

    def do_rows(self, message: Message) -> Message:
        """Take the rows to answer."""
        self._seat(message).sit(Table(unpack_columns(message)))
        return Message("taken")

    def do_share(self, message: Message) -> Message:
        """Answer the rows of another seat."""
        self._seat(message).sit(self._seats[int(message.fields["of"])].table)
        return Message("taken")

    def do_leave(self, message: Message) -> Message:
        """Close a session, to have its memory back."""
        self._seats.pop(int(message.fields["seat"])).session.close()
        return Message("left")

    def do_first(self, message: Message) -> Message:
        """See `HostedSession.first`."""
        return self._seat(message).first(message.fields)

    def do_domain(self, message: Message) -> Message:
        """See `HostedSession.domain`."""
        return self._seat(message).domain()

    def do_warm(self, message: Message) -> Message:
        """See `HostedSession.warm`."""
        return self._seat(message).warm(message.fields)

    def do_block(self, message: Message) -> Message:
        """See `HostedSession.block`."""
        return self._seat(message).block(message.fields)

    def do_rounds(self, message: Message) -> Message:
        """Several rounds of one block each of several seats, without a word in between.

        `orders` lists the seats of each round in their order, `starts` the request that each begins with; the reply's
        arrays are named `round/seat/phase`, its `counts` are keyed alike. It stops after a round when `limit_ns` have
        passed.
        """
        fields, until = message.fields, time.perf_counter_ns() + int(message.fields["limit_ns"])
        counts: dict[str, Any] = {}
        arrays: dict[str, Array] = {}
        for nth, (order, start) in enumerate(zip(fields["orders"], fields["starts"], strict=True)):
            for number in order:
                self._at_work(int(number))
                told = self._seats[int(number)].block({**fields["shapes"][str(number)], "start": start})
                counts[f"{nth}/{number}"] = told.fields
                arrays |= {f"{nth}/{number}/{name}": array for name, array in told.arrays.items()}
            if time.perf_counter_ns() > until:
                break
        self._at_work(None)
        return Message("rounds", {"counts": counts}, arrays)

    def _at_work(self, seat: int | None) -> None:
        """Note whose block it is where the coordinator finds it, also when this process dies of it."""
        if self._mark is not None:
            self._mark[:] = (0 if seat is None else seat + 1).to_bytes(MARK_BYTES, "little")

    def do_answers(self, message: Message) -> Message:
        """See `HostedSession.predictions`."""
        return self._seat(message).predictions(message.fields)

    def do_plant(self, message: Message) -> Message:
        """See `HostedSession.plant`."""
        return self._seat(message).plant(message.fields)

    def do_about(self, message: Message) -> Message:
        """The interpreter, and the versions of those `packages` that it has."""
        from infer_bench.machine.environment import versions  # 15 ms that few workers need

        packages = versions(message.fields["packages"])
        return Message(
            "about", {"python": platform.python_version(), "executable": sys.executable, "packages": packages}
        )

    def do_table(self, message: Message) -> Message:
        """All rows as one request: answers (rows, outputs), labels, and which rows the library refused (rows,)."""
        found = whole_table(self._open_session(), self._seat(message).table.columns)
        labels = None if found.labels is None else [scalar(label) for label in found.labels]
        return Message("table", {"labels": labels}, {"answers": found.predictions, "refused": found.refused})

    def do_stream(self, message: Message) -> Message:
        """One batch of a longer file, which comes with the question."""
        return streaming.stream(self._open_session(), _table(message))

    def do_singly(self, message: Message) -> Message:
        """As `stream`, one request a row."""
        return streaming.singly(self._open_session(), unpack_columns(message))

    def do_single(self, message: Message) -> Message:
        """As `stream`, with a pipeline's steps in float32."""
        return streaming.in_float32(self._open_session(), unpack_columns(message))

    def do_prepared(self, message: Message) -> Message:
        """What a pipeline's last step is handed."""
        return streaming.prepared(self._open_session(), unpack_columns(message))

    def do_fed(self, message: Message) -> Message:
        """What the session's feed makes of the rows that come with the question."""
        return streaming.fed(self._open_session(), unpack_columns(message))

    def do_convert(self, message: Message) -> Message:
        """Convert a model to the ONNX file `path`; the reply holds the groups of rows to check it on."""
        return convert(message.fields)

    def do_profiling(self, message: Message) -> Message:
        """Get ready to profile: batch size, and the user's own records in place of the rows when there are any."""
        fields = message.fields
        requests = requests_from(fields["records"], self._seat(message).table.columns, int(fields["batch"]))
        function, clock = bool(fields["function"]), time.perf_counter_ns
        self._profiling = Profiling(self._open_session(), requests, function=function, clock=clock)
        return Message("ready", {"requests": len(requests)})

    def do_profile(self, message: Message) -> Message:
        """One run of a profile."""
        if self._profiling is None:
            raise ValueError("not ready to profile")
        return self._profiling.answer(message.fields)

    def do_structure(self, message: Message) -> Message:
        """Read a model's trees, without its library where its format allows that."""
        return structure.read(message.fields)

    def do_memory(self, message: Message) -> Message:
        """Resident memory now and at its peak, in bytes."""
        rss, peak = memory.resident()
        return Message("memory", {"rss_bytes": rss, "peak_rss_bytes": peak})

    def _seat(self, message: Message) -> HostedSession:
        number = int(message.fields.get("seat", 0))
        if number not in self._seats:
            raise ValueError("no model was opened")
        return self._seats[number]

    def _open_session(self) -> Session:
        if 0 not in self._seats:
            raise ValueError("no model was opened")
        return self._seats[0].session


def _table(message: Message) -> dict[str, Array]:
    """The rows that came with a question, or that it names in shared memory."""
    columns = unpack_columns(message)
    return placed(message, columns) if "shared" in message.fields else columns


def serve(connection: Connection) -> None:
    """Answer messages until the coordinator closes or says `close`. An error is a message too, and does not end it."""
    child = Child()
    while True:
        try:
            message = receive(connection)
        except EOFError:
            return
        if message.kind == "close":
            return
        reply = _answer(child, message)
        if connection.closed:  # this is a copy, which the model's code has forked and never ended
            os._exit(0)
        send(connection, reply)


def _answer(child: Child, message: Message) -> Message:
    try:
        return child.answer(message)
    except InferBenchError as error:
        said = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
        return Message("error", {**said, "frames": list(error.frames)})
    except (KeyboardInterrupt, SystemExit) as error:
        return Message("error", {"type": "EngineError", "message": f"the model's code raised {type(error).__name__}"})
    except Exception as error:  # noqa: BLE001 - whatever a stranger's model or library raises costs its row, not the run
        text = " ".join(f"{type(error).__name__}: {error}".split())
        words = "the worker is out of memory" if isinstance(error, MemoryError) else text[:500]
        return Message("error", {"type": "EngineError", "message": words})


def main(arguments: list[str]) -> None:
    """Take over the inherited connection."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(int(arguments[0]))
    # What the model's code starts must not hold the line: a worker that dies is missed at once.
    os.set_inheritable(connection.fileno(), False)
    os.register_at_fork(after_in_child=connection.close)
    serve(connection)
    # Native thread pools may hang or crash while the interpreter is torn down, and nothing is left to save.
    _flush_and_leave()


def _flush_and_leave() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
