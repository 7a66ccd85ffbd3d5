"""A report in a notebook: short in words, tables as HTML, results as rows, charts as pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infer_bench.errors import UsageError
from infer_bench.report.serialize import load_report

SAVED = Path(__file__).parents[1] / "saved"


@pytest.mark.parametrize("path", sorted(SAVED.glob("*.json")), ids=lambda path: path.stem)
def test_every_report_says_what_it_is_and_shows_its_tables(path: Path) -> None:
    report = load_report(path)
    assert repr(report).startswith(f"<report of {report.command}: ")
    assert len(repr(report)) < 80
    if report.command == "self-test":
        return
    html = report._repr_html_()
    assert html.count("<table>") == html.count("</table>") > 0
    assert len(report.to_pandas()) == len(report.results)


def test_hostile_names_are_shown_and_not_run() -> None:
    report: Any = load_report(SAVED / "bench.json")
    name = "<script>alert(1)"
    results = tuple(replace(result, model=replace(result.model, path=name)) for result in report.results)
    html = replace(report, results=results)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_frame_has_a_row_a_result_and_units_in_its_names() -> None:
    report: Any = load_report(SAVED / "bench.json")
    frame = report.to_pandas()
    first = report.results[0]
    assert frame["candidate"].tolist() == [result.candidate for result in report.results]
    assert frame["request_p50_ns"].iloc[0] == first.request.p50_ns
    assert frame["phases_predict_p50_ns"].iloc[0] == first.phases.predict.p50_ns
    assert frame["model_bytes"].iloc[0] == first.model.bytes
    assert frame["request_p50_ns"].dtype.kind in "if"
    assert not [name for name in frame if frame[name].map(lambda value: isinstance(value, (list, tuple, dict))).any()]


def test_a_chart_shows_itself() -> None:
    report = load_report(SAVED / "bench.json")
    chart = report.plot()
    assert chart._repr_svg_().lstrip().startswith("<?xml")
    assert report.plot("phases").figure.axes
    assert "chart" in repr(chart)
    with pytest.raises(UsageError, match="no chart 'nothing'"):
        report.plot("nothing")
