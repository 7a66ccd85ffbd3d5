"""A command in a process of its own: what it comes to, and that it does not outlive its starter."""

import os
import signal
from pathlib import Path

import pytest

from infer_bench.measure import command_process
from infer_bench.measure.command_process import run_command


def test_exit_code_and_errors_come_back(tmp_path: Path) -> None:
    assert run_command(["--version"], str(tmp_path)).returncode == 0
    process = run_command(["merge", "gone.json"], str(tmp_path))
    assert process.returncode == 6
    assert b"error: gone.json" in process.stderr


def test_it_ends_when_the_pipe_from_its_starter_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = iter([b"x", b""])
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "read", lambda descriptor, size: next(contents))
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    monkeypatch.setattr("time.sleep", lambda seconds: signals.append((os.getpid(), 0)))
    command_process._end_with_starter()
    assert signals == [(os.getpid(), number) for number in (signal.SIGTERM, 0, signal.SIGKILL)]
