"""What is left of a comparison that does not come to its end: a report that can be read, the table, the right code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.measure.validate.partial_reports import EVERY_S, PartialReports
from infer_bench.progress import Silent
from infer_bench.report.serialize import load_report
from tests.cli.waiting import wait_for_file

ROOT = Path(__file__).parents[2]
ROWS = 140_000
"""Two whole batches and a third, in which the last row is the one that nobody comes beyond."""
WHOLE = 131_072


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("rows") / "rows.npz"
    column = np.arange(float(ROWS))
    column[-1] = -1
    np.savez(path, a=column)
    return str(path)


def start_validate(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "infer_bench", "validate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        process_group=0,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_comparison_leaves_what_was_compared(rows: str, tmp_path: Path, number: signal.Signals) -> None:
    json_file = tmp_path / "report.json"
    arguments = ["tests.cli.stuck:waits", "tests.cli.stuck:doubles", "--data", rows, "--json", str(json_file)]
    running = start_validate(*arguments, "--atol", "1e9")
    wait_for_file(json_file, running)
    os.killpg(running.pid, number)
    output, errors = running.communicate(timeout=600)
    report = load_report(json_file)
    assert not report.complete
    assert report.verdict is None
    (group,) = report.results[0].groups
    assert 0 < group.rows <= WHOLE
    assert group.max_abs_delta > 0
    assert run(["show", str(json_file)]) == 0
    if number == signal.SIGINT:
        assert running.returncode == 130
        assert f"a partial report is on stdout and in {json_file}\ninterrupted" in errors
        assert "The comparison was not finished." in output
        assert f"{group.rows:,}" in output


def test_a_reference_that_dies_on_the_way_leaves_what_was_compared(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    json_file = tmp_path / "report.json"
    models = ["tests.cli.stuck:dies", "tests.cli.stuck:doubles"]
    assert run(["validate", *models, "--data", rows, "--json", str(json_file), "--atol", "1e9"]) == 6
    report = load_report(json_file)
    assert not report.complete
    assert report.results[0].groups[0].rows == WHOLE
    output = capsys.readouterr()
    assert "The comparison was not finished." in output.out
    assert "SIGABRT" in output.err


def test_a_candidate_that_dies_on_the_way_keeps_what_it_answered(
    rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    json_file = tmp_path / "report.json"
    models = ["tests.cli.stuck:doubles", "tests.cli.stuck:dies"]
    assert run(["validate", *models, "--data", rows, "--json", str(json_file), "--atol", "1e9"]) == 6
    (result,) = load_report(json_file).results
    assert result.groups[0].rows == WHOLE
    assert "SIGABRT" in str(result.failed)


def test_a_report_is_written_at_once_and_then_every_few_seconds() -> None:
    now, times = [0.0], []
    partial_reports = PartialReports(Silent(), lambda: times.append(now[0]), clock=lambda: now[0])
    for at in (0.0, 1.0, EVERY_S - 0.1, EVERY_S, EVERY_S + 1, 3 * EVERY_S):
        now[0] = at
        partial_reports.update(0.5, "on the way")
    assert times == [0.0, EVERY_S, 3 * EVERY_S]
