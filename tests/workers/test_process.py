"""Workers as real processes: what they answer, and each way in which they can fail to."""

import errno
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from infer_bench import errors
from infer_bench.model import ModelRef
from infer_bench.workers import process
from infer_bench.workers.job import Job
from infer_bench.workers.process import Worker
from infer_bench.workers.protocol import Request
from infer_bench.workers.requests import LoadModel, MeasureMemory, SetRows
from infer_bench.workers.timing.requests import PredictRows, TimeBlock, TimeFirstRequest, TimeRounds
from infer_bench.workers.wire import Frame
from infer_bench.workers.work_note import NOTE_BYTES, clear_note, read_note

pytestmark = pytest.mark.started_workers

ROOT = str(Path(__file__).parents[2])
MODEL = ModelRef("fake", "callable", "python", "0" * 64, 0)
BLOCK = TimeBlock(batch=1, samples=50, calls=1, phases=True)
COLUMNS = {"a": np.array([0.0, 1.0, -2.0]), "b": np.array([0.5, 0.5, 0.5])}


def job(deed: str = "none", **changes: object) -> Job:
    fields: dict[str, object] = {"options": {"deed": deed}, "environment": {"PYTHONPATH": ROOT}, **changes}
    return Job("tests.fakes:FakeEngine", MODEL, **fields)  # type: ignore[arg-type]


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(job()) as worker:
        worker.open()
        worker.ask(SetRows(COLUMNS))
        yield worker


def test_a_worker_opens_answers_and_measures(worker: Worker) -> None:
    assert worker.ask(TimeFirstRequest(batch=1)).request_ns > 0
    rows = worker.ask(PredictRows(batch=1, limit_ns=10**12))
    assert rows.predictions[:, 0] == pytest.approx(1 / (1 + np.exp([-0.5, -1.5, 1.5])), abs=1e-15)
    assert rows.labels == ("yes", "yes", "no")
    block = worker.ask(TimeBlock(batch=1, samples=7, calls=1, phases=True))
    assert block.request.shape == (7,)
    assert (block.request >= block.predict).all()
    memory = worker.ask(MeasureMemory())
    assert memory.peak_rss_bytes >= memory.rss_bytes > 10**6


def test_a_worker_that_is_at_work_is_not_asked_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_S", 3_600.0)
    with Worker(job("hang")) as worker:
        worker.open()
        worker.ask(SetRows(COLUMNS))
        worker.post(BLOCK)
        pid = worker.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_spec_survives_the_crossing() -> None:
    with Worker(job()) as worker:
        spec = worker.open().spec
    assert spec.feature_names == ("a", "b")
    assert spec.classes == ("no", "yes")


def test_environment_and_affinity_hold_before_any_import() -> None:
    cpu = min(os.sched_getaffinity(0))
    with Worker(job(environment={"PYTHONPATH": ROOT, "OMP_NUM_THREADS": "1"}, affinity=(cpu,))) as worker:
        worker.open()
        assert os.sched_getaffinity(worker.pid) == {cpu}
        variables = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
        assert b"OMP_NUM_THREADS=1" in variables


@pytest.mark.parametrize(
    ("deed", "words"),
    [("killed", "SIGKILL"), ("segfault", "SIGSEGV"), ("exit", "exited with code 3")],
)
def test_a_dead_worker_is_reported_with_how_it_died(deed: str, words: str) -> None:
    with Worker(job(deed)) as worker:
        worker.open()
        worker.ask(SetRows(COLUMNS))
        with pytest.raises(errors.WorkerCrashed, match=words) as crash:
            worker.ask(BLOCK)
    name = worker.job.model.name
    hint = f"the library failed on {name}: see whether another version of it runs it" if deed == "segfault" else ""
    assert crash.value.hint == hint


def test_a_hang_ends_at_the_time_limit_and_the_process_with_it() -> None:
    with Worker(job("hang")) as worker:
        worker.open()
        worker.ask(SetRows(COLUMNS))
        with pytest.raises(errors.WorkerHung, match=r"no answer to 'block' in 0\.2 s"):
            worker.ask(BLOCK, timeout_s=0.2)
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)


@pytest.mark.parametrize(("deed", "words"), [("raise", "RuntimeError: boom in two lines"), ("sys.exit", "SystemExit")])
def test_what_a_model_raises_is_one_line_and_the_worker_lives_on(deed: str, words: str) -> None:
    with Worker(job(deed)) as worker:
        worker.open()
        worker.ask(SetRows(COLUMNS))
        with pytest.raises(errors.EngineError, match=words):
            worker.ask(BLOCK)
        assert worker.ask(MeasureMemory()).rss_bytes > 0


def test_no_memory_is_said_in_words() -> None:
    with Worker(job("memory")) as worker:
        worker.open()
        worker.ask(SetRows(COLUMNS))
        with pytest.raises(errors.EngineError, match="out of memory"):
            worker.ask(BLOCK)


def test_a_copy_that_the_model_forks_does_not_answer_too() -> None:
    with Worker(job("fork")) as worker:
        worker.open()
        worker.ask(SetRows(COLUMNS))
        for _ in range(3):
            assert worker.ask(BLOCK).rows == 50
            assert worker.ask(MeasureMemory()).rss_bytes > 0


@pytest.mark.parametrize("deed", ["orphan", "orphan and die"])
def test_what_a_worker_starts_ends_with_it_and_does_not_hide_its_death(deed: str) -> None:
    ours, theirs = os.pipe()
    with Worker(job(deed), shares=[theirs]) as worker:
        os.close(theirs)
        worker.open()
        worker.ask(SetRows(COLUMNS))
        if deed == "orphan":
            worker.ask(BLOCK)
        else:
            with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
                worker.ask(BLOCK, timeout_s=600)
    assert select.select([ours], [], [], 600)[0]  # nobody holds the other end any more
    assert os.read(ours, 1) == b""
    os.close(ours)


def test_a_shared_worker_that_dies_leaves_a_note_of_whose_block_it_was() -> None:
    with tempfile.TemporaryFile() as note:
        clear_note(note.fileno())
        assert os.fstat(note.fileno()).st_size == NOTE_BYTES
        with Worker(job(), shares=[note.fileno()]) as worker:
            for number, deed in ((0, "none"), (3, "killed")):
                worker.ask(LoadModel(job(deed), work_note=note.fileno(), session=number))
                worker.ask(SetRows(COLUMNS, session=number))
            first, third = (replace(BLOCK, phases=False, split=False, session=number) for number in (0, 3))
            assert len(worker.ask(TimeRounds(((first,), (first,)), limit_ns=10**12)).rounds) == 2
            assert read_note(note.fileno()) is None
            with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
                worker.ask(TimeRounds(((first, third), (third, first)), limit_ns=10**12))
        assert read_note(note.fileno()) == 3


def test_an_engine_s_own_error_keeps_its_type_and_its_hint() -> None:
    with Worker(job("refuse")) as worker, pytest.raises(errors.EngineError, match="no such luck") as error:
        worker.open()
    assert error.value.hint == "try another"


def test_a_worker_killed_from_outside_is_a_crash_also_when_spoken_to_later(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
        worker.ask(MeasureMemory())


def test_each_request_that_was_sent_ahead_ends_in_the_same_crash(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    for response in [worker.post(MeasureMemory()) for _ in range(2)]:
        with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
            response()


def test_an_answer_that_is_not_understood_ends_every_request_in_the_same_error(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def garbled(*_: object) -> None:
        raise ValueError("no such dtype")

    monkeypatch.setattr(process, "receive", garbled)
    for response in [worker.post(MeasureMemory()) for _ in range(2)]:
        with pytest.raises(errors.WorkerError, match="not understood: no such dtype"):
            response()


def test_a_worker_that_was_closed_is_a_crash_to_whoever_still_waits(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed_meanwhile(*_: object) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    worker.close()
    worker.post(MeasureMemory())
    monkeypatch.setattr(process, "send", closed_meanwhile)
    response = worker.post(MeasureMemory())
    with pytest.raises(errors.WorkerCrashed):
        response()


def test_responses_to_requests_that_were_broken_off_are_passed_over(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(process, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            worker.ask(BLOCK)
        with pytest.raises(KeyboardInterrupt):
            worker.ask(SetRows({}))
    assert worker.ask(MeasureMemory()).rss_bytes > 0


LIES = {
    "no response": Frame("request", 0),
    "of a request that was not sent": Frame("response", 99, {"rss_bytes": 1, "peak_rss_bytes": 1}),
    "a missing value": Frame("response", 0, {"rss_bytes": 1}),
    "a value too many": Frame("response", 0, {"rss_bytes": 1, "peak_rss_bytes": 1, "more": 1}),
    "text for a number": Frame("response", 0, {"rss_bytes": "1", "peak_rss_bytes": 1}),
    "a list": Frame("response", 0, [1, 2]),
    "nothing": Frame("response", 0),
    "an error without words": Frame("failure", 0, {"type": "EngineError"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_worker_says_is_not_believed(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "receive", lambda _: LIES[lie])
    with Worker(job()) as worker, pytest.raises(errors.WorkerError, match="answer to 'memory' was not understood"):
        worker.ask(MeasureMemory())


def test_an_error_of_an_unknown_type_is_an_engine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Frame("failure", 0, {"type": "__builtins__", "message": "a\nb", "hint": "", "frames": []})
    monkeypatch.setattr(process, "receive", lambda _: failure)
    with Worker(job()) as worker, pytest.raises(errors.EngineError, match="a b"):
        worker.ask(MeasureMemory())


def test_an_interpreter_that_is_not_there_is_one_line() -> None:
    with pytest.raises(errors.WorkerError, match="cannot be started"):
        Worker(job(interpreter="/nowhere/python"))


@pytest.mark.parametrize("step", ["tempfile.TemporaryFile", "connect", "subprocess.Popen"])
@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left"), OSError(errno.EMFILE, "Full"), MemoryError()]
)
def test_a_machine_that_cannot_start_a_worker_is_one_line_and_nothing_is_left_open(
    step: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault

    descriptors = os.listdir("/proc/self/fd")
    monkeypatch.setattr(f"infer_bench.workers.process.{step}", refuse)
    with pytest.raises(errors.WorkerError, match=r"cannot be started: (No space left|Full|out of memory)$") as error:
        Worker(job())
    assert error.value.exit_code == 6
    assert os.listdir("/proc/self/fd") == descriptors


def test_only_numbers_cross_as_arrays(worker: Worker) -> None:
    with pytest.raises(ValueError, match="may not cross"):
        worker.ask(SetRows({"a": np.array([object()])}))


@dataclass(frozen=True)
class Unheard(Request[None]):
    """Nothing that a worker knows."""

    title = "unheard"


def test_an_unknown_request_is_an_error_and_the_worker_lives_on(worker: Worker) -> None:
    with pytest.raises(errors.EngineError, match="unknown request"):
        worker.ask(Unheard())
    assert worker.ask(MeasureMemory()).rss_bytes > 0


def test_a_worker_whose_parent_died_before_it_looked_ends() -> None:
    """The system tells of a parent's end only those that have asked before."""
    code = "import os; from infer_bench.workers.server import die_with_parent; die_with_parent(os.getpid())"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == -signal.SIGKILL
