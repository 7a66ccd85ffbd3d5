"""Sessions that are asked at the same time."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from infer_bench.errors import EngineError
from infer_bench.measure.candidates.candidates import Key
from infer_bench.measure.schedule.layouts import OpenSession
from infer_bench.measure.schedule.predictions import ask_together
from infer_bench.report.bench import Process
from infer_bench.workers.process import Worker
from infer_bench.workers.timing.requests import MakeRequests
from tests.measure.fake_layouts import candidate

REQUEST = MakeRequests(1)


class PatientWorker:
    """Answers once the worker that it waits for has been asked, with its name; `fails` instead."""

    def __init__(self, name: str, waits_for: "PatientWorker | None" = None, *, fails: bool = False) -> None:
        self.name, self.asked, self._waits_for, self._fails = name, threading.Event(), waits_for, fails

    def ask(self, request: Any, *, timeout_s: float | None = None) -> str:
        self.asked.set()
        if self._waits_for is not None:
            assert self._waits_for.asked.wait(600)
        if self._fails:
            raise EngineError("no answer")
        return self.name

    def post(self, request: Any, *, timeout_s: float | None = None) -> Callable[[], str]:
        return partial(self.ask, request, timeout_s=timeout_s)


def sessions_of(*workers: PatientWorker) -> dict[Key, OpenSession]:
    process = Process(0, 0, 0, 0, 0, 0)
    return {candidate(worker.name).key: OpenSession(cast(Worker, worker), 0, process) for worker in workers}


def test_the_next_is_asked_when_one_has_answered_and_not_when_all_have() -> None:
    last = PatientWorker("last")
    sessions = sessions_of(PatientWorker("slow", waits_for=last), PatientWorker("quick"), last)
    responses = [cast(Any, response()) for _, response in ask_together(sessions, REQUEST, 2)]
    assert responses == ["slow", "quick", "last"]


@pytest.mark.parametrize("most", [1, 2])
def test_one_that_fails_costs_the_others_nothing(most: int) -> None:
    sessions = sessions_of(PatientWorker("a"), PatientWorker("b", fails=True), PatientWorker("c"))
    responses = dict(ask_together(sessions, REQUEST, most))
    first, broken, last = sessions
    assert [cast(Any, responses[key]()) for key in (first, last)] == ["a", "c"]
    with pytest.raises(EngineError, match="no answer"):
        responses[broken]()


def test_whoever_breaks_off_lets_nobody_else_be_asked() -> None:
    busy, last = [PatientWorker("a"), PatientWorker("b")], PatientWorker("last")
    gate = PatientWorker("gate")
    for worker in busy:
        worker._waits_for = gate
    asking = ask_together(sessions_of(*busy, last), REQUEST, 2)
    next(asking)
    cast(Any, asking).close()
    gate.asked.set()
    assert not last.asked.is_set()
