"""What is told to GitHub Actions, and that nothing is told elsewhere."""

import os
from pathlib import Path

import pytest

from infer_bench.cli.github import tell_github
from infer_bench.reporters.github import SUMMARY_BYTES, annotate, summarize
from tests import gate_reports


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def test_elsewhere_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    tell_github(gate_reports.regressed())

    assert capsys.readouterr() == ("", "")


def test_annotations_go_to_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    tell_github(gate_reports.regressed())

    assert capsys.readouterr() == ("", annotate(gate_reports.regressed()))


def test_the_summary_is_appended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("# Earlier\n\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    tell_github(gate_reports.regressed())
    tell_github(gate_reports.passing())

    summaries = "# Earlier\n\n" + summarize(gate_reports.regressed()) + summarize(gate_reports.passing())
    assert path.read_text(encoding="utf-8") == summaries
    assert capsys.readouterr() == ("", "")


def test_a_summary_leaves_room_for_what_stands_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_bytes(b"x" * (SUMMARY_BYTES - 300))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    tell_github(gate_reports.several())

    assert SUMMARY_BYTES - 300 < path.stat().st_size <= SUMMARY_BYTES


@pytest.mark.parametrize("name", ["", "missing/folder/summary.md", "."])
def test_a_summary_that_cannot_be_written_fails_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", os.path.join(tmp_path, name) if name else "")
    tell_github(gate_reports.regressed())

    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == (1 if name else 0)
    assert not name or err.startswith("note: no step summary was written: ")
