"""A run that is broken off: what was measured is said to be partial, and what was measured before is not lost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infer_bench.cli.delivery import Delivery
from infer_bench.cli.main import run
from infer_bench.cli.partial import SAYS_PARTIAL
from infer_bench.measure.profile.stages import CandidateRun
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.report.common import Report
from infer_bench.report.serialize import load_report
from infer_bench.reporters.registry import find, names, render
from infer_bench.workers.process import Worker
from tests import gate_reports, reports
from tests.cli.gating import model

pytestmark = pytest.mark.usefixtures("fake_engines")
GOOD = b"a good report"
FILES = ("good.json", "good.md")
TO_FILES = ["--json", FILES[0], "-o", FILES[1], "-f", "markdown"]


@pytest.fixture
def good_files(fake_engines: None) -> None:
    for name in FILES:
        Path(name).write_bytes(GOOD)


@pytest.fixture
def commands(rows: str) -> dict[str, list[str]]:
    """Every command that measures in workers, to files that are there already."""
    gate = [model("new"), "-d", rows, "-e", "filed", "--against", model("old"), "--max-regression", "400%"]
    return {
        "bench": ["bench", "tests.fakes:do", "-d", rows, "-e", "fake", *TO_FILES],
        "gate": ["bench", *gate, *TO_FILES],
        "validate": ["validate", "tests.cli.stuck:doubles", "tests.cli.stuck:halves", "-d", rows, *TO_FILES],
        "profile": ["profile", "tests.cli.stuck:doubles", "-d", rows, *TO_FILES],
        "self-test": ["bench", "--self-test", "--hogs", "0", "--json", FILES[0]],
    }


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("command", ["bench", "gate", "validate", "profile", "self-test"])
@pytest.mark.usefixtures("good_files")
def test_nothing_is_written_while_nothing_was_measured(
    commands: dict[str, list[str]], command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Worker, "ask", interrupt)
    monkeypatch.setattr(Worker, "post", interrupt)
    assert run(commands[command]) == 130
    assert [Path(name).read_bytes() for name in FILES] == [GOOD, GOOD]
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines()[-1] == "interrupted"
    assert "note: nothing was measured yet, so nothing was written to good.json" in output.err


def test_without_files_there_is_nothing_to_say_of_them(
    rows: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Worker, "ask", interrupt)
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake"]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


@pytest.fixture
def interrupted_after_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    measure = Scheduler.run

    def run_one_round(self: Scheduler, save: Callable[[], None]) -> None:
        measure(self, interrupt)

    monkeypatch.setattr(Scheduler, "run", run_one_round)


@pytest.mark.parametrize("command", ["bench", "gate"])
@pytest.mark.usefixtures("good_files", "interrupted_after_a_round")
def test_a_partial_report_is_written_and_the_terminal_says_where(
    commands: dict[str, list[str]], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(commands[command]) == 130
    report = load_report(FILES[0])
    assert not report.complete
    assert report.has_measurements
    assert "not finished" in Path(FILES[1]).read_text()
    note = "note: the run was broken off: a partial report is in good.json and good.md"
    assert capsys.readouterr().err.splitlines()[-2:] == [note, "interrupted"]


@pytest.mark.usefixtures("good_files", "interrupted_after_a_round")
def test_a_format_that_cannot_say_that_it_is_partial_is_not_written(
    rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = ["-f", "csv", "-o", FILES[1]]
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake", *csv]) == 130
    assert Path(FILES[1]).read_bytes() == GOOD
    assert "a partial report is written nowhere" in capsys.readouterr().err


@pytest.mark.usefixtures("interrupted_after_a_round")
def test_without_a_file_the_terminal_shows_what_was_measured(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake"]) == 130
    output = capsys.readouterr()
    assert "The run was not finished" in output.out
    assert "a partial report is on stdout\n" in output.err


def test_a_profile_that_saw_no_function_yet_leaves_the_file_of_the_profiler_alone(
    rows: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(CandidateRun, "_time_steps", interrupt)
    Path("good.prof").write_bytes(GOOD)
    files = ["-o", "good.prof", "--json", "new.json", "--requests", "4"]
    assert run(["profile", "tests.cli.stuck:doubles", "-d", rows, *files]) == 130
    assert Path("good.prof").read_bytes() == GOOD
    assert not load_report("new.json").complete
    output = capsys.readouterr()
    assert "The run was not finished" in output.out
    assert output.err.splitlines()[-2:] == [
        "note: the run was broken off: a partial report is on stdout and in new.json",
        "interrupted",
    ]


@pytest.mark.parametrize("format", sorted(SAYS_PARTIAL))
def test_a_format_of_partial_reports_says_so(format: str) -> None:
    if format == "html":
        pytest.importorskip("jinja2")
    for report in (reports.report(), gate_reports.regressed()):
        partial: Report[Any] = replace(report, complete=False, verdict=None)
        text = render(partial, format)
        assert "not finished" in text or '"complete": false' in text or '"complete":false' in text


def test_the_formats_of_partial_reports_are_formats() -> None:
    assert set(names()) >= SAYS_PARTIAL
    assert all("bench" in find(name, "bench").commands for name in SAYS_PARTIAL)


def test_what_was_saved_is_told_though_it_cannot_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    partial = replace(reports.report(), complete=False, verdict=None)
    (tmp_path / "gone").mkdir()
    to = Delivery(str(tmp_path / "a.json"), output=str(tmp_path / "gone" / "a.txt"))

    def save_and_interrupt() -> None:
        with to.open_files("bench") as save:
            save(partial)
            (tmp_path / "gone").rmdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_and_interrupt()
    assert load_report(tmp_path / "a.json") == partial
    note = capsys.readouterr().err
    assert "a partial report is in" in note
    assert "a.txt" not in note
