"""Streams that are closed, full or of no width: the exit code stays what the command has to say."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from infer_bench.report.serialize import dump
from tests import reports
from tests.cli.terminal import read_all

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
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
    process = shell(f"{command} {stderr}")
    assert (process.returncode, process.stdout) == (code, "")


def test_a_result_is_written_though_stderr_is_closed(report_file: Path) -> None:
    process = shell(f"show {report_file} 2>&-")
    assert process.returncode == 0
    assert process.stdout.startswith("credit")


@pytest.mark.parametrize("command", ["show {}", "show {} -f markdown", "doctor --quick", "engines"])
@pytest.mark.parametrize("stdout", [">&-", ">/dev/full"])
def test_a_stdout_that_takes_nothing_cannot_run(report_file: Path, command: str, stdout: str) -> None:
    process = shell(f"{command.format(report_file)} {stdout}")
    assert process.returncode == 6
    assert process.stderr.startswith("error: cannot write to stdout: ")
    assert process.stderr.count("\n") == 1


def test_a_version_that_cannot_be_written_is_no_regression() -> None:
    process = shell("--version >/dev/full")
    assert (process.returncode, process.stderr) == (6, "")


def test_a_terminal_that_does_not_know_its_width_loses_nothing(report_file: Path) -> None:
    ours, theirs = pty.openpty()  # 0 columns, until somebody says how many
    process = subprocess.Popen([sys.executable, "-m", "infer_bench", "show", str(report_file)], stdout=theirs)
    os.close(theirs)
    text = read_all(ours)
    assert process.wait() == 0
    assert b"p50" in text
    assert b"rows/s" in text
