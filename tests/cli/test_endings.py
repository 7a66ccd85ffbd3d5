"""The name of a file says what it holds, unless --format says otherwise."""

import json
from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.report.serialize import dump
from tests import gate_reports, reports

BEGINNINGS = {
    "a.csv": "model,family",
    "a.md": "###",
    "a.MARKDOWN": "###",
    "a.xml": "<?xml",
    "a.html": "<!doctype html>",
    "a.htm": "<!doctype html>",
    "a.json": "{",
    "a.txt": "credit.txt",
    "a": "credit.txt",
    "a.log": "credit.txt",
}


@pytest.fixture(autouse=True)
def saved_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.json").write_bytes(dump(reports.report()))


@pytest.mark.parametrize("name", BEGINNINGS)
def test_the_ending_says_the_format(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "htm" in name:
        pytest.importorskip("jinja2")
    assert run(["show", "report.json", "-o", name]) == 0
    assert Path(name).read_text().startswith(BEGINNINGS[name])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "format", "note"),
    [
        ("a.md", "csv", "note: a.md holds csv, as --format says, and not markdown\n"),
        ("a.json", "table", "note: a.json holds table, as --format says, and not json\n"),
        ("a.md", "markdown", ""),
        ("a.json", "pyperf", ""),
        ("a.txt", "openmetrics", ""),
        ("a.log", "csv", ""),
    ],
)
def test_an_explicit_format_wins_and_disagreement_is_told(
    name: str, format: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", "report.json", "-o", name, "-f", format]) == 0
    assert capsys.readouterr() == ("", note)
    assert run(["show", "report.json", "-f", format]) == 0
    assert capsys.readouterr().out == Path(name).read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "m:f", "-o", "a.svg"], "a.svg is a chart by its ending"),
        (["show", "report.json", "-o", "a.png"], "--chart a.png"),
        (
            ["validate", "m:f", "m:f", "-o", "a.xml"],
            "a.xml is junit by its ending: junit cannot render a report of vali",
        ),
        (["profile", "m:f", "-o", "a.csv"], "csv cannot render a report of profile"),
    ],
)
def test_what_a_report_cannot_be_is_said_at_once(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert words in capsys.readouterr().err
    assert not Path(arguments[-1]).exists()


def test_a_gate_is_written_by_its_ending_too() -> None:
    Path("report.json").write_bytes(dump(gate_reports.regressed()))
    assert run(["show", "report.json", "-o", "a.xml"]) == 0
    assert "<failure" in Path("a.xml").read_text()


ELSEWHERE = {
    "before.prof": (b"{0", "before.prof is a profile, not a report", "infer-bench profile before.prof"),
    "model.txt": (
        b"tree\nversion=v4\n",
        "model.txt is a model (lightgbm), not a report",
        "infer-bench bench model.txt",
    ),
    "notes.md": (b"# Notes\n", "notes.md is not JSON", "--json PATH"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_show_names_the_command_that_reads_another_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, words, hint = ELSEWHERE[name]
    Path(name).write_bytes(content)
    assert run(["show", name]) == 6
    error_line, hint_line = capsys.readouterr().err.splitlines()
    assert words in error_line
    assert hint in hint_line


@pytest.mark.parametrize(
    ("name", "content", "words", "hint"),
    [
        ("report.json", "", "a report of infer-bench", "infer-bench show report.json"),
        ("before.prof", "{0", "a profile", "infer-bench profile before.prof"),
        ("train.py", "def train(): ...\ndef predict(x): ...", "Python source", "infer-bench bench train:predict"),
        ("rows.csv", "a\n1\n", "a csv file, which is data", "--data"),
        ("train.py:predict", "", "train.py is a file where a module is to be named", "write train:predict"),
    ],
)
def test_bench_names_the_command_or_the_option_that_reads_another_file(
    name: str, content: str, words: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content:
        Path(name).write_text(content)
    assert run(["bench", name]) == 6
    error_line, hint_line = capsys.readouterr().err.splitlines()
    assert words in error_line
    assert hint in hint_line


def test_json_on_stdout_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "report.json", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["command"] == "bench"
