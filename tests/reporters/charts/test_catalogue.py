"""Charts: the right kinds for a report, as SVG with its text, or as PNG."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from infer_bench.errors import MissingDependency, UsageError
from infer_bench.report.common import Report
from infer_bench.report.serialize import load_report
from infer_bench.reporters.charts.catalogue import draw_charts, kinds, render_chart

SAVED = Path(__file__).parents[2] / "saved"
DRAWN = {
    "bench": ("latency", "phases"),
    "convert": (),
    "gate": ("ratios", "latency"),
    "profile": ("phases", "functions", "operators"),
    "validate": ("differences",),
}
SVG = "{http://www.w3.org/2000/svg}"


def saved(command: str) -> Report[Any]:
    return load_report(SAVED / f"{command}.json")


@pytest.mark.parametrize("command", DRAWN)
def test_a_report_has_the_charts_that_it_holds_numbers_for(command: str) -> None:
    assert tuple(chart.kind for chart in draw_charts(saved(command))) == DRAWN[command]


@pytest.mark.parametrize(("command", "kind"), [(c, kind) for c, drawn in DRAWN.items() for kind in drawn])
def test_a_chart_is_a_file_with_words(command: str, kind: str) -> None:
    report = saved(command)
    document = render_chart(report, ".svg", kind)
    assert document == render_chart(report, ".svg", kind)
    root = ElementTree.fromstring(document)
    title, description = (root.find(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert title is not None
    assert title.text
    assert description is not None
    assert description.text
    assert root.findall(f".//{SVG}text")
    assert render_chart(report, ".png", kind).startswith(b"\x89PNG")


def test_throughput_is_drawn_over_batch_sizes() -> None:
    report = saved("bench")
    larger = [replace(result, batch=64, rows_per_s=(result.rows_per_s or 1) * 9) for result in report.results]
    chart = dict(kinds(report))["throughput"](replace(report, results=(*report.results, *larger)))
    assert chart is not None
    assert len(chart.figure.axes[0].lines) == len({result.candidate for result in report.results})


def test_unknown_kinds_and_endings_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="no chart 'icicle'"):
        render_chart(saved("bench"), ".svg", "icicle")
    with pytest.raises(UsageError, match="chart is no"):
        render_chart(saved("bench"), ".gif")
    with pytest.raises(UsageError, match="holds nothing"):
        render_chart(saved("convert"), ".svg")


def test_without_matplotlib_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependency) as caught:
        render_chart(saved("bench"), ".svg")
    assert "infer-bench[charts]" in caught.value.hint


def test_names_in_any_letters_are_drawn() -> None:
    report = saved("bench")
    odd = tuple(replace(result, candidate="$x_1$ \x00\x1b[1m \ud800 \u4fa1\u683c <&") for result in report.results)
    root = ElementTree.fromstring(render_chart(replace(report, results=odd), ".svg", "phases"))
    assert any("\u4fa1\u683c <&" in (text.text or "") for text in root.iter(f"{SVG}text"))


def test_rounds_without_a_sample_have_no_chart() -> None:
    report = saved("bench")
    (first, *others) = report.results
    empty = [replace(p, rounds=tuple(replace(r, request_ns=()) for r in p.rounds)) for p in first.processes]
    some = replace(report, results=(replace(first, processes=tuple(empty)), *others))
    none = replace(report, results=(replace(first, processes=tuple(empty)),))
    assert "latency" in [chart.kind for chart in draw_charts(some)]
    assert "latency" not in [chart.kind for chart in draw_charts(none)]
