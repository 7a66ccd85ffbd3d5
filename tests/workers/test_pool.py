"""Workers as real processes: what they answer, and each way in which they can fail to."""

import errno
import os
import select
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import errors
from infer_bench.model import ModelRef
from infer_bench.workers import pool
from infer_bench.workers.job import Job
from infer_bench.workers.pool import Worker
from infer_bench.workers.protocol import Message, spec_from
from infer_bench.workers.timing.hosted_session import MARK_BYTES

pytestmark = pytest.mark.started_workers

ROOT = str(Path(__file__).parents[2])
MODEL = ModelRef("fake", "callable", "python", "0" * 64, 0)
COLUMNS = {"a": np.array([0.0, 1.0, -2.0]), "b": np.array([0.5, 0.5, 0.5])}


def job(deed: str = "none", **changes: object) -> Job:
    fields: dict[str, object] = {"options": {"deed": deed}, "environment": {"PYTHONPATH": ROOT}, **changes}
    return Job("tests.fakes:FakeEngine", MODEL, **fields)  # type: ignore[arg-type]


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(job()) as started:
        started.open()
        started.rows(COLUMNS)
        yield started


def test_a_worker_opens_answers_and_measures(worker: Worker) -> None:
    assert worker.ask("first", batch=1).fields["request_ns"] > 0
    reply = worker.ask("answers", batch=1, limit_ns=10**9)
    assert reply.arrays["answers"][:, 0] == pytest.approx(1 / (1 + np.exp([-0.5, -1.5, 1.5])), abs=1e-15)
    assert reply.fields["labels"] == ["yes", "yes", "no"]
    block = worker.ask("block", batch=1, samples=7, calls=1, phases=True)
    assert block.arrays["request"].shape == (7,)
    assert (block.arrays["request"] >= block.arrays["predict"]).all()
    held = worker.ask("memory").fields
    assert held["peak_rss_bytes"] >= held["rss_bytes"] > 10**6


def test_the_spec_survives_the_crossing() -> None:
    with Worker(job()) as started:
        spec = spec_from(started.open().fields["spec"])
    assert spec.feature_names == ("a", "b")
    assert spec.classes == ("no", "yes")


def test_environment_and_affinity_hold_before_any_import() -> None:
    cpu = min(os.sched_getaffinity(0))
    with Worker(job(environment={"PYTHONPATH": ROOT, "OMP_NUM_THREADS": "1"}, affinity=(cpu,))) as started:
        started.open()
        assert os.sched_getaffinity(started.pid) == {cpu}
        variables = Path(f"/proc/{started.pid}/environ").read_bytes().split(b"\0")
        assert b"OMP_NUM_THREADS=1" in variables


@pytest.mark.parametrize(
    ("deed", "words"),
    [("killed", "SIGKILL"), ("segfault", "SIGSEGV"), ("exit", "exited with code 3")],
)
def test_a_dead_worker_is_reported_with_how_it_died(deed: str, words: str) -> None:
    with Worker(job(deed)) as started:
        started.open()
        started.rows(COLUMNS)
        with pytest.raises(errors.WorkerCrashed, match=words):
            started.ask("block", batch=1, samples=50, calls=1, phases=True)


def test_a_hang_ends_at_the_time_limit_and_the_process_with_it() -> None:
    with Worker(job("hang")) as started:
        started.open()
        started.rows(COLUMNS)
        with pytest.raises(errors.WorkerHung, match=r"no answer to 'block' in 0\.2 s"):
            started.ask("block", timeout_s=0.2, batch=1, samples=50, calls=1, phases=True)
        with pytest.raises(ProcessLookupError):
            os.kill(started.pid, 0)


@pytest.mark.parametrize(("deed", "words"), [("raise", "RuntimeError: boom in two lines"), ("sys.exit", "SystemExit")])
def test_what_a_model_raises_is_one_line_and_the_worker_lives_on(deed: str, words: str) -> None:
    with Worker(job(deed)) as started:
        started.open()
        started.rows(COLUMNS)
        with pytest.raises(errors.EngineError, match=words):
            started.ask("block", batch=1, samples=50, calls=1, phases=True)
        assert started.ask("memory").fields["rss_bytes"] > 0


def test_no_memory_is_said_in_words() -> None:
    with Worker(job("memory")) as started:
        started.open()
        started.rows(COLUMNS)
        with pytest.raises(errors.EngineError, match="out of memory"):
            started.ask("block", batch=1, samples=50, calls=1, phases=True)


def test_a_copy_that_the_model_forks_does_not_answer_too() -> None:
    with Worker(job("fork")) as started:
        started.open()
        started.rows(COLUMNS)
        for _ in range(3):
            assert started.ask("block", batch=1, samples=50, calls=1, phases=True).kind == "block"
            assert started.ask("memory").kind == "memory"


@pytest.mark.parametrize("deed", ["orphan", "orphan and die"])
def test_what_a_worker_starts_ends_with_it_and_does_not_hide_its_death(deed: str) -> None:
    ours, theirs = os.pipe()
    with Worker(job(deed), shares=[theirs]) as started:
        os.close(theirs)
        started.open()
        started.rows(COLUMNS)
        if deed == "orphan":
            started.ask("block", batch=1, samples=50, calls=1, phases=True)
        else:
            with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
                started.ask("block", timeout_s=20, batch=1, samples=50, calls=1, phases=True)
    assert select.select([ours], [], [], 20)[0]  # nobody holds the other end any more
    assert os.read(ours, 1) == b""
    os.close(ours)


def test_a_shared_worker_that_dies_leaves_a_note_of_whose_block_it_was() -> None:
    with tempfile.TemporaryFile() as mark:
        mark.truncate(MARK_BYTES)
        shape = {"batch": 1, "samples": 50, "calls": 1, "phases": False, "split": False}
        with Worker(job(), shares=[mark.fileno()]) as started:
            for seat, deed in ((0, "none"), (3, "killed")):
                started.open(job(deed), seat=seat, mark=mark.fileno())
                started.rows(COLUMNS, seat=seat)
            how: dict[str, Any] = {"starts": [0, 0], "limit_ns": 10**9, "shapes": {"0": shape, "3": shape}}
            started.ask("rounds", orders=[[0], [0]], **how)
            assert os.pread(mark.fileno(), MARK_BYTES, 0) == bytes(MARK_BYTES)
            with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
                started.ask("rounds", orders=[[0, 3], [3, 0]], **how)
        assert int.from_bytes(os.pread(mark.fileno(), MARK_BYTES, 0), "little") == 4


def test_an_engine_s_own_error_keeps_its_type_and_its_hint() -> None:
    with Worker(job("refuse")) as started, pytest.raises(errors.EngineError, match="no such luck") as caught:
        started.open()
    assert caught.value.hint == "try another"


def test_a_worker_killed_from_outside_is_a_crash_also_when_spoken_to_later(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
        worker.ask("memory")


def test_each_question_that_was_sent_ahead_ends_in_the_same_crash(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    for _ in range(2):
        worker.post(Message("memory"))
    for _ in range(2):
        with pytest.raises(errors.WorkerCrashed, match="SIGKILL"):
            worker.hear("memory")


def test_an_answer_that_is_not_understood_ends_every_question_in_the_same_error(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def garbled(*_: object) -> None:
        raise ValueError("no such dtype")

    monkeypatch.setattr(pool, "receive", garbled)
    for _ in range(2):
        worker.post(Message("memory"))
    for _ in range(2):
        with pytest.raises(errors.WorkerError, match="not understood: no such dtype"):
            worker.hear("memory")


def test_a_worker_that_was_closed_is_a_crash_to_whoever_still_waits(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed_meanwhile(*_: object) -> None:
        raise TypeError("an integer is required")

    worker.close()
    worker.post(Message("memory"))
    monkeypatch.setattr(pool, "send", closed_meanwhile)
    worker.post(Message("memory"))
    with pytest.raises(errors.WorkerCrashed):
        worker.hear("memory")


def test_an_interpreter_that_is_not_there_is_one_line() -> None:
    with pytest.raises(errors.WorkerError, match="cannot be started"):
        Worker(job(interpreter="/nowhere/python"))


@pytest.mark.parametrize("step", ["tempfile.TemporaryFile", "Pipe", "subprocess.Popen"])
@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left"), OSError(errno.EMFILE, "Full"), MemoryError()]
)
def test_a_machine_that_cannot_start_a_worker_is_one_line_and_nothing_is_left_open(
    step: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault

    opened = os.listdir("/proc/self/fd")
    monkeypatch.setattr(f"infer_bench.workers.pool.{step}", refuse)
    with pytest.raises(errors.WorkerError, match=r"cannot be started: (No space left|Full|out of memory)$") as raised:
        Worker(job())
    assert raised.value.exit_code == 6
    assert os.listdir("/proc/self/fd") == opened


def test_only_numbers_cross_as_arrays(worker: Worker) -> None:
    with pytest.raises(ValueError, match="may not cross"):
        worker.say(Message("rows", {"names": ["a"], "lists": {}}, {"c0": np.array([object()])}))


def test_nonsense_from_a_worker_is_not_believed() -> None:
    with Worker(job()) as started, pytest.raises(errors.EngineError, match="unknown request"):
        started.ask("no_such_thing")
