"""Gates on fake engines in real workers, for the tests of the command line."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.report.bench import BenchReport
from infer_bench.report.serialize import load_report

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_models"
ONNX, ONNX_ROWS = SAMPLES / "tumour_zipmap.onnx", SAMPLES / "tumour.parquet"
FAKES = {"fake": "tests.fakes:FakeEngine", "filed": "tests.fakes:FakeFileEngine"}
WIDE = ["--max-regression", "400%"]
"""So far apart do no two fakes lie, however busy the machine is."""
INCONCLUSIVE = 3
BUDGETS = ("1s", "20s", "10m")
TO_THE_END = ["--budget", "10m"]
"""Of a gate that something else ends: on a busy machine a start alone takes long."""
ROOMY = ("30s", "10m")
"""Of a gate that starts two processes a layout: 1 s holds no eight of them, as a verdict takes."""
TO_FILE = ["--json", "report.json"]
DEEDS = {
    "killed": "SIGKILL",
    "segfault": "SIGSEGV",
    "exit": "exited with code 3",
    "raise": "boom in two lines",
    "refuse": "no such luck",
    "hang": "no answer",
}


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


def until_decided(gate: Callable[..., int], *arguments: str, budgets: Sequence[str] = BUDGETS) -> int:
    """The exit code of a gate with the first budget that is enough: a busy machine takes longer to tell."""
    code = INCONCLUSIVE
    for budget in budgets:
        code = gate(*arguments, "--budget", budget)
        if code != INCONCLUSIVE:
            break
    return code


def load_saved() -> BenchReport:
    report: BenchReport = load_report(Path("report.json"))
    return report


def failed_as(deed: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = capsys.readouterr()
    assert DEEDS[deed] in output.err
    assert "Traceback" not in output.err
    report = load_saved()
    assert report.complete
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("failed", 6)
    assert any(result.failed and DEEDS[deed] in result.failed for result in report.results)
    assert report.gate is not None
    assert {check.outcome for check in report.gate.checks} == {"failed"}
