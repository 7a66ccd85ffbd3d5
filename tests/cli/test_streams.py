"""Streams that are closed, full or of no width: the exit code stays what the command has to say."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from infer_bench.report.serialize import dump
from tests import reports
from tests.cli.terminal import shown_on

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(dump(reports.report(*reports.credit())))
    return path


def shell(arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run infer-bench with redirections."""
    return subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m infer_bench {arguments}"], capture_output=True, text=True
    )


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize(("command", "code"), [("bench nowhere.onnx", 6), ("nonsense", 2), ("bench x --batch 0", 2)])
def test_a_stderr_that_takes_nothing_changes_neither_stdout_nor_the_exit_code(
    command: str, code: int, stderr: str
) -> None:
    done = shell(f"{command} {stderr}")
    assert (done.returncode, done.stdout) == (code, "")


def test_a_result_is_written_though_stderr_is_closed(saved: Path) -> None:
    done = shell(f"show {saved} 2>&-")
    assert done.returncode == 0
    assert done.stdout.startswith("credit")


@pytest.mark.parametrize("command", ["show {}", "show {} -f markdown", "doctor --quick", "engines"])
@pytest.mark.parametrize("stdout", [">&-", ">/dev/full"])
def test_a_stdout_that_takes_nothing_cannot_run(saved: Path, command: str, stdout: str) -> None:
    done = shell(f"{command.format(saved)} {stdout}")
    assert done.returncode == 6
    assert done.stderr.startswith("error: cannot write to stdout: ")
    assert done.stderr.count("\n") == 1


def test_a_version_that_cannot_be_written_is_no_regression() -> None:
    done = shell("--version >/dev/full")
    assert (done.returncode, done.stderr) == (6, "")


def test_a_terminal_that_does_not_know_its_width_loses_nothing(saved: Path) -> None:
    ours, theirs = pty.openpty()  # 0 columns, until somebody says how many
    process = subprocess.Popen([sys.executable, "-m", "infer_bench", "show", str(saved)], stdout=theirs)
    os.close(theirs)
    shown = shown_on(ours)
    assert process.wait() == 0
    assert b"p50" in shown
    assert b"rows/s" in shown
