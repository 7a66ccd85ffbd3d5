"""A template and the workers that it forks: they answer as workers that were started do, and end with it."""

import os
import select
import sys
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from infer_bench.errors import WorkerCrashed, WorkerHung
from infer_bench.model import ModelRef
from infer_bench.workers.job import Job
from infer_bench.workers.requests import LoadModel, MeasureMemory, SetRows
from infer_bench.workers.template.forking import has_threads, import_libraries, list_libraries
from infer_bench.workers.template.process import ForkedWorker, Template
from infer_bench.workers.template.requests import ImportLibraries, ListLibraries
from infer_bench.workers.timing.requests import PredictRows

ROOT = str(Path(__file__).parents[3])
MODEL = ModelRef("fake", "callable", "python", "0" * 64, 0)
COLUMNS = {"a": np.array([0.0, 1.0, -2.0]), "b": np.array([0.5, 0.5, 0.5])}


def job(deed: str = "none") -> Job:
    return Job("tests.fakes:FakeEngine", MODEL, {"deed": deed}, environment={"PYTHONPATH": ROOT})


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    template = Template(job(), timeout_s=600)
    assert template.import_libraries(("tests.fakes", "there.is.no.such.module")) == ""
    yield template
    template.close()


def open_worker(template: Template, deed: str = "none", timeout_s: float = 600) -> ForkedWorker:
    worker = ForkedWorker(template, job(deed), timeout_s=timeout_s)
    worker.ask(LoadModel(worker.job, offset_seed=1))
    worker.ask(SetRows(COLUMNS))
    return worker


def predict_often(worker: ForkedWorker, timeout_s: float = 600) -> None:
    """More often than it takes for the deed to be done."""
    for _ in range(9):
        worker.ask(PredictRows(batch=1, limit_ns=10**12), timeout_s=timeout_s)


def test_forked_workers_live_side_by_side_and_one_that_ends_leaves_the_other(template: Template) -> None:
    with open_worker(template) as one, open_worker(template) as other:
        assert one.pid != other.pid
        assert os.getpgid(one.pid) == one.pid
        one.close()
        predictions = other.ask(PredictRows(batch=1, limit_ns=10**12)).predictions
        assert predictions[:, 0] == pytest.approx(1 / (1 + np.exp([-0.5, -1.5, 1.5])), abs=1e-15)


@pytest.mark.parametrize(("deed", "words"), [("segfault", "SIGSEGV"), ("exit", "exited with code 3")])
def test_how_a_forked_worker_ended_is_told(template: Template, deed: str, words: str) -> None:
    worker = open_worker(template, deed)
    with pytest.raises(WorkerCrashed, match=words):
        predict_often(worker)


def test_one_that_hangs_is_ended(template: Template) -> None:
    worker = open_worker(template, "hang")
    with pytest.raises(WorkerHung):
        predict_often(worker, timeout_s=0.2)
    assert worker.has_ended


def test_workers_end_with_their_template() -> None:
    template = Template(job(), timeout_s=600)
    worker = ForkedWorker(template, job(), timeout_s=600)
    end = os.pidfd_open(worker.pid)
    template.close()
    assert select.select([end], [], [], 600)[0]
    os.close(end)
    with pytest.raises(WorkerCrashed, match="SIGKILL"):
        worker.ask(MeasureMemory())
    with pytest.raises(WorkerCrashed):
        ForkedWorker(template, job(), timeout_s=600)


def test_a_process_can_be_forked_beside_threads_that_their_library_ends_for_it(tmp_path: Path) -> None:
    def threads(*names: str) -> Path:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for number, name in enumerate(names):
            (folder / str(number)).mkdir(parents=True)
            (folder / str(number) / "comm").write_text(f"{name}\n")
        return folder

    assert not has_threads(threads("python"))
    assert not has_threads(threads("python", "jemalloc_bg_thd"))
    assert has_threads(threads("python", "python"))
    assert has_threads(threads("python", "jemalloc_bg_thd", "rayon"))


def test_the_module_that_starts_a_thread_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr("infer_bench.workers.template.forking.has_threads", lambda: next(answers))
    monkeypatch.setattr("infer_bench.workers.template.forking.importlib.import_module", lambda name: None)
    state = import_libraries(ImportLibraries(("json", "quick", "threaded", "later")))
    assert state.obstacle == "threaded"


def test_libraries_are_told_from_what_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, origin in (("mine", "/x/mine.py"), ("theirs", "/x/site-packages/theirs.py"), ("service", "")):
        module = types.ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, origin=origin or "/x/site-packages/service/__init__.py")
        module.__spec__.has_location = True
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("SOME_NUM_THREADS", "4")
    libraries = list_libraries(ListLibraries("service"))
    assert {"json", "numpy", "theirs"} <= set(libraries.modules)
    assert not {"mine", "service"} & set(libraries.modules)
    assert "SOME_NUM_THREADS" in libraries.variables
