"""`infer-bench bench --against` on fake engines in real workers: verdicts, and that no fault looks like one."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import infer_bench
from infer_bench.cli.main import run
from infer_bench.engines import registry
from infer_bench.errors import UsageError
from infer_bench.results import BenchReport
from infer_bench.serialize import load_report

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_models"
ONNX, ONNX_ROWS = SAMPLES / "tumour_zipmap.onnx", SAMPLES / "tumour.parquet"
FAKES = {"fake": "tests.fakes:FakeEngine", "filed": "tests.fakes:FakeFileEngine"}
WIDE = ["--max-regression", "400%"]
"""So far apart do no two fakes lie, however busy the machine is."""
DEEDS = {
    "killed": "SIGKILL",
    "segfault": "SIGSEGV",
    "exit": "exited with code 3",
    "raise": "boom in two lines",
    "refuse": "no such luck",
    "hang": "no answer",
}


@pytest.fixture(autouse=True)
def fake_engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **FAKES})
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.npz"
    generator = np.random.default_rng(0)
    np.savez(path, a=generator.normal(size=40), b=generator.normal(size=40))
    return str(path)


def model(name: str) -> str:
    """A file whose name tells `filed` what to do."""
    shutil.copy(ONNX, f"{name}.onnx")
    return f"{name}.onnx"


def processes(rows: str, candidate: str, against: str, *arguments: str) -> int:
    """A gate whose sides have other options, and so processes of their own."""
    return run(["bench", "tests.fakes:do", "-d", rows, "-e", candidate, "--against", against, *arguments])


def sessions(rows: str, candidate: str, against: str, *arguments: str) -> int:
    """A gate of two files of one engine: in one worker."""
    return run(["bench", model(candidate), "-d", rows, "-e", "filed", "--against", model(against), *arguments])


def saved() -> BenchReport:
    report: BenchReport = load_report(Path("report.json"))
    return report


TO_FILE = ["--json", "report.json"]


def keys(value: Any) -> Any:
    """The shape of a JSON document: names and nesting, without values; of a list, what its first entry looks like."""
    if isinstance(value, dict):
        return {name: keys(held) for name, held in value.items() if name not in ("packages", "options", "settings")}
    return [keys(value[0])] if isinstance(value, list) and value else None


def test_both_modes_pass_what_is_equal_and_write_reports_of_one_shape(
    rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shapes = []
    for gate, mode in ((processes, "processes"), (sessions, "sessions")):
        ours, theirs = ("fake", "fake:slope=1.5") if gate is processes else ("new", "old")
        assert gate(rows, ours, theirs, *WIDE, "--budget", "20s", *TO_FILE) == 0, capsys.readouterr()
        report = saved()
        assert report.gate is not None
        assert report.gate.mode == mode
        assert report.verdict is not None
        assert report.verdict.status == "pass"
        assert report.gate.layouts >= 8
        assert report.gate.baseline.executable == sys.executable
        assert "numpy" in report.gate.sides[0].packages
        p50, _ = report.gate.checks
        assert (p50.metric, p50.outcome) == ("p50", "pass")
        assert p50.would_see is not None
        assert run(["show", "report.json"]) == 0
        shapes.append(keys(json.loads(Path("report.json").read_text())))
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_candidate_that_fails_in_its_process_is_no_regression(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert processes(rows, f"fake:deed={deed}", "fake", "--timeout", "5", "--budget", "1s", *TO_FILE) == 6
    failed_as(deed, capsys)


@pytest.mark.parametrize("deed", ["killed", "refuse"])
def test_a_baseline_that_fails_in_its_process_is_no_pass(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert processes(rows, "fake", f"fake:deed={deed}", "--budget", "1s", *TO_FILE) == 6
    failed_as(deed, capsys)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_candidate_that_fails_in_a_shared_worker_is_no_regression(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert sessions(rows, deed, "old", "--timeout", "5", "--budget", "1s", *TO_FILE) == 6
    failed_as(deed, capsys)


@pytest.mark.parametrize("deed", ["segfault", "refuse"])
def test_a_baseline_that_fails_in_a_shared_worker_is_no_pass(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert sessions(rows, "new", deed, "--budget", "1s", *TO_FILE) == 6
    failed_as(deed, capsys)


def failed_as(deed: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = capsys.readouterr()
    assert DEEDS[deed] in said.err
    assert "Traceback" not in said.err
    report = saved()
    assert report.complete
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("failed", 6)
    assert any(result.failed and DEEDS[deed] in result.failed for result in report.results)
    assert report.gate is not None
    assert {check.outcome for check in report.gate.checks} == {"failed"}


def test_one_candidate_of_two_that_fails_fails_the_gate_and_the_other_is_judged(rows: str) -> None:
    both = ["-e", "fake:slope=2.0", "-e", "fake:deed=killed", "--against", "fake", "--budget", "1s"]
    assert run(["bench", "tests.fakes:do", "-d", rows, *both, *TO_FILE]) == 6
    base, good, bad = saved().results
    assert base.failed is None
    assert good.failed is None
    assert good.speedup is not None
    assert bad.failed is not None


def test_other_answers_are_shown_and_fail_only_where_a_difference_is_limited(rows: str) -> None:
    asked = [*WIDE, "--budget", "1s", *TO_FILE]
    assert processes(rows, "fake:slope=1.5", "fake", *asked) in (0, 3)
    assert saved().results[-1].max_abs_delta == pytest.approx(0.1, abs=0.1)
    assert processes(rows, "fake:slope=1.5", "fake", *asked, "--max-delta", "1e-6") == 4
    verdict = saved().verdict
    assert verdict is not None
    assert verdict.status == "different"


def test_an_absolute_limit_needs_no_baseline(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    limits = ["--limit", "fake.p50<1s", "--limit", "p50<1ns", "--budget", "20s"]
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake", *limits, *TO_FILE]) == 1
    assert "beyond its limit" in capsys.readouterr().err
    gate = saved().gate
    assert gate is not None
    assert gate.mode == "absolute"
    assert [check.outcome for check in gate.checks] == ["pass", "regressed"]


@pytest.mark.parametrize(("choice", "code"), [("3", 3), ("pass", 0), ("fail", 1)])
def test_a_budget_that_cannot_tell_is_inconclusive(rows: str, choice: str, code: int) -> None:
    assert sessions(rows, "new", "old", "--budget", "10ms", "--inconclusive", choice, *TO_FILE) == code
    verdict = saved().verdict
    assert verdict is not None
    assert verdict.status == "inconclusive"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rounds", "3"], "as many rounds"),
        (["--max-regression", "0%"], "never so small"),
        (["--limit", "p50"], "no limit"),
        (["--limit", "fakes.p50<1ms"], "concerns none of the candidates: fake"),
        (["--inconclusive", "maybe"], "one of: 3, pass, fail"),
        (["--budget", "0s"], "no time"),
        (["--against-python", sys.executable, "--max-regression", "1%"], "between environments"),
    ],
)
def test_what_makes_no_sense_is_refused(
    rows: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert processes(rows, "fake", "fake:slope=2.0", *arguments) == 2
    assert all(word in capsys.readouterr().err for word in words.split(": ")[:1])


def test_the_project_holds_limits(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text('[tool.infer-bench]\nlimits = ["fake.p50<1ns", "lightgbm.p50<1ms"]\n')
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake", "--budget", "20s"]) == 1
    assert "lightgbm.p50<1ms" in capsys.readouterr().out
    Path("pyproject.toml").write_text("[tool.infer-bench")
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake"]) == 2


@pytest.mark.parametrize("content", [None, b"", b"a,b\n1,2\n", b"\x08\x07" + bytes(50)])
def test_a_baseline_that_is_no_model_cannot_run(
    rows: str, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    if content is not None:
        Path("broken.onnx").write_bytes(content)
    assert run(["bench", model("new"), "-d", rows, "-e", "filed", "--against", "broken.onnx"]) == 6
    assert capsys.readouterr().err.count("\n") <= 2


def test_a_full_disk_is_said_before_anything_is_measured(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert processes(rows, "fake", "fake:deed=killed", "--json", "/dev/full") == 6
    assert "No space left" in capsys.readouterr().err


def test_no_rows_cannot_run(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("none.npz", a=np.zeros(0), b=np.zeros(0))
    assert processes("none.npz", "fake", "fake:slope=2.0") == 6
    assert "no rows" in capsys.readouterr().err


def test_rows_of_nan_are_answered_alike(tmp_path: Path) -> None:
    np.savez("nan.npz", a=np.full(30, np.nan), b=np.full(30, np.nan))
    assert sessions("nan.npz", "new", "old", *WIDE, "--max-delta", "0", "--budget", "20s", *TO_FILE) == 0
    assert saved().results[-1].non_finite_mismatches == 0


def test_models_of_different_inputs_are_timed_and_their_answers_not_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    against = ["--against", str(SAMPLES / "digits.txt"), "--budget", "10ms"]
    assert run(["bench", str(ONNX), *against, *TO_FILE]) == 3
    report = saved()
    assert report.results[-1].max_abs_delta is None
    assert report.results[-1].delta_note == "its baseline answered other rows"
    assert "own-rows" in [notice.code for notice in report.notices]
    assert run(["bench", str(ONNX), *against, "--max-delta", "0"]) == 2
    assert "--data" in capsys.readouterr().err


def test_a_library_that_the_other_environment_lacks_cannot_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lacks").mkdir()
    lacking = "raise ModuleNotFoundError(\"No module named 'onnxruntime'\", name='onnxruntime')\n"
    (tmp_path / "lacks" / "onnxruntime.py").write_text(lacking)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexport PYTHONPATH={tmp_path}/lacks:$PYTHONPATH\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    arguments = ["-d", str(ONNX_ROWS), "--against-python", str(python), "--budget", "1s", *TO_FILE]
    assert run(["bench", str(ONNX), *arguments]) == 6
    assert "onnxruntime" in capsys.readouterr().err
    report = saved()
    assert [result.failed is None for result in report.results].count(False) >= 1


def test_ctrl_c_leaves_a_readable_partial_report(rows: str, tmp_path: Path) -> None:
    code = (
        "import sys; from infer_bench.engines import registry; from infer_bench.__main__ import main\n"
        f"registry.BUILT_IN.update({FAKES!r}); sys.exit(main())"
    )
    arguments = ["bench", model("new"), "-d", rows, "-e", "filed", "--against", model("old"), "--budget", "600s"]
    started = subprocess.Popen(
        [sys.executable, "-c", code, *arguments, "--max-regression", "0.5%", *TO_FILE],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        process_group=0,
        text=True,
    )
    while not Path("report.json").exists() and started.poll() is None:
        pass
    os.killpg(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert said.strip() == "interrupted"
    report = saved()
    assert not report.complete
    assert report.verdict is None
    assert report.gate is not None
    assert report.gate.layouts >= 1
    assert run(["show", "report.json"]) == 0


def test_notebooks_can_gate_too(rows: str) -> None:
    report = infer_bench.bench(
        [model("new")],
        data=rows,
        candidates=["filed"],
        against=model("old"),
        max_regression="400%",
        limits="p50<1s",
        max_delta=0.0,
        budget_s=20.0,
    )
    assert report.verdict is not None
    assert report.verdict.status == "pass"
    assert report.gate is not None
    assert [check.kind for check in report.gate.checks] == ["regression", "regression", "limit", "delta"]
    with pytest.raises(UsageError, match="something to compare with"):
        infer_bench.bench([model("new")], max_regression="5%")
