"""`bench --save-baseline` and `--baseline` on fake engines in real workers."""

from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.gates.baseline import check_comparable
from infer_bench.measure.gate import stored as stored_run
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.report.bench import BenchReport
from infer_bench.report.common import Notice, Verdict
from infer_bench.report.serialize import load_report
from infer_bench.reporters.registry import render
from tests.cli.gating import TO_FILE, load_saved

pytestmark = pytest.mark.usefixtures("fake_engines")
OLD = b"a good one"
DIFFERING = ("threads 2 here, 1 in the baseline", "batch sizes 1, 2 here, 1 in the baseline")


def bench(rows: str, *arguments: str) -> int:
    return run(["bench", "tests.fakes:do", "-d", rows, *arguments])


def save(rows: str, *candidates: str) -> int:
    quick = ["--rounds", "3", "--processes", "3", "--save-baseline", "base.json"]
    return bench(rows, *(word for candidate in candidates for word in ("-e", candidate)), *quick)


def test_a_run_in_which_nothing_failed_is_kept(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("base.json").write_bytes(OLD)
    assert save(rows, "fake") == 0
    assert load_report("base.json").complete
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("before", [OLD, None])
@pytest.mark.parametrize("candidates", [["fake:deed=killed"], ["fake", "fake:deed=refuse"]])
def test_a_run_in_which_something_failed_leaves_the_baseline_as_it_was(
    rows: str, capsys: pytest.CaptureFixture[str], candidates: list[str], before: bytes | None
) -> None:
    base = Path("base.json")
    if before:
        base.write_bytes(before)
    assert save(rows, *candidates) == 6
    assert (base.read_bytes() if base.exists() else None) == before
    assert "no baseline was saved, base.json is as it was" in capsys.readouterr().err


def test_a_run_that_was_interrupted_leaves_the_baseline_as_it_was(
    rows: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("base.json").write_bytes(OLD)
    measure = Scheduler.run

    def interrupted(self: Scheduler, after_round: object) -> None:
        def after_a_round() -> None:
            raise KeyboardInterrupt

        measure(self, after_a_round)

    monkeypatch.setattr(Scheduler, "run", interrupted)
    assert save(rows, "fake") == 130
    assert Path("base.json").read_bytes() == OLD
    assert "no baseline was saved" in capsys.readouterr().err


def test_a_baseline_that_cannot_be_written_is_said_before_measuring(
    rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(rows, "-e", "fake:deed=killed", "--save-baseline", "none/base.json") == 6
    assert capsys.readouterr().err.startswith("error: cannot write none/base.json")


@pytest.mark.parametrize("path", ["-", ""])
def test_a_baseline_is_a_file(rows: str, capsys: pytest.CaptureFixture[str], path: str) -> None:
    assert bench(rows, "-e", "fake", "--save-baseline", path) == 2
    assert "--save-baseline keeps a file" in capsys.readouterr().err


def never(*_: object) -> None:
    raise AssertionError("it was measured")


def test_a_baseline_that_is_not_comparable_leaves_a_report_that_says_why(
    rows: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert save(rows, "fake") == 0
    capsys.readouterr()
    monkeypatch.setattr(Scheduler, "run", never)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    options = ["-e", "fake", "--threads", "2", "--batch", "1,2", "--baseline", "base.json", *TO_FILE]
    assert bench(rows, *options) == 5
    report = load_saved()
    assert report.complete
    assert report.gate is None
    assert {result.failed for result in report.results} == {"the baseline is not comparable"}
    assert report.verdict == Verdict("not-comparable", 5, DIFFERING)
    output = capsys.readouterr()
    assert "\nnot-comparable:\n  " + "\n  ".join(DIFFERING) + "\n" in output.out
    assert "--against OLD_MODEL" in output.out
    (error,) = [line for line in output.err.splitlines() if line.startswith("::error")]
    assert all(line in error for line in DIFFERING)
    assert f"not-comparable: {DIFFERING[0]}\nnot-comparable: {DIFFERING[1]}\nhint: run paired" in output.err
    assert all(f"\n- {line}\n" in Path("summary.md").read_text(encoding="utf-8") for line in DIFFERING)


def test_every_field_stands_on_lines_of_its_own_in_a_narrow_terminal(rows: str) -> None:
    assert save(rows, "fake") == 0
    assert bench(rows, "-e", "fake", "--threads", "2", "--batch", "1,2", "--baseline", "base.json", *TO_FILE) == 5
    lines = render(load_saved(), "table", width=30).splitlines()
    assert max(map(len, lines)) <= 30
    assert lines[-5:] == [
        "not-comparable:",
        "  threads 2 here, 1 in the",
        "    baseline",
        "  batch sizes 1, 2 here, 1 in",
        "    the baseline",
    ]


@pytest.mark.parametrize(("candidates", "code"), [(["fake"], 5), (["fake", "fake:deed=killed"], 6)])
def test_what_is_found_only_after_measuring_is_told_with_what_was_measured(
    rows: str, monkeypatch: pytest.MonkeyPatch, candidates: list[str], code: int
) -> None:
    assert save(rows, "fake") == 0
    compare = check_comparable

    def later(ours: BenchReport, baseline: BenchReport) -> tuple[Notice, ...]:
        return compare(ours, baseline) if ours.complete else ()

    monkeypatch.setattr(stored_run, "check_comparable", later)
    engines = [word for candidate in candidates for word in ("-e", candidate)]
    quick = ["--batch", "1,2", "--rounds", "2", "--processes", "2"]
    assert bench(rows, *engines, *quick, "--baseline", "base.json", *TO_FILE) == code
    report = load_saved()
    assert report.results[0].request is not None
    assert report.verdict is not None
    assert report.verdict.exit_code == code
    assert "batch sizes 1, 2 here, 1 in the baseline" in report.verdict.reasons


@pytest.mark.parametrize("limit", ["size=0%", "load=20%"])
def test_what_a_stored_baseline_cannot_judge_is_said(rows: str, capsys: pytest.CaptureFixture[str], limit: str) -> None:
    assert bench(rows, "-e", "fake", "--baseline", "none.json", "--max-regression", limit) == 2
    assert "judges percentiles only" in capsys.readouterr().err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_baseline_of_too_few_processes_is_refused_before_it_is_measured(
    rows: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    monkeypatch.setattr(Scheduler, "run", None)
    Path("base.json").write_bytes(OLD)
    assert bench(rows, "-e", "fake", "--processes", processes, "--save-baseline", "base.json") == 2
    assert "can never tell a regression: it takes 3" in capsys.readouterr().err
    assert Path("base.json").read_bytes() == OLD


def test_several_candidates_take_more_processes(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    candidates = [word for slope in ("1", "2", "3") for word in ("-e", f"fake:slope={slope}")]
    assert bench(rows, *candidates, "--processes", "3", "--save-baseline", "base.json") == 2
    assert "of 3 results in 3 processes" in capsys.readouterr().err
    assert not Path("base.json").exists()
