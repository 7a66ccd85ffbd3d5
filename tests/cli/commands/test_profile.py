"""`infer-bench profile` from the command line, on functions and models of the test's own, in real workers."""

import json
import os
import pstats
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.measure.profile.prof_file import unpack
from infer_bench.report.serialize import load_report
from tests.cli.quiet import closing_without_noise

ROOT = Path(__file__).parents[3]
QUICK = ["--requests", "40"]

SERVICE = """
import asyncio

import pandas as pd
from sklearn.linear_model import LogisticRegression

COLUMNS = [f"column_{i}" for i in range(4000)]
MODEL = LogisticRegression().fit([[0.0] * 4000, [1.0] * 4000], [0, 1])

def predict_credit_score(application):
    row = {name: 0.0 for name in COLUMNS}
    row.update(application)
    frame = pd.DataFrame([row]).reindex(columns=COLUMNS)
    score = MODEL.predict_proba(frame.to_numpy())[0, 1]
    return {"score": float(score), "decision": "accept" if score > 0.5 else "refuse"}


async def awaited(application):
    return await asyncio.to_thread(predict_credit_score, application)
"""

LIGHT = """
import os, sys

seen = 0


def plain(application):
    return application["x"] * 2.0


def inner(application):
    raise LookupError("no such customer\\nand a second line")


def raises(application):
    return inner(application)


def raises_later(application):
    global seen
    seen += 1
    return inner(application) if seen > 100 else 1.0


def nothing(application):
    return None


def exits(application):
    sys.exit(3)


def dies(application):
    os._exit(3)


def slow(application):
    return sum(range(20000)) * 1.0
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "light.py").write_text(LIGHT)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "record.json").write_text(json.dumps({"column_1": 2.5, "column_7": 1, "x": 3, "nested": {"a": [1]}}))
    return tmp_path


def calls(profile: str, file: Path, name: str) -> int:
    """How often a function was called, as pstats reads it."""
    table = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return sum(entry[1] for key, entry in table.items() if (key[0], key[2]) == (str(file), name))


def profile(*arguments: str) -> int:
    return run(["profile", *arguments])


def test_a_function_that_builds_a_frame_is_told_so_and_its_phases_sum_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame of 4,000 columns takes many times longer than the model, however busy the machine is."""
    arguments = ("service:predict_credit_score", "--input", "record.json", "--split", "--json", "r.json")
    assert profile(*arguments, "-o", "a.prof", *QUICK) == 0
    output = capsys.readouterr()
    report = load_report("r.json")
    row = report.results[0]
    assert row.candidate == "service:predict_credit_score"
    assert row.does["predict"] == "LogisticRegression.predict_proba"
    typical = row.typical
    parts = typical.preprocess_ns + typical.predict_ns + typical.postprocess_ns
    assert parts + row.unaccounted_ns == typical.request_ns
    assert typical.preprocess_ns > typical.predict_ns
    assert {step.name for step in row.steps if step.phase == "preprocess"} >= {"DataFrame build", "reindex"}
    assert re.match(r"DataFrames take \d\d % of the request", closing_without_noise(report))
    assert "LogisticRegression.predict_proba" in output.out
    assert "view: infer-bench profile --view a.prof" in output.err
    assert calls("a.prof", folder / "service.py", "predict_credit_score") == 40
    assert unpack("a.prof")[1] == report


def test_an_async_function_is_awaited_and_its_model_call_is_seen_in_another_thread(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert profile("service:awaited", "--input", "record.json", "--profiler", "none", "--format", "json", *QUICK) == 0
    row = json.loads(capsys.readouterr().out)["results"][0]
    assert row["does"]["predict"] == "LogisticRegression.predict_proba"
    assert row["functions"] == []


def test_records_reach_the_function_as_they_stand_in_the_file(folder: Path) -> None:
    (folder / "echo.py").write_text(
        "def f(r):\n    assert r == {'a': 1, 'b': [1, 'x'], 'c': None}, r\n    return 1.0\n"
    )
    (folder / "one.json").write_text('[{"a": 1, "b": [1, "x"], "c": null}]')
    assert profile("echo:f", "--input", "one.json", "--profiler", "none", *QUICK) == 0


def test_a_function_without_a_model_is_not_divided(capsys: pytest.CaptureFixture[str]) -> None:
    assert profile("light:plain", "--input", "record.json", "--profiler", "none", *QUICK) == 0
    out = capsys.readouterr().out
    assert "the whole function" in out
    assert "cannot be told apart" in out
    assert "faster engine" not in out


@pytest.mark.parametrize(
    ("target", "words", "frames"),
    [
        ("light:raises", "LookupError: no such customer", ["in raises: return inner", "in inner: raise LookupError"]),
        ("light:raises_later", "LookupError: no such customer", ["in raises_later", "in inner"]),
        ("light:exits", "SystemExit: 3", ["in exits: sys.exit(3)"]),
        ("light:dies", "exited with code 3", []),
        ("light:nothing", "returned nothing", []),
        ("light:absent", "no 'absent'", []),
        ("broken:f", "No module named 'nothing_of_this_name'", ["broken.py:1 in <module>"]),
        ("no_such_module:f", "no module 'no_such_module'", []),
    ],
)
def test_a_target_that_fails_is_one_line_with_the_users_frames_and_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], target: str, words: str, frames: list[str]
) -> None:
    (folder / "kept.prof").write_bytes(b"as it was")
    files = ("-o", "kept.prof", "--json", "new.json")
    assert profile(target, "--input", "record.json", *files, "--requests", "300") == 6
    output = capsys.readouterr()
    assert output.out == ""
    lines = [line for line in output.err.splitlines() if not line.startswith("hint: ")]
    assert lines[0].startswith("error: ")
    assert words in lines[0]
    assert all(line.startswith(("  light.py:", "  broken.py:")) for line in lines[1:])
    for line, frame in zip(lines[1:], frames, strict=True):
        assert frame in line
    assert not (folder / "new.json").exists()
    assert (folder / "kept.prof").read_bytes() == b"as it was"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profiler", "perf"], "one of: cprofile, pyinstrument, none"),
        (["--sort", "calls"], "one of: cumulative, own"),
        (["--requests", "0"], "requests"),
        (["--requests", "5", "--budget", "1"], "not both"),
        (["--requests", "5", "--budget", "500ms"], "not both"),
        (["--budget", "soon"], "no time"),
        (["--batch", "0"], "batch size"),
        (["--format", "pyinstrument"], "needs a file"),
        (["--format", "pstats", "-o", "-"], "needs a file"),
        (["--format", "yaml"], "yaml"),
        (["--profiler", "pyinstrument", "-o", "a.prof"], "does not write pstats"),
        (["--profiler", "cprofile", "-o", "a.pyinstrument.html"], "does not write pyinstrument"),
        (["--data", "rows.csv"], "not both"),
        (["--require-provider", "gpu"], "no provider 'gpu'"),
        (["-e", "light:plain", "-e", "light:slow", "-o", "a.prof"], "one candidate"),
        (["--diff", "light:plain", "-e", "light:plain"], "nothing to compare"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line_before_anything_runs(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert profile("light:plain", "--input", "record.json", *arguments) == 2
    output = capsys.readouterr()
    assert words in output.err
    assert output.out == ""
    assert "Traceback" not in output.err


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "[3]", "[{}]", "{", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]
)
def test_an_input_that_is_no_record_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (folder / "bad.json").write_text(text, encoding="utf-8")
    assert profile("light:plain", "--input", "bad.json") == 6
    assert capsys.readouterr().err.startswith("error: ")


def test_an_output_that_cannot_be_written_is_said_before_measuring(capsys: pytest.CaptureFixture[str]) -> None:
    assert profile("light:dies", "--input", "record.json", "-o", "no/a.prof") == 6
    assert "cannot write" in capsys.readouterr().err


def test_two_profiles_and_two_candidates_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    for name, function in (("before.prof", "slow"), ("after.prof", "plain")):
        assert profile(f"light:{function}", "--input", "record.json", "-o", name, *QUICK) == 0
    capsys.readouterr()
    assert profile("--diff", "before.prof", "after.prof") == 0
    text = capsys.readouterr().out
    assert re.search(r"request +\d.* -\d.* faster", text)
    assert re.search(r"light.py\(slow\) .* gone", text)
    assert profile("light:plain", "--input", "record.json", "--diff", "light:slow", *QUICK) == 0
    assert "from light:slow to light:plain" in capsys.readouterr().out
    assert profile("before.prof", "--diff", "record.json") == 2


def test_beside_another_candidate_a_failure_costs_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    candidates = ("-e", "light:raises", "-e", "light:slow")
    assert profile("light:plain", "--input", "record.json", *candidates, "--json", "r.json", *QUICK) == 6
    output = capsys.readouterr()
    assert "no such customer" in output.out
    assert output.err.startswith("failed: light:raises: ")
    bad, good = load_report("r.json").results
    assert "no such customer" in bad.failed
    assert good.request.samples > 0
    assert good.diff is None


def test_a_saved_profile_is_shown_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert profile("light:plain", "--input", "record.json", "-o", "a.prof", "--top", "3", *QUICK) == 0
    first = capsys.readouterr().out
    assert profile("a.prof", "--top", "3") == 0
    assert capsys.readouterr().out == first
    assert run(["show", "a.prof"]) != 0


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
