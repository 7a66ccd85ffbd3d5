"""`infer-bench profile` in a process of its own: what Ctrl-C leaves, and a page that ends with the command."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from infer_bench.report.serialize import load_report
from tests.cli.commands.profiling import QUICK, calls, enter_folder, profile

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_folder(tmp_path, monkeypatch)


def start_profile(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "infer_bench", "profile", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, process_group=0, text=True)


WAITING = """
import socket, sys

calls = 0


def profiled():
    monitoring = getattr(sys, "monitoring", None)
    return sys.getprofile() or (monitoring and monitoring.get_tool(monitoring.PROFILER_ID))


def f(record):
    global calls
    calls += bool(profiled())
    if calls == 3:
        with socket.create_connection(("127.0.0.1", {port})) as test:
            test.recv(1)
    return 1.0
"""
"""A function whose third request under a profiler waits until it is told to go on."""


def test_ctrl_c_writes_what_was_gathered(folder: Path) -> None:
    files = ("-o", "a.prof", "--json", "a.json")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(600)
        (folder / "waiting.py").write_text(WAITING.format(port=server.getsockname()[1]))
        running = start_profile("waiting:f", "--input", "record.json", *files, "--requests", "200")
        function, _ = server.accept()
        with function:
            os.killpg(running.pid, signal.SIGINT)
    _, output = running.communicate(timeout=600)
    assert running.returncode == 130
    assert "wrote a.prof" in output
    assert output.strip().endswith("interrupted")
    report = load_report("a.json")
    assert not report.complete
    row = report.results[0]
    assert 0 < row.profiled_requests == calls("a.prof", folder / "waiting.py", "f")


def test_snakeviz_shows_the_profile_over_loopback_and_ends_with_the_command(folder: Path) -> None:
    pytest.importorskip("snakeviz")
    assert profile("light:slow", "--input", "record.json", "-o", "a.prof", *QUICK) == 0
    running = start_profile("a.prof", "--view")
    assert running.stdout is not None
    address = next(line.strip() for line in running.stdout if line.startswith("http://127.0.0.1:"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=600) as response:
        page = response.read().decode()
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "light.py" in page
    assert "slow" in page
    assert all(place.startswith("/") for place in re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', page))
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=600)
    assert running.returncode in (0, 130)
    with pytest.raises(OSError, match="refused"):
        opener.open(address, timeout=600)
