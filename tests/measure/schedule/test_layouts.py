"""Where sessions live: how one worker holds several, what they share, and when the oldest must leave."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
import pytest

from infer_bench.errors import EngineError, WorkerCrashed, WorkerHung
from infer_bench.measure.candidates import early_openings
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.schedule import fresh_processes, reloaded_sessions
from infer_bench.measure.schedule.fresh_processes import FreshProcesses
from infer_bench.measure.schedule.layouts import InjectedDelay, fits_one_worker
from infer_bench.measure.schedule.reloaded_sessions import ReloadedSessions
from infer_bench.measure.schedule.starts import StartPlan
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.workers.job import Job
from infer_bench.workers.protocol import Request
from infer_bench.workers.requests import (
    CloseSession,
    LoadedModel,
    LoadModel,
    MeasureMemory,
    ResidentMemory,
    SetRows,
    ShareRows,
)
from infer_bench.workers.timing.requests import FirstRequest, InjectDelay, TimeFirstRequest
from tests.measure.fake_layouts import SPEC, candidate

Q = TypeVar("Q", bound=Request[Any])
OLD, NEW = candidate("fake", "old.onnx"), candidate("fake", "new.onnx")
ROWS = {"a": np.zeros(3)}


class FakeWorker:
    """Notes what it is told; `grow` bytes are held by every session that is open."""

    instances: list["FakeWorker"]
    grow = 0
    unopenable = ""
    fatal = ""
    slow = ""

    def __init__(self, job: Job, *, timeout_s: float, shares: Sequence[int] = ()) -> None:
        self.instances.append(self)
        self.has_ended = False
        self.job, self.started_ns, self.killed, self.pid = job, 0, False, len(self.instances)
        self.log: list[Request[Any]] = []
        self.open_sessions: set[int] = set()

    def open(self) -> Any:
        return self.ask(LoadModel(self.job))

    def ask(self, request: Request[Any], *, timeout_s: float | None = None) -> Any:
        self.log.append(request)
        if timeout_s is not None and self.job.model.path == self.slow:
            raise WorkerHung("no answer")
        match request:
            case LoadModel():
                return self.load(request)
            case CloseSession():
                self.open_sessions.remove(request.session)
            case MeasureMemory():
                return ResidentMemory(self.grow * len(self.open_sessions), 0)
            case TimeFirstRequest():
                return FirstRequest(1, 9)
        return None

    def post(self, request: Request[Any], *, timeout_s: float | None = None) -> Callable[[], Any]:
        return partial(self.ask, request, timeout_s=timeout_s)

    def load(self, request: LoadModel) -> LoadedModel:
        model = request.job.model.path
        if model == self.unopenable:
            raise EngineError("cannot be opened")
        if model == self.fatal:
            self.has_ended = True
            raise WorkerCrashed("the worker was killed")
        self.open_sessions.add(request.session)
        return LoadedModel(SPEC, 1, 2)

    def send_kill(self) -> None:
        """`kill` does it."""

    def kill(self) -> None:
        self.killed = True

    def __enter__(self) -> "FakeWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def requests(self, kind: type[Q]) -> list[Q]:
        return [request for request in self.log if isinstance(request, kind)]


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> list[FakeWorker]:
    instances: list[FakeWorker] = []
    monkeypatch.setattr(FakeWorker, "instances", instances, raising=False)
    for module in (fresh_processes, reloaded_sessions, early_openings):
        monkeypatch.setattr(module, "Worker", FakeWorker)
    return instances


def ignore(opening: Candidate) -> None:
    """Tell nobody."""


def open_layouts(source: FreshProcesses | ReloadedSessions, count: int = 3) -> list[list[str]]:
    """Open so many; who could be, in the order they were."""
    labels = []
    for index in range(count):
        with source.layout(index, [OLD, NEW], ignore) as layout:
            labels.append([key[0] for key in layout.sessions])
    return labels


def test_sessions_of_one_worker_share_their_rows_and_each_has_a_number_and_a_memory_offset(
    workers: list[FakeWorker],
) -> None:
    source = ReloadedSessions({OLD.key: ROWS, NEW.key: ROWS}, Settings(), {})
    assert source.prepare([OLD, NEW]) == {}
    open_layouts(source)
    (worker,) = workers
    models = worker.requests(LoadModel)
    assert [one.session for one in models] == list(range(8))
    assert len({one.offset_seed for one in models}) == 8
    assert [one.session for one in worker.requests(SetRows)] == [0]
    assert [(one.session, one.source) for one in worker.requests(ShareRows)] == [(number, 0) for number in range(1, 8)]
    source.close()
    assert worker.killed


def test_other_rows_are_handed_over_once_each(workers: list[FakeWorker]) -> None:
    with contextlib.closing(ReloadedSessions({OLD.key: ROWS, NEW.key: {"a": np.ones(3)}}, Settings(), {})) as source:
        open_layouts(source)
    assert len(workers[0].requests(SetRows)) == 2
    assert len(workers[0].requests(ShareRows)) == 4


def test_the_oldest_sessions_leave_when_memory_runs_short_but_not_those_that_hold_the_rows(
    workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "grow", 300_000_000)
    with contextlib.closing(ReloadedSessions({OLD.key: ROWS, NEW.key: ROWS}, Settings(), {})) as source:
        open_layouts(source, 6)
    assert len(workers[0].open_sessions) == 3
    assert 0 in workers[0].open_sessions
    assert [one.session for one in workers[0].requests(CloseSession)] == sorted(range(1, 10))


def test_memory_that_cannot_be_freed_does_not_keep_it_from_going_on(
    workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "grow", 10**12)
    with contextlib.closing(ReloadedSessions({OLD.key: ROWS, NEW.key: ROWS}, Settings(), {})) as source:
        assert len(open_layouts(source, 3)) == 3


def test_the_order_is_random_and_the_same_for_a_seed() -> None:
    columns = {OLD.key: ROWS, NEW.key: ROWS}
    orders = []
    for seed in (1, 1, 2):
        with contextlib.closing(ReloadedSessions(columns, Settings(seed=seed), {})) as source:
            orders.append(open_layouts(source, 12))
    assert orders[0] == orders[1] != orders[2]
    assert {tuple(order) for order in orders[0]} == {("old.onnx", "new.onnx"), ("new.onnx", "old.onnx")}


@pytest.mark.parametrize("kind", [FreshProcesses, ReloadedSessions])
def test_whoever_cannot_be_opened_is_told_and_the_other_is_there(
    kind: type[FreshProcesses] | type[ReloadedSessions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "unopenable", "new.onnx")
    source = kind({OLD.key: ROWS, NEW.key: ROWS}, Settings(), {})
    with contextlib.closing(source), source.layout(0, [OLD, NEW], ignore) as layout:
        assert list(layout.sessions) == [OLD.key]
        assert list(layout.failures) == [NEW.key]
    with contextlib.closing(ReloadedSessions({OLD.key: ROWS, NEW.key: ROWS}, Settings(), {})) as source:
        assert list(source.prepare([OLD, NEW])) == [NEW.key]


def test_a_model_that_ends_the_worker_costs_the_others_no_more_than_a_new_one(
    workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "fatal", NEW.model.path)
    source = ReloadedSessions({OLD.key: ROWS, NEW.key: ROWS}, Settings(), {})
    assert list(source.prepare([NEW, OLD])) == [NEW.key]
    assert open_layouts(source) == [["old.onnx"]] * 3
    for worker in workers[1:]:
        assert not worker.has_ended or NEW.model.path in [one.job.model.path for one in worker.requests(LoadModel)]
    with source.layout(9, [OLD, NEW], ignore) as layout:
        assert list(layout.failures) == [NEW.key]
        assert not layout.sessions[OLD.key].worker.has_ended
    source.close()


def test_every_layout_has_fresh_processes_that_end_with_it(workers: list[FakeWorker]) -> None:
    source = FreshProcesses({OLD.key: ROWS, NEW.key: ROWS}, Settings(batches=(2,)), {})
    with contextlib.suppress(KeyboardInterrupt), source.layout(0, [OLD, NEW], ignore) as layout:
        assert len(layout.sessions) == len(workers) == 2
        assert not any(worker.killed for worker in workers)
        raise KeyboardInterrupt
    assert all(worker.killed for worker in workers)
    first, whole = workers[0].requests(SetRows)
    assert (len(first.columns["a"]), len(whole.columns["a"])) == (2, 3)


class TwoAtOnce(StartPlan):
    """The first layout by itself, then two at a time."""

    def __init__(self) -> None:
        super().__init__([OLD, NEW], Settings())

    def count_layouts(self, index: int) -> int:
        return 2 if index else 0


def test_layouts_that_start_together_are_taken_in_turn(workers: list[FakeWorker]) -> None:
    source = FreshProcesses({OLD.key: ROWS, NEW.key: ROWS}, Settings(), plan=TwoAtOnce())
    with source.layout(0, [OLD, NEW], ignore) as layout:
        assert all(session.process.cold_start_ns > 0 for session in layout.sessions.values())
    with source.layout(1, [OLD, NEW], ignore) as layout:
        assert len(workers) == 6
        assert all(session.process.cold_start_ns == 0 for session in layout.sessions.values())
    assert [worker.killed for worker in workers].count(False) == 2
    with source.layout(2, [NEW], ignore) as layout:
        assert (list(layout.sessions), list(layout.specs), len(workers)) == ([NEW.key], [NEW.key], 6)
        assert layout.sessions[NEW.key].process.index == 2
        assert not layout.sessions[NEW.key].worker.has_ended
    assert all(worker.killed for worker in workers)


def test_what_was_started_ahead_ends_with_the_run(workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeWorker, "unopenable", NEW.model.path)
    source = FreshProcesses({OLD.key: ROWS, NEW.key: ROWS}, Settings(), plan=TwoAtOnce())
    with source.layout(1, [OLD, NEW], ignore) as layout:
        assert (list(layout.sessions), list(layout.failures)) == ([OLD.key], [NEW.key])
    assert not all(worker.killed for worker in workers)
    source.close()
    assert all(worker.killed for worker in workers)


@pytest.mark.parametrize("waits", [True, False])
def test_what_has_opened_a_model_already_waits_for_the_first_layout_that_overlaps(
    workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    monkeypatch.setattr(TwoAtOnce, "lets_wait", lambda *_: waits)
    with EarlyOpenings(Settings()) as openings:
        openings.start(OLD)
        with openings.open(OLD) as (early, _):
            pass
        source = FreshProcesses({OLD.key: ROWS, NEW.key: ROWS}, Settings(), plan=TwoAtOnce(), openings=openings)
        with source.layout(0, [OLD, NEW], ignore) as layout:
            assert early not in [session.worker for session in layout.sessions.values()]
            assert cast(Any, early).killed != waits
        with source.layout(1, [OLD, NEW], ignore) as layout:
            assert (layout.sessions[OLD.key].worker is early) == waits
            assert len(workers) == 7 - waits
        source.close()
    assert all(worker.killed for worker in workers)
    assert len(workers[0].requests(LoadModel)) == 1


class Ending(TwoAtOnce):
    """Lets a hundredth of a second for the starts."""

    left_s = 0.01

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=lambda one: one is NEW)

    def count_layouts(self, index: int) -> int:
        return 0


def test_who_has_not_started_when_the_budget_ends_is_left_out(
    workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "slow", NEW.model.path)
    source = FreshProcesses({OLD.key: ROWS, NEW.key: ROWS}, Settings(budget_s=5), plan=Ending())
    with source.layout(0, [OLD, NEW], ignore) as layout:
        assert list(layout.sessions) == [OLD.key]
        assert layout.failures[NEW.key].message == "it took too long to start for a budget of 5 s"
    with source.layout(1, [OLD, NEW], ignore) as layout:
        assert (layout.sessions, layout.failures) == ({}, {})
    assert all(worker.killed for worker in workers)
    monkeypatch.setattr(FakeWorker, "slow", OLD.model.path)
    with source.layout(0, [OLD, NEW], ignore) as layout:
        assert OLD.key in layout.sessions  # of all, the first is waited for


@pytest.mark.parametrize("together", [0, 1])
def test_where_who_was_waited_for_has_failed_the_next_one_is(monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    monkeypatch.setattr(FakeWorker, "unopenable", OLD.model.path)
    monkeypatch.setattr(FakeWorker, "slow", NEW.model.path)
    monkeypatch.setattr(Ending, "count_layouts", lambda self, index: together)
    source = FreshProcesses({OLD.key: ROWS, NEW.key: ROWS}, Settings(budget_s=5), plan=Ending())
    with source.layout(0, [OLD, NEW], ignore) as layout:
        assert list(layout.sessions) == [NEW.key]
        assert list(layout.failures) == [OLD.key]


def test_memory_of_a_process_that_has_drawn_rows_is_not_its_candidate_s(
    workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_openings, "Worker", FakeWorker)
    openings = EarlyOpenings(Settings(), keeps=True)
    with openings.open(OLD, draws=True):
        pass
    source = FreshProcesses({OLD.key: ROWS, NEW.key: ROWS}, Settings(), overlap=True, openings=openings)
    with source.layout(0, [OLD], ignore) as layout:
        assert not layout.sessions[OLD.key].owns_memory
        assert layout.specs == {OLD.key: SPEC}
    assert [len(worker.requests(LoadModel)) for worker in workers] == [1]
    with source.layout(1, [NEW], ignore) as layout:
        assert layout.sessions[NEW.key].owns_memory


def test_a_delay_is_injected_in_the_session_that_is_meant(workers: list[FakeWorker]) -> None:
    for kind in (ReloadedSessions, FreshProcesses):
        with contextlib.closing(
            kind({OLD.key: ROWS, NEW.key: ROWS}, Settings(), {NEW.key: InjectedDelay(100, 10)})
        ) as source:
            open_layouts(source, 1)
    delays = [request for worker in workers for request in worker.requests(InjectDelay)]
    assert [(one.turns, one.every) for one in delays] == [(100, 10)] * 2


def test_who_fits_into_one_worker() -> None:
    assert fits_one_worker([OLD, NEW])
    assert not fits_one_worker([OLD, replace(NEW, options={"threads": "2"})])
    assert not fits_one_worker([OLD, replace(NEW, interpreter="/other/python")])
    function: Candidate = replace(NEW, model=ModelRef("service:new", "callable", "python", "", 0))
    assert not fits_one_worker([function, function])
