"""Models that are opened before anybody asks what they eat."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from infer_bench.errors import ModelError, WorkerError
from infer_bench.measure.candidates import early_openings
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.workers.job import Job
from infer_bench.workers.requests import LoadedModel
from tests.measure.fake_layouts import candidate

SPEC = ModelSpec("raw", (), ("output",))
ONE, OTHER, BROKEN, UNSTARTABLE = (candidate("engine", name) for name in ("one", "other", "broken", "unstartable"))


@dataclass
class FakeWorkers:
    """Workers that open what is not `broken`: those that were started and those that have ended, by model."""

    started: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def start(self, job: Job, *, timeout_s: float) -> "FakeWorker":
        if job.model.path == "unstartable":
            raise WorkerError("cannot be started")
        self.started.append(job.model.path)
        return FakeWorker(job, self)


@dataclass
class FakeWorker:
    job: Job
    workers: FakeWorkers
    pid: int = 1

    def open(self) -> LoadedModel:
        if self.job.model.path == "broken":
            raise ModelError("broken")
        return LoadedModel(SPEC, 0, 0)

    def post(self, request: object) -> Callable[[], LoadedModel]:
        return self.open

    def kill(self) -> None:
        self.workers.ended.append(self.job.model.path)

    def __enter__(self) -> "FakeWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    workers = FakeWorkers()
    monkeypatch.setattr(early_openings, "Worker", workers.start)
    return workers


def test_a_model_that_was_opened_early_is_opened_once(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings()) as openings:
        openings.start(ONE)
        with openings.open(ONE) as (worker, spec):
            assert worker.job.model.path == "one"
            assert spec == SPEC
            assert workers.ended == []
    assert workers.started == workers.ended == ["one"]


def test_another_model_gets_a_worker_and_the_one_that_nobody_asked_for_ends(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings()) as openings:
        openings.start(ONE)
        with openings.open(OTHER):
            assert workers.started == ["one", "other"]
        assert workers.ended == ["other"]
    assert workers.ended == ["other", "one"]


def test_what_an_early_opening_fails_with_is_raised_when_it_is_asked_for(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings()) as openings:
        openings.start(BROKEN)
        with pytest.raises(ModelError, match="broken"), openings.open(BROKEN):
            pass
    assert workers.ended == ["broken"]


def test_a_worker_that_does_not_start_is_started_again_when_it_is_asked_for(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings()) as openings:
        openings.start(UNSTARTABLE)
        with pytest.raises(WorkerError, match="cannot be started"), openings.open(UNSTARTABLE):
            pass


def test_a_worker_that_is_kept_is_taken_once_and_not_ended(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings(), keeps=True) as openings:
        with openings.open(ONE):
            pass
        assert openings.take(OTHER) is None
        spare = openings.take(ONE)
        assert spare is not None
        assert (spare.model.spec, spare.has_drawn) == (SPEC, False)
        assert openings.take(ONE) is None
    assert workers.ended == []


def test_a_worker_that_is_kept_and_never_taken_ends_with_the_context(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings(), keeps=True) as openings:
        openings.start(ONE)
        with openings.open(ONE):
            pass
        assert workers.ended == []
    assert workers.started == workers.ended == ["one"]


def test_without_a_budget_those_that_were_started_ahead_are_kept_and_wait_alone(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings()) as openings:
        openings.start(ONE)
        openings.start(BROKEN)
        with openings.open(ONE), openings.open(OTHER):
            pass
        assert openings.waiting_pids == [1]
        assert workers.ended == ["other"]
        openings.close_unasked()
        assert workers.ended == ["other", "broken"]
        assert openings.take(ONE) is not None


def test_a_worker_that_is_kept_opens_its_model_once_and_is_known_to_have_drawn_rows(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings(), keeps=True) as openings:
        for draws in (True, False):
            with openings.open(ONE, draws=draws):
                pass
        spare = openings.take(ONE)
        assert spare is not None
        assert spare.has_drawn
    assert workers.started == ["one"]


def test_a_worker_that_could_not_open_a_model_is_not_kept(workers: FakeWorkers) -> None:
    with EarlyOpenings(Settings(), keeps=True) as openings:
        with pytest.raises(ModelError), openings.open(BROKEN):
            pass
        assert openings.take(BROKEN) is None
    assert workers.ended == ["broken"]
