"""What a template learns from the processes that it forks, and when processes are started afresh instead."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.schedule import forked_processes, fresh_processes
from infer_bench.measure.schedule.forked_processes import ForkedProcesses, fit_one_template
from infer_bench.measure.settings import Settings
from infer_bench.workers.job import Job
from infer_bench.workers.protocol import Request
from infer_bench.workers.requests import LoadedModel, LoadModel
from infer_bench.workers.template.requests import LibrariesInUse, ListLibraries
from infer_bench.workers.timing.requests import FirstRequest, TimeFirstRequest
from tests.measure.fake_layouts import SPEC, candidate

OLD, NEW = candidate("old"), candidate("new")
ROWS = {OLD.key: {"a": np.zeros(3)}, NEW.key: {"a": np.zeros(3)}}


class FakeTemplate:
    """Has a thread once it has imported a module of the package `threaded`."""

    instances: list["FakeTemplate"]

    def __init__(self, job: Job, *, timeout_s: float) -> None:
        self.instances.append(self)
        self.modules: list[str] = []
        self.is_closed = False

    def import_libraries(self, modules: list[str]) -> str:
        self.modules += modules
        return next((name for name in modules if name.startswith("threaded")), "")

    def close(self) -> None:
        self.is_closed = True


class FakeWorker:
    """Uses libraries, and changes variables."""

    libraries: tuple[str, ...] = ("numpy", "pandas")
    variables: tuple[str, ...] = ()
    seeds: list[int | None]

    def __init__(self, job: Job, *, timeout_s: float) -> None:
        self.job, self.started_ns = job, 0

    def ask(self, request: Request[Any]) -> Any:
        match request:
            case LoadModel():
                self.seeds.append(request.offset_seed)
                return LoadedModel(SPEC, 1, 2)
            case TimeFirstRequest():
                return FirstRequest(1, 9)
            case ListLibraries():
                return LibrariesInUse(self.libraries, self.variables)
        return None

    def open(self) -> Any:
        return self.ask(LoadModel(self.job))

    def send_kill(self) -> None:
        """`kill` does it."""

    def kill(self) -> None:
        """Nothing to end."""


class FakeForkedWorker(FakeWorker):
    def __init__(self, template: FakeTemplate, job: Job, *, timeout_s: float) -> None:
        assert not template.is_closed
        super().__init__(job, timeout_s=timeout_s)


@pytest.fixture(autouse=True)
def templates(monkeypatch: pytest.MonkeyPatch) -> list[FakeTemplate]:
    instances: list[FakeTemplate] = []
    monkeypatch.setattr(FakeTemplate, "instances", instances, raising=False)
    monkeypatch.setattr(FakeWorker, "seeds", [], raising=False)
    monkeypatch.setattr(fresh_processes, "Worker", FakeWorker)
    monkeypatch.setattr(forked_processes, "ForkedWorker", FakeForkedWorker)
    monkeypatch.setattr(forked_processes, "Template", FakeTemplate)
    return instances


def open_layouts(count: int = 2) -> tuple[ForkedProcesses, list[type]]:
    """Open so many layouts; the kinds of worker that each had."""
    source, kinds = ForkedProcesses(ROWS, Settings()), []
    ignore: Callable[[Candidate], None] = lambda _: None  # noqa: E731
    with contextlib.closing(source):
        assert source.prepare([OLD, NEW]) == {}
        for index in range(count):
            with source.layout(index, [OLD, NEW], ignore) as layout:
                assert set(layout.sessions) == {OLD.key, NEW.key}
                assert {session.process.cold_start_ns for session in layout.sessions.values()} == {0}
                kinds.append(type(layout.sessions[OLD.key].worker))
    return source, kinds


def test_libraries_are_imported_once_and_each_session_lies_elsewhere(templates: list[FakeTemplate]) -> None:
    source, kinds = open_layouts()
    (template,) = templates
    assert template.modules == ["numpy", "pandas"]
    assert template.is_closed
    assert kinds == [FakeForkedWorker] * 2
    assert len(set(FakeWorker.seeds)) == 4
    assert source.obstacle == ""


def test_what_starts_threads_is_left_to_each_process(
    templates: list[FakeTemplate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "libraries", ("numpy", "threaded", "pandas", "threaded.more"))
    source, kinds = open_layouts()
    assert [template.modules for template in templates][-1] == ["numpy", "pandas"]
    assert kinds == [FakeForkedWorker] * 2
    assert source.obstacle == ""


def test_processes_are_started_where_every_template_has_threads(
    templates: list[FakeTemplate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "libraries", ("threaded_a", "threaded_b", "threaded_c"))
    source, kinds = open_layouts()
    assert kinds == [FakeWorker] * 2
    assert "threaded_a, threaded_b, threaded_c start threads" in source.obstacle
    assert all(template.is_closed for template in templates)


def test_processes_are_started_where_a_function_changes_what_libraries_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeWorker, "variables", ("OMP_NUM_THREADS",))
    source, kinds = open_layouts(3)
    assert kinds == [FakeForkedWorker, FakeWorker, FakeWorker]
    assert "changes OMP_NUM_THREADS" in source.obstacle


def test_who_fits_one_template() -> None:
    settings = Settings()
    assert fit_one_template([OLD, NEW], settings)
    assert fit_one_template([OLD, replace(NEW, options={"slope": "2"})], settings)
    for change in ({"interpreter": "/other/python"}, {"folder": "/other"}, {"target": "another:Engine"}):
        assert not fit_one_template([OLD, replace(NEW, **change)], settings)  # type: ignore[arg-type]
