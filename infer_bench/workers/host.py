"""What a worker holds: its sessions by number, of which most workers have one, and the profile under way."""

import importlib
import platform
import sys
from collections.abc import Callable, Iterable
from time import perf_counter_ns  # as it is before a user's module replaces it
from typing import TYPE_CHECKING

from infer_bench.engines.base import Engine, Session
from infer_bench.engines.session import require
from infer_bench.workers import memory
from infer_bench.workers.job import Job
from infer_bench.workers.requests import (
    CloseSession,
    DescribeEnvironment,
    ImportEngine,
    LoadedModel,
    LoadModel,
    MeasureMemory,
    ModelDomain,
    ReadDomain,
    ResidentMemory,
    SetRows,
    ShareRows,
    WorkerEnvironment,
)
from infer_bench.workers.timing.cpu_time import read_cpu_ns
from infer_bench.workers.timing.hosted_session import HostedSession, RequestPool, allocate_offset
from infer_bench.workers.timing.requests import TimedBlock, TimedRounds, TimeRounds
from infer_bench.workers.timing.run_queue import count_waiting_ns, read_run_queue_ns
from infer_bench.workers.work_note import WorkNote

if TYPE_CHECKING:
    from infer_bench.workers.profiling.requests import PrepareProfile
    from infer_bench.workers.profiling.runs import Profiling
    from infer_bench.workers.template.requests import ForkedWorkerId, ForkWorker


def load_engine(target: str) -> Engine:
    """The engine at `module:Class`, made anew."""
    module, _, name = target.partition(":")
    engine: Engine = getattr(importlib.import_module(module), name)()
    return engine


def block_imports(modules: Iterable[str]) -> None:
    """Keep modules from being imported."""
    for name in modules:
        # A None entry makes `import name` raise ImportError, which these libraries handle: they go without.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _import_engine(target: str) -> Engine:
    """The engine at `module:Class`, its library imported. Raises `MissingDependency`."""
    engine = load_engine(target)
    for module in engine.requires:
        require(module, getattr(engine, "extra", ""))
    return engine


class Host:
    """The state of a worker, and the requests that regard it as a whole.

    `serve` is what a worker does that is forked from this one: answer on the connection of that descriptor, and end
    with the process of that number.
    """

    def __init__(self, serve: Callable[[int, int], None] | None = None) -> None:
        self._serve = serve
        self._sessions: dict[int, HostedSession] = {}
        self._profiling: Profiling | None = None
        self._note: WorkNote | None = None

    def session(self, number: int) -> HostedSession:
        """A session by its number. Raises `ValueError` where none was opened."""
        if number not in self._sessions:
            raise ValueError("no model was opened")
        return self._sessions[number]

    @property
    def profiling(self) -> "Profiling":
        """The profile under way. Raises `ValueError` where there is none."""
        if self._profiling is None:
            raise ValueError("not ready to profile")
        return self._profiling

    def import_engine(self, request: ImportEngine) -> None:
        """See `ImportEngine`."""
        _import_engine(request.engine)

    def load_model(self, request: LoadModel) -> LoadedModel:
        """See `LoadModel`."""
        if request.work_note is not None and self._note is None:
            self._note = WorkNote(request.work_note)
        job = request.job
        block_imports(job.lean)
        start = perf_counter_ns()
        engine = _import_engine(job.engine)
        offset = allocate_offset(request.offset_seed)
        queued_start, cpu_start, import_end = read_run_queue_ns(), read_cpu_ns(), perf_counter_ns()
        model = open_model(engine, job)
        load_ns, cpu_ns = perf_counter_ns() - import_end, read_cpu_ns() - cpu_start
        queued_ns = (read_run_queue_ns() or 0) - (queued_start or 0)
        self._sessions[request.session] = HostedSession(model, offset)
        return LoadedModel(model.spec, import_end - start, load_ns, count_waiting_ns(queued_ns, load_ns, cpu_ns))

    def set_rows(self, request: SetRows) -> None:
        """See `SetRows`."""
        session = self.session(request.session)
        spec = session.model.spec
        session.set_pool(RequestPool(request.columns, spec.inputs if spec.inputs or spec.features else request.inputs))

    def share_rows(self, request: ShareRows) -> None:
        """See `ShareRows`."""
        self.session(request.session).set_pool(self.session(request.source).pool)

    def close_session(self, request: CloseSession) -> None:
        """See `CloseSession`."""
        self._sessions.pop(request.session).model.close()

    def read_domain(self, request: ReadDomain) -> ModelDomain:
        """See `ReadDomain`."""
        domain = self.session(request.session).model.domain()
        return ModelDomain({name: tuple(map(float, cuts)) for name, cuts in domain.thresholds.items()}, domain.rows)

    def time_rounds(self, request: TimeRounds) -> TimedRounds:
        """See `TimeRounds`."""
        until = perf_counter_ns() + request.limit_ns
        rounds: list[tuple[TimedBlock, ...]] = []
        for plan in request.rounds:
            blocks = []
            for block in plan:
                self._note_work(block.session)
                blocks.append(self.session(block.session).time_block(block))
            rounds.append(tuple(blocks))
            if perf_counter_ns() > until:
                break
        self._note_work(None)
        return TimedRounds(tuple(rounds))

    def _note_work(self, session: int | None) -> None:
        if self._note is not None:
            self._note.write(session)

    def prepare_profile(self, request: "PrepareProfile") -> None:
        """See `PrepareProfile`."""
        from infer_bench.workers.profiling.runs import Profiling

        session = self.session(request.session)
        requests = list(request.records) or session.pool.requests(request.batch)
        self._profiling = Profiling(session.model, requests, function=request.function, clock=perf_counter_ns)

    def fork_worker(self, request: "ForkWorker") -> "ForkedWorkerId":
        """See `ForkWorker`."""
        from infer_bench.workers.template.forking import fork_worker

        if self._serve is None:
            raise ValueError("nobody would serve it")
        return fork_worker(request, self._serve)

    def measure_memory(self, _: MeasureMemory) -> ResidentMemory:
        """See `MeasureMemory`."""
        return ResidentMemory(*memory.resident())

    def describe_environment(self, request: DescribeEnvironment) -> WorkerEnvironment:
        """See `DescribeEnvironment`."""
        from infer_bench.machine.environment import find_versions  # 15 ms that few workers need

        return WorkerEnvironment(platform.python_version(), sys.executable, find_versions(request.packages))


def open_model(engine: Engine, job: Job) -> Session:
    """Load the model of `job`. Raises `ModelError` or `EngineError`."""
    return engine.open(job.model, {**job.options, "allow_pickle": "yes" if job.allow_pickle else "no"})
