"""Layouts without processes: sessions answer at once and spend the time that they would have taken on a clock."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np

from infer_bench.errors import EngineError, InferBenchError, WorkerCrashed, WorkerError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.spec import parse
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.layouts import Announce, Layout, OpenSession
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.measure.schedule.sequential import Pair, Sequential, candidates_of
from infer_bench.measure.settings import Settings
from infer_bench.model import Feature, ModelRef, ModelSpec
from infer_bench.progress import Silent
from infer_bench.report.bench import Process
from infer_bench.workers.process import Worker
from infer_bench.workers.protocol import R, Request, SessionRequest
from infer_bench.workers.requests import DescribeEnvironment, MeasureMemory, ResidentMemory, WorkerEnvironment
from infer_bench.workers.timing.requests import (
    MakeRequests,
    PredictRows,
    RowPredictions,
    TimeBlock,
    TimedBlock,
    TimedRounds,
    TimeRounds,
    Warmth,
    WarmUp,
)
from tests.fakes import FakeClock, FakeEngine

SPEC = ModelSpec("binary", (Feature("a"), Feature("b")), ("yes",), ("no", "yes"))
S, MS, US = 1_000_000_000, 1_000_000, 1_000


@dataclass
class FakeHostedSession:
    """A session whose requests take `request_ns`. `deaths`: at what it fails, `starts`: the rows it began with."""

    request_ns: int
    deaths: tuple[str, ...] = ()
    starts: list[int] = field(default_factory=list)


@dataclass
class FakeWorker:
    """Responds as a worker does, and spends the time on the clock."""

    clock: FakeClock
    sessions: dict[int, FakeHostedSession] = field(default_factory=dict)
    death: type[InferBenchError] = EngineError
    has_ended: bool = False

    def ask(self, request: Request[R], *, timeout_s: float | None = None) -> R:
        if self.has_ended:
            raise WorkerCrashed("the worker has ended")
        return cast(R, self.respond(request))

    def post(self, request: Request[R], *, timeout_s: float | None = None) -> Callable[[], R]:
        return partial(self.ask, request, timeout_s=timeout_s)

    def respond(self, request: Request[Any]) -> object:
        match request:
            case TimeRounds():
                return self.time_rounds(request)
            case SessionRequest():
                return self.respond_in(self.sessions[request.session], request)
        raise AssertionError(request)

    def respond_in(self, session: FakeHostedSession, request: SessionRequest[Any]) -> object:
        if request.title in session.deaths:
            self.has_ended = issubclass(self.death, WorkerError)
            raise self.death(f"no more {request.title}")
        match request:
            case DescribeEnvironment():
                return WorkerEnvironment("3.11.9", "/python", {"numpy": "2.0"})
            case MeasureMemory():
                return ResidentMemory(100, 200)
            case MakeRequests():
                return None
            case PredictRows():
                return RowPredictions(np.zeros((4, 1)), None)
            case WarmUp():
                self.clock.spend(max(3 * session.request_ns, request.limit_ns))
                return Warmth(session.request_ns, 1, True, 40, 40)
            case TimeBlock():
                return self.time_block(session, request)
        raise AssertionError(request)

    def time_block(self, session: FakeHostedSession, plan: TimeBlock) -> TimedBlock:
        assert plan.start is not None
        session.starts.append(plan.start)
        requests = plan.samples * plan.calls
        self.clock.spend((requests + 1) * session.request_ns)
        samples = np.full(plan.samples, plan.calls * session.request_ns, dtype=np.int64)
        none = np.zeros(0, dtype=np.int64)
        return TimedBlock(samples, none, none, none, requests * session.request_ns, requests, 0)

    def time_rounds(self, request: TimeRounds) -> TimedRounds:
        rounds, until = [], self.clock.now + request.limit_ns
        for plans in request.rounds:
            rounds.append(tuple(self.ask(plan) for plan in plans))
            if self.clock.now > until:
                break
        return TimedRounds(tuple(rounds))


class FakeLayoutSource:
    """Every session takes `load_ns` to open, a quarter of it waiting for a CPU.

    Where `restarts` is not set all sit in one worker.
    """

    def __init__(
        self,
        clock: FakeClock,
        request_ns: Callable[[Candidate], int],
        *,
        restarts: bool = False,
        load_ns: int = 2 * MS,
        deaths: Mapping[str, tuple[str, ...]] | None = None,
        death: type[InferBenchError] = EngineError,
        running_session: int | None = None,
    ) -> None:
        self._death = death
        self._running_session = running_session
        self.restarts = self.owns_memory = restarts
        self.layouts: list[list[str]] = []
        self.starts: dict[str, list[int]] = {}
        self.is_closed = False
        self._clock, self._request_ns, self._load_ns, self._deaths = clock, request_ns, load_ns, deaths or {}

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        return {e.key: EngineError("cannot open") for e in candidates if "open" in self._deaths.get(e.label, ())}

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> Iterator[Layout]:
        self.layouts.append([candidate.label for candidate in candidates])
        layout, worker = Layout(), FakeWorker(self._clock, death=self._death)
        for number, candidate in enumerate(candidates):
            self._clock.spend(self._load_ns)
            worker = FakeWorker(self._clock, death=self._death) if self.restarts else worker
            starts = self.starts.setdefault(candidate.label, [])
            worker.sessions[number] = FakeHostedSession(
                self._request_ns(candidate), self._deaths.get(candidate.label, ()), starts
            )
            process = Process(index, 0, 0, 0, self._load_ns, 0, load_waiting_ns=self._load_ns // 4)
            layout.sessions[candidate.key] = OpenSession(cast(Worker, worker), number, process)
            layout.specs[candidate.key] = SPEC
        yield layout

    def running_session(self) -> int | None:
        return self._running_session

    def close(self) -> None:
        self.is_closed = True


def candidate(label: str, model: str = "m.onnx") -> Candidate:
    """Someone who takes part."""
    ref = ModelRef(model, "onnx", "onnx", "", 1000)
    return Candidate(label, parse("fake"), FakeEngine(), "tests.fakes:FakeEngine", {}, ref, ref, True)


@dataclass
class FakeGate:
    """A schedule of pairs on fake layouts, with all that it fills."""

    pairs: list[Pair]
    source: FakeLayoutSource
    settings: Settings
    clock: FakeClock
    samples: int = 200

    def __post_init__(self) -> None:
        self.measurements = Measurements(candidates_of(self.pairs), self.settings.batches)
        self.budget = Budget(round(self.settings.limit_s * S), self.clock)

    def run(self, undecided: Callable[[], list[Pair]] | None = None) -> None:
        """Measure; nothing is ever decided unless `undecided` says so."""
        rule = Sequential(
            self.pairs,
            undecided or (lambda: self.pairs),
            self.measurements,
            self.budget,
            self.settings,
            samples=self.samples,
            restarts=self.source.restarts,
            layouts=(14, 18),
        )
        packages = ("numpy",)
        Scheduler(self.measurements, self.source, rule, self.budget, self.settings, Silent(), packages).run(
            lambda: None
        )


def gate(count: int, source: FakeLayoutSource, clock: FakeClock, **settings: Any) -> FakeGate:
    """So many candidates against one baseline."""
    base = candidate("base", "old.onnx")
    pairs = [Pair(candidate(f"new{n}"), base) for n in range(count)]
    return FakeGate(pairs, source, Settings(**settings), clock)
