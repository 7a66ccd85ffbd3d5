"""A command that is forked from a process that has imported the libraries ends and speaks as one that is started."""

import gc
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.forking import ForkedPopen
from tests.forking.client import has_pidfd

pytestmark = pytest.mark.skipif(not has_pidfd(), reason="no pidfd to wait by")
COMMAND = [sys.executable, "-m", "infer_bench"]


def fork(arguments: list[str], **options: Any) -> "subprocess.Popen[Any]":
    """A process that was forked: the first ones of a kind are started."""
    while True:
        process = ForkedPopen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        if process._forked is not None:
            return process
        process.communicate()


@pytest.mark.parametrize("arguments", [["--version"], ["bench", "none.onnx"], ["bench", "--unheard-of"], ["engines"]])
def test_it_ends_and_speaks_as_one_that_is_started(arguments: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "60"}
    reference = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    process = fork(arguments, cwd=tmp_path, env=environment, text=True)
    assert process.communicate() == (reference.stdout, reference.stderr)
    assert process.returncode == reference.returncode


def test_no_socket_is_left_to_be_warned_of_at_exit(tmp_path: Path) -> None:
    fork(["--version"], cwd=tmp_path).communicate()
    sockets = [item for item in gc.get_objects() if isinstance(item, socket.socket) and item.fileno() >= 0]
    assert not [item for item in sockets if item.type == socket.SOCK_SEQPACKET]


def test_a_signal_ends_it_and_its_end_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report.json")  # which nobody writes
    process = fork(["show", str(tmp_path / "report.json")])
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
