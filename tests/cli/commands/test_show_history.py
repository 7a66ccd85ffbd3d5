"""`infer-bench show a.json b.json`, or a folder: runs lined up, compared where they can be, and never judged."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infer_bench.cli.main import run
from infer_bench.cli.runs.history import read_history
from infer_bench.report.serialize import dump, load_report

SAVED = Path(__file__).parents[2] / "saved"
REPORT: Any = load_report(SAVED / "bench.json")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three runs: one, one that took twice as long, and one of another CPU."""
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    slower = tuple(
        replace(result, request=replace(result.request, p50_ns=2 * result.request.p50_ns)) for result in REPORT.results
    )
    elsewhere = replace(REPORT.environment, cpu_model="another CPU")
    save("runs/a.json", replace(REPORT, created_at="2026-03-01T00:00:00+00:00"))
    save("runs/b.json", replace(REPORT, created_at="2026-03-02T00:00:00+00:00", results=slower))
    save("runs/c.json", replace(REPORT, created_at="2026-02-01T00:00:00+00:00", environment=elsewhere))
    Path("runs/notes.txt").write_text("no report")


def save(name: str, report: Any) -> None:
    Path(name).write_bytes(dump(report))


def test_runs_are_lined_up_in_their_order_and_compared_with_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "runs/b.json", "runs/a.json", "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    names = list(dict.fromkeys(row["name"] for row in rows))
    assert len(rows) == 2 * len(names)
    for name in names:
        ours = [row for row in rows if row["name"] == name]
        assert [row["file"] for row in ours] == ["runs/a.json", "runs/b.json"]
        assert [float(row["ratio"]) for row in ours] == [1.0, 2.0]


def test_a_folder_is_a_history_and_other_conditions_are_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "runs"]) == 0
    output = capsys.readouterr().out
    assert output.index("c.json") < output.index("a.json") < output.index("b.json")
    ours = REPORT.environment.cpu_model
    assert f"a.json is not comparable with c.json: CPU model {ours} (in the first run: another CPU)" in output
    assert "2.00" not in output
    assert "not judged" in output
    assert "regress" not in output


def test_a_run_that_was_not_finished_is_compared_with_none(capsys: pytest.CaptureFixture[str]) -> None:
    save("runs/b.json", replace(load_report("runs/b.json"), complete=False, verdict=None))
    assert run(["show", "runs/a.json", "runs/b.json"]) == 0
    output = capsys.readouterr().out
    assert "b.json is of a run that was not finished" in output
    assert "2.00" not in output


@pytest.mark.parametrize("format", ["csv", "bencher", "openmetrics", "pyperf", "github-action-benchmark", "table"])
def test_a_format_that_does_not_say_that_a_run_was_not_finished_is_shown_with_a_warning(
    format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save("partial.json", replace(REPORT, complete=False, verdict=None))
    assert run(["show", "partial.json", "-f", format]) == 0
    output = capsys.readouterr()
    assert ("was not finished" in output.err) == (format != "table")
    assert ("was not finished" in output.out) == (format == "table")


def test_a_library_that_one_run_lacks_is_named_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    versions = {name: version for name, version in REPORT.environment.packages.items() if name != "numpy"}
    fewer = replace(REPORT, environment=replace(REPORT.environment, packages=versions))
    save("d.json", replace(fewer, created_at="2026-03-03T00:00:00+00:00"))
    save("e.json", replace(fewer, created_at="2026-01-03T00:00:00+00:00"))
    assert run(["show", "runs/a.json", "d.json"]) == 0
    assert f"libraries lack numpy {REPORT.environment.packages['numpy']}" in capsys.readouterr().out
    assert run(["show", "e.json", "runs/a.json"]) == 0
    assert f"libraries hold numpy {REPORT.environment.packages['numpy']} besides" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "words"), [("h.html", "<svg"), ("h.md", "### "), ("h.csv", "name,file"), ("h.txt", "made")]
)
def test_each_format_holds_every_run(file: str, words: str) -> None:
    assert run(["show", "runs/a.json", "runs/b.json", "-o", file]) == 0
    text = Path(file).read_text(encoding="utf-8")
    assert words in text
    assert "a.json" in text
    assert "b.json" in text


def test_a_chart_of_many_candidates_says_how_many_it_lacks() -> None:
    from infer_bench.reporters.charts.catalogue import draw_history

    pytest.importorskip("matplotlib")
    results = tuple(replace(REPORT.results[0], batch=batch) for batch in range(1, 11))
    save("many.json", replace(REPORT, results=results))
    (chart,) = draw_history(read_history(["many.json", "runs/a.json"]))
    assert "not drawn: 3 more of the tables' candidates" in chart.description


def test_names_that_would_run_are_escaped() -> None:
    name = "<img src=x>.onnx"
    results = tuple(replace(result, model=replace(result.model, path=name)) for result in REPORT.results)
    for place in "de":
        save(f"{place}.json", replace(REPORT, results=results))
    assert run(["show", "d.json", "e.json", "-o", "h.html"]) == 0
    assert "<img" not in Path("h.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["runs/a.json", str(SAVED / "validate.json")], 6, "is a report of validate"),
        (["runs/a.json", "runs/notes.txt"], 6, "notes.txt"),
        (["runs/a.json", "nowhere.json"], 6, "nowhere.json"),
        (["empty"], 6, "there is no report of a bench in empty"),
        (["runs", "--format", "junit"], 2, "several reports are not rendered as junit"),
        (["runs", "--chart", "a.svg"], 2, "of one report"),
        (["runs", "-o", "runs/a.json"], 2, "would overwrite"),
    ],
)
def test_what_cannot_be_lined_up_is_one_line(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    assert run(["show", *arguments]) == code
    output = capsys.readouterr()
    assert words in output.err
    assert not output.out


def test_one_report_of_a_folder_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one").mkdir()
    save("one/only.json", REPORT)
    assert run(["show", "one", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["command"] == "bench"
