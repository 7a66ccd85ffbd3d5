"""No fault comes out of a gate as a regression or a difference, and each leaves a report where one can be."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.report.serialize import load_report
from tests.cli.gating import (
    DEEDS,
    FAKES,
    ONNX,
    ONNX_ROWS,
    ROOT,
    TO_FILE,
    TO_THE_END,
    WIDE,
    failed_as,
    load_saved,
    model,
    processes,
    sessions,
    until_decided,
)
from tests.cli.waiting import LIMIT_S, wait_for_file

pytestmark = pytest.mark.usefixtures("fake_engines")
PARTIAL = "note: the run was broken off: a partial report is on stdout and in report.json\ninterrupted"


def limits(deed: str) -> list[str]:
    """Of a gate that ends with what its candidate does: no answer is waited for but that which never comes."""
    return [*TO_THE_END, *(["--timeout", "5"] if deed == "hang" else [])]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_candidate_that_fails_in_its_process_is_no_regression(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert processes(rows, f"fake:deed={deed}", "fake", *limits(deed), *TO_FILE) == 6
    failed_as(deed, capsys)


@pytest.mark.parametrize("deed", ["killed", "refuse"])
def test_a_baseline_that_fails_in_its_process_is_no_pass(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert processes(rows, "fake", f"fake:deed={deed}", *TO_THE_END, *TO_FILE) == 6
    failed_as(deed, capsys)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_candidate_that_fails_in_a_shared_worker_is_no_regression(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert sessions(rows, deed, "old", *limits(deed), *TO_FILE) == 6
    failed_as(deed, capsys)


@pytest.mark.parametrize("deed", ["segfault", "refuse"])
def test_a_baseline_that_fails_in_a_shared_worker_is_no_pass(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    assert sessions(rows, "new", deed, *TO_THE_END, *TO_FILE) == 6
    failed_as(deed, capsys)


def test_one_candidate_of_two_that_fails_fails_the_gate_and_the_other_is_judged(rows: str) -> None:
    both = ["-e", "fake:slope=2.0", "-e", "fake:deed=killed", "--against", "fake", *WIDE, "--budget", "20s"]
    assert run(["bench", "tests.fakes:do", "-d", rows, *both, *TO_FILE]) == 6
    base, good, bad = load_saved().results
    assert base.failed is None
    assert good.failed is None
    assert good.speedup is not None
    assert bad.failed is not None


@pytest.mark.parametrize("deed", ["killed", "raise"])
def test_one_model_of_two_that_fails_in_a_shared_worker_is_named_and_the_other_is_judged(
    rows: str, capsys: pytest.CaptureFixture[str], deed: str
) -> None:
    both = [model("good"), model(deed), "-d", rows, "-e", "filed", "--against", model("old")]
    assert run(["bench", *both, *WIDE, "--budget", "20s", *TO_FILE]) == 6
    assert load_saved().gate is not None
    failures = {Path(result.model.path).stem: result.failed for result in load_saved().results}
    assert {name for name, reason in failures.items() if reason} == {deed}
    assert DEEDS[deed] in str(failures[deed])
    assert deed in capsys.readouterr().err


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
    assert until_decided(sessions, "nan.npz", "new", "old", *WIDE, "--max-delta", "0", *TO_FILE) == 0
    assert load_saved().results[-1].non_finite_mismatches == 0


def test_a_library_that_the_other_environment_lacks_cannot_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lacks").mkdir()
    lacking = "raise ModuleNotFoundError(\"No module named 'onnxruntime'\", name='onnxruntime')\n"
    (tmp_path / "lacks" / "onnxruntime.py").write_text(lacking)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexport PYTHONPATH={tmp_path}/lacks:$PYTHONPATH\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    arguments = ["-d", str(ONNX_ROWS), "--against-python", str(python), *TO_THE_END, *TO_FILE]
    assert run(["bench", str(ONNX), *arguments]) == 6
    assert "onnxruntime" in capsys.readouterr().err
    report = load_saved()
    assert [result.failed is None for result in report.results].count(False) >= 1


def ended_by(number: int, arguments: list[str], *, first: str = "", **environment: str) -> tuple[int, str]:
    """How a run ends that gets a signal once its report is there: the exit code and stderr, but for the plan that it
    begins with. `first` is run before.
    """
    code = (
        "import sys; from infer_bench.engines import registry; from infer_bench.__main__ import main\n"
        f"{first}\nregistry.BUILT_IN.update({FAKES!r}); sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments, *TO_FILE],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        process_group=0,
        text=True,
    )
    wait_for_file(Path("report.json"), process)
    assert process.poll() is None, process.communicate()
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=LIMIT_S)
    return process.returncode, "\n".join(line for line in errors.splitlines() if not line.startswith("plan: "))


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_polite_kill_leaves_a_readable_partial_report(rows: str, name: str, code: int) -> None:
    sides = [model("new"), "-d", rows, "-e", "filed", "--against", model("old")]
    arguments = ["bench", *sides, "--budget", "600s", "--max-regression", "0.5%"]
    assert ended_by(getattr(signal, name), arguments) == (code, PARTIAL)
    report = load_saved()
    assert not report.complete
    assert report.verdict is None
    assert report.gate is not None
    assert report.gate.layouts >= 1
    assert run(["show", "report.json"]) == 0


def test_a_polite_kill_leaves_no_folder_behind(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "temporary").mkdir()
    sides = [str(ONNX), "-d", str(ONNX_ROWS), "--against-python", str(python)]
    arguments = ["bench", *sides, "--budget", "600s", "--max-regression", "5%"]
    assert ended_by(signal.SIGTERM, arguments, TMPDIR=str(tmp_path / "temporary")) == (143, PARTIAL)
    assert not list((tmp_path / "temporary").glob("infer-bench-*"))


def test_ctrl_c_in_a_self_test_keeps_the_trials_that_were_made() -> None:
    arguments = ["bench", "--self-test", "--trials", "1000", "--hogs", "0", "--budget", "300ms"]
    calibrated = (
        "from infer_bench.measure.gate import selftest; from infer_bench.measure.gate.trial_gate import Calibration\n"
        "selftest.calibrate = lambda gate: Calibration(request_ns=100_000, turn_ns=10.0)"
    )
    assert ended_by(signal.SIGINT, arguments, first=calibrated) == (130, PARTIAL)
    report = load_report("report.json")
    assert not report.complete
    assert run(["show", "report.json"]) == 0
