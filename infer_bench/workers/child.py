"""The worker process's own side: it opens one candidate and does what it is told, until told to stop.

Started as `INTERPRETER -m infer_bench.workers FD [CPUS]`. Threads, environment and affinity are in force before this
module is imported; it imports the standard library, numpy and, through the engine, the engine's library.
"""

import ctypes
import importlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from infer_bench.engines.base import Engine, Session
from infer_bench.engines.session import require
from infer_bench.errors import InferBenchError
from infer_bench.workers import memory, streaming, structure
from infer_bench.workers.converting import convert
from infer_bench.workers.job import Job, job_from
from infer_bench.workers.profiling import Profiling, requests_from
from infer_bench.workers.protocol import Array, Message, receive, send, spec_fields, unpack_columns
from infer_bench.workers.runner import Runner
from infer_bench.workers.shared import placed
from infer_bench.workers.tables import whole_table

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
    """The state of a worker: a session, its rows, and a runner for each batch size."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._columns: dict[str, Array] = {}
        self._runners: dict[int, Runner] = {}
        self._profiling: Profiling | None = None

    def answer(self, message: Message) -> Message:
        """Do what one message asks."""
        handler = getattr(self, f"do_{message.kind}", None)
        if handler is None:
            raise ValueError(f"unknown request {message.kind!r}")
        reply: Message = handler(message)
        return reply

    def do_open(self, message: Message) -> Message:
        """Import the engine's library and load the model."""
        job = job_from(message.fields)
        self._block_imports(job)
        start = time.perf_counter_ns()
        engine = load_engine(job.engine)
        for module in engine.requires:
            require(module, getattr(engine, "extra", ""))
        imported = time.perf_counter_ns()
        self._session = engine.open(job.model, {**job.options, "allow_pickle": "yes" if job.allow_pickle else "no"})
        loaded = time.perf_counter_ns()
        spec = spec_fields(self._session.spec)
        return Message("opened", {"spec": spec, "import_ns": imported - start, "load_ns": loaded - imported})

    def _block_imports(self, job: Job) -> None:
        for name in job.lean:
            # A None entry makes `import name` raise ImportError, which these libraries handle: they go without.
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]

    def do_rows(self, message: Message) -> Message:
        """Take the rows to answer."""
        self._columns = unpack_columns(message)
        self._runners = {}
        return Message("taken")

    def do_first(self, message: Message) -> Message:
        """The first request of this process; `done_ns` is the clock when it was answered."""
        taken = self._runner(message.fields).first()
        return Message("first", {"request_ns": taken, "done_ns": time.perf_counter_ns()})

    def do_domain(self, message: Message) -> Message:
        """Where the model's inputs are interesting."""
        domain = self._open_session().domain()
        thresholds = {name: [_scalar(v) for v in values] for name, values in domain.thresholds.items()}
        return Message("domain", {"thresholds": thresholds, "missing": sorted(domain.missing)})

    def do_warm(self, message: Message) -> Message:
        """Warm up until steady."""
        warmth = self._runner(message.fields).warm(int(message.fields["limit_ns"]))
        fields = {"request_ns": warmth.request_ns, "warmup_ns": warmth.warmup_ns, "steady": warmth.steady}
        floors = {"floor_ns": warmth.floor_ns, "stage_floor_ns": warmth.stage_floor_ns}
        return Message("warm", {**fields, **floors})

    def do_block(self, message: Message) -> Message:
        """One block."""
        fields = message.fields
        block = self._runner(fields).block(int(fields["samples"]), int(fields["calls"]), bool(fields["phases"]))
        arrays = {
            "request": block.request,
            "preprocess": block.stages.preprocess,
            "predict": block.stages.predict,
            "postprocess": block.stages.postprocess,
        }
        counts = {"wall_ns": block.wall_ns, "rows": block.rows, "gc_collections": block.gc_collections}
        return Message("block", counts, arrays)

    def do_answers(self, message: Message) -> Message:
        """The canonical output and the labels of the rows, in order."""
        answers, labels = self._runner(message.fields).answers(int(message.fields["limit_ns"]))
        listed = None if labels is None else [_scalar(label) for label in labels]
        return Message("answers", {"labels": listed}, {"answers": answers})

    def do_table(self, message: Message) -> Message:
        """All rows as one request: answers (rows, outputs), labels, and which rows the library refused (rows,)."""
        found = whole_table(self._open_session(), self._columns)
        labels = None if found.labels is None else [_scalar(label) for label in found.labels]
        return Message("table", {"labels": labels}, {"answers": found.answers, "refused": found.refused})

    def do_stream(self, message: Message) -> Message:
        """One batch of a longer file, which comes with the question."""
        return streaming.stream(self._open_session(), _table(message))

    def do_singly(self, message: Message) -> Message:
        """As `stream`, one request a row."""
        return streaming.singly(self._open_session(), unpack_columns(message))

    def do_single(self, message: Message) -> Message:
        """As `stream`, with a pipeline's steps in float32."""
        return streaming.in_float32(self._open_session(), unpack_columns(message))

    def do_fed(self, message: Message) -> Message:
        """What the session's feed makes of the rows that come with the question."""
        return streaming.fed(self._open_session(), unpack_columns(message))

    def do_convert(self, message: Message) -> Message:
        """Convert a model to the ONNX file `path`; the reply holds the groups of rows to check it on."""
        return convert(message.fields)

    def do_profiling(self, message: Message) -> Message:
        """Get ready to profile: batch size, and the user's own records in place of the rows when there are any."""
        fields = message.fields
        requests = requests_from(fields["records"], self._columns, int(fields["batch"]))
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

    def _runner(self, fields: Mapping[str, Any]) -> Runner:
        batch = int(fields["batch"])
        if batch not in self._runners:
            self._runners[batch] = Runner(self._open_session(), self._columns, batch, time.perf_counter_ns)
        return self._runners[batch]

    def _open_session(self) -> Session:
        if self._session is None:
            raise ValueError("no model was opened")
        return self._session


def _table(message: Message) -> dict[str, Array]:
    """The rows that came with a question, or that it names in shared memory."""
    columns = unpack_columns(message)
    return placed(message, columns) if "shared" in message.fields else columns


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


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
        send(connection, _answer(child, message))


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
        return Message("error", {"type": "EngineError", "message": text[:500]})


def main(arguments: list[str]) -> None:
    """Take over the inherited connection."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(int(arguments[0]))
    serve(connection)
    # Native thread pools may hang or crash while the interpreter is torn down, and nothing is left to save.
    _flush_and_leave()


def _flush_and_leave() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
