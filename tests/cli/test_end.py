"""A signal that asks for an end gets it at once, whatever a worker is doing: nothing is waited for but its end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from infer_bench.cli.main import run
from infer_bench.cli.progress import ProgressLine
from infer_bench.measure.gate.trial_gate import TrialGate
from infer_bench.measure.settings import Settings
from tests.cli.waiting import wait_for_child, wait_for_end

ROOT = Path(__file__).parents[2]
STUCK = "tests.cli.stuck_import:answer"
COMMANDS = {
    "bench": ["bench", STUCK],
    "gate": ["bench", STUCK, "--against", "tests.cli.stuck:doubles"],
    "validate": ["validate", "tests.cli.stuck:doubles", STUCK],
    "profile": ["profile", STUCK],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_worker_that_never_answers_keeps_nobody(command: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"a": 1}]')
    arguments = [*COMMANDS[command], "-d", str(tmp_path / "rows.json")]
    running = subprocess.Popen(
        [sys.executable, "-m", "infer_bench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    children = wait_for_child(running)
    running.send_signal(signal.SIGTERM)
    output, errors = running.communicate(timeout=100)  # the time limit of a worker is longer
    assert running.returncode == 128 + signal.SIGTERM
    assert (output, errors) == ("", "interrupted\n")
    for child in children:
        wait_for_end(child)


class EndlessRun:
    """A gate that runs until it is ended."""

    def __init__(self) -> None:
        self.began, self._end = threading.Event(), threading.Event()

    def run(self) -> None:
        self.began.set()
        assert self._end.wait(600)

    def end(self) -> None:
        self._end.set()


def test_trials_end_when_a_self_test_does() -> None:
    unused: Any = None
    gate, run = TrialGate(unused, unused, unused, Settings()), EndlessRun()
    running: set[Any] = gate._running
    running.add(run)
    thread = threading.Thread(target=run.run)

    def interrupt() -> None:
        with gate.ending_with_it():
            thread.start()
            run.began.wait()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    thread.join(600)
    assert not thread.is_alive()


def test_a_signal_that_a_library_swallowed_is_raised_by_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    def command(**_: object) -> None:
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), signal.SIGTERM)
        with ProgressLine() as progress:
            progress.update(0.5, "measuring")
        raise AssertionError("it went on")

    assert run([], command) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "interrupted\n"
    ProgressLine().update(0.5, "another run")
