"""Charts: the right kinds for a report, as SVG with its text, or as PNG."""

import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from infer_bench.errors import MissingDependency, UsageError
from infer_bench.report.common import Report
from infer_bench.report.profile import CallFrame
from infer_bench.report.serialize import load_report
from infer_bench.report.validate import Cause
from infer_bench.reporters.charts.base import Chart
from infer_bench.reporters.charts.catalogue import draw_charts, kinds, render_chart
from infer_bench.reporters.charts.files import render_svg
from infer_bench.reporters.charts.gate import pair_ratios
from infer_bench.reporters.charts.marks import shorten
from infer_bench.reporters.gate.groups import group_checks
from infer_bench.reporters.registry import render
from infer_bench.reporters.text import numbers

SAVED = Path(__file__).parents[2] / "saved"
DRAWN = {
    "bench": ("latency", "phases", "deltas"),
    "convert": (),
    "gate": ("ratios", "latency"),
    "load": ("latency",),
    "profile": ("phases", "functions", "operators"),
    "validate": ("differences",),
}
SVG = "{http://www.w3.org/2000/svg}"


def saved(command: str) -> Report[Any]:
    return load_report(SAVED / f"{command}.json")


@pytest.mark.parametrize("command", DRAWN)
def test_a_report_has_the_charts_that_it_holds_numbers_for(command: str) -> None:
    assert tuple(chart.kind for chart in draw_charts(saved(command))) == DRAWN[command]


def test_a_chart_without_numbers_is_refused_with_those_that_have_some() -> None:
    with pytest.raises(UsageError, match="nothing for the chart 'throughput'") as refusal:
        render_chart(saved("bench"), ".svg", "throughput")
    assert refusal.value.hint == "it has: latency, phases, deltas"


def test_a_percentile_that_the_sample_does_not_carry_has_no_mark() -> None:
    """A median of three samples is `n/a` in the table."""
    report = saved("bench")
    first = replace(report.results[0].processes[0], rounds=report.results[0].processes[0].rounds[:1])
    few = replace(first, rounds=(replace(first.rounds[0], request_ns=first.rounds[0].request_ns[:3]),))
    alone = replace(report, results=(replace(report.results[0], processes=(few,)),))
    (latency,) = (chart for chart in draw_charts(alone) if chart.kind == "latency")
    assert not [text for text in latency.values.values() if ": p50 " in text]


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


def draw(report: Report[Any], kind: str) -> Chart:
    chart = kinds(report)[kind](report)
    assert chart is not None
    return chart


def test_a_chart_says_the_numbers_of_the_table() -> None:
    report = saved("bench")
    table = render(report, "table", width=130)
    for result in report.results:
        middle = numbers.duration(result.request.p50_ns)
        assert middle in table
        assert middle in draw(report, "latency").description


def test_the_points_of_a_gate_are_medians_over_rounds_without_the_floor() -> None:
    group = group_checks(saved("gate"))[0]
    assert group.result is not None
    assert group.baseline is not None
    expected = []
    for old, new in zip(group.baseline.processes, group.result.processes, strict=True):
        medians = [[statistics.median(r.request_ns) - p.floor_ns for r in p.rounds] for p in (old, new)]
        expected.append(statistics.median(later / earlier for earlier, later in zip(*medians, strict=True)))
    assert pair_ratios(group, "p50") == pytest.approx(np.array(expected))
    assert len(pair_ratios(group, "rss")) == 0


def test_calls_that_a_sample_sums_are_divided_out_of_a_ratio() -> None:
    group = group_checks(saved("gate"))[0]
    assert group.result is not None
    tenfold = replace(group, result=replace(group.result, calls_per_sample=10))
    assert pair_ratios(tenfold, "p50") * 10 == pytest.approx(pair_ratios(group, "p50"))


def test_samples_that_are_means_are_said_to_be() -> None:
    report = saved("bench")
    means = [replace(r, request=replace(r.request, unit="batch-mean")) for r in report.results]
    assert "means of several calls" in draw(replace(report, results=tuple(means)), "latency").description
    assert "means of several calls" not in draw(report, "latency").description


def test_nobody_is_said_to_lead_where_intervals_overlap() -> None:
    report = saved("bench")
    wide = [replace(r, request=replace(r.request, intervals={"p50": (1, 10**9)})) for r in report.results]
    both = (*wide, *(replace(result, batch=64) for result in wide))
    assert "intervals overlap" in draw(replace(report, results=both), "throughput").description


def test_a_lead_that_the_intervals_show_is_said() -> None:
    report = saved("bench")
    apart = [
        replace(
            r,
            rows_per_s=1e3 / (i + 1),
            speedup=None,
            request=replace(r.request, intervals={"p50": (100 * i + 1, 100 * i + 9)}),
        )
        for i, r in enumerate(report.results)
    ]
    both = (*apart, *(replace(result, batch=64) for result in apart))
    assert "leads at every batch size" in draw(replace(report, results=both), "throughput").description
    swapped = [replace(r, batch=64, rows_per_s=1e3 / r.rows_per_s) for r in apart]
    intervals = [r.request.intervals for r in reversed(apart)]
    other = [
        replace(r, request=replace(r.request, intervals=bounds)) for r, bounds in zip(swapped, intervals, strict=True)
    ]
    text = draw(replace(report, results=(*apart, *other)), "throughput").description
    assert " leads at batch 1 and " in text
    assert " from 64 on" in text


def test_one_process_shows_no_lead() -> None:
    report = saved("bench")
    alone = [replace(result, processes=result.processes[:1]) for result in report.results]
    both = (*alone, *(replace(result, batch=64) for result in alone))
    text = draw(replace(report, results=both), "throughput").description
    assert text == "no candidate is shown to lead: one process gives no interval"


def test_a_candidate_alone_leads_nobody() -> None:
    report = saved("bench")
    both = (report.results[0], replace(report.results[0], batch=64))
    assert draw(replace(report, results=both), "throughput").description == "one candidate"


def test_causes_that_were_found_together_share_a_bar() -> None:
    report = saved("validate")
    causes = (Cause("input cast", 12), Cause("threshold cast", 12), Cause("class order", 3))
    result = replace(report.results[0], causes=causes, not_explained=5)
    text = draw(replace(report, results=(result,)), "causes").description
    assert text == "input cast + threshold cast: 12 rows; class order: 3 rows; not explained: 5 rows"


def test_an_icicle_has_a_box_a_call_and_says_the_longest_way() -> None:
    report = saved("profile")
    calls = (
        CallFrame(0, 0, 900, "/site-packages/pandas/core/frame.py", 1, "reindex"),
        CallFrame(1, 0, 600, "~", 0, "<built-in take>"),
        CallFrame(0, 900, 100, "/site-packages/lightgbm/basic.py", 1, "<script>"),
    )
    chart = draw(replace(report, results=(replace(report.results[0], calls=calls),)), "icicle")
    assert chart.description == "the calls that take most: reindex 90 % → <built-in take> 60 %"
    labels = {text.get_text() for text in chart.figure.axes[0].texts}
    assert {"reindex", "built-in take"} <= labels


def test_throughput_is_drawn_over_batch_sizes() -> None:
    report = saved("bench")
    larger = [replace(result, batch=64, rows_per_s=(result.rows_per_s or 1) * 9) for result in report.results]
    chart = dict(kinds(report))["throughput"](replace(report, results=(*report.results, *larger)))
    assert chart is not None
    labels = chart.figure.axes[0].get_legend_handles_labels()[1]
    assert len(labels) == len({result.candidate for result in report.results})


def test_unknown_kinds_and_endings_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="no chart 'pie'"):
        render_chart(saved("bench"), ".svg", "pie")
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


@pytest.mark.parametrize("command", [command for command, kinds in DRAWN.items() if kinds])
def test_what_is_pointed_at_says_its_value(command: str) -> None:
    for chart in draw_charts(saved(command)):
        root = ElementTree.fromstring(render_svg(chart))
        marks = {g.get("id"): g.find(f"{SVG}title") for g in root.iter(f"{SVG}g") if g.find(f"{SVG}title") is not None}
        texts = {name: title.text for name, title in marks.items() if title is not None}
        assert texts == {f"{chart.kind}-{name}": text for name, text in chart.values.items()}


def test_speed_stands_beside_agreement() -> None:
    report = saved("bench")
    first, second = report.results
    other = replace(second, max_abs_delta=0.25, label_changes=7)
    chart = draw(replace(report, results=(first, other)), "deltas")
    assert "equal answers" in chart.description
    assert "max |Δ| 2.5e-01, 7 other labels" in chart.description
    assert kinds(report)["deltas"](replace(report, results=(first,))) is None
    lost = replace(second, max_abs_delta=None)
    assert kinds(report)["deltas"](replace(report, results=(first, lost))) is None


@pytest.mark.parametrize("delta", [0.0, 5e-324, 1e-17, 0.1, 1.0, 1e300])
def test_any_difference_has_a_place(delta: float) -> None:
    report = saved("bench")
    first, second = report.results
    assert render_chart(replace(report, results=(first, replace(second, max_abs_delta=delta))), ".png", "deltas")


def test_thirty_candidates_of_long_names_are_drawn() -> None:
    report = saved("bench")
    many = tuple(
        replace(report.results[place % 2], candidate=f"engine:{'x' * 1000}={place:02}", speedup=None)
        for place in range(30)
    )
    for chart in draw_charts(replace(report, results=many)):
        labels = [text.get_text() for legend in chart.figure.legends for text in legend.get_texts()]
        assert max(map(len, labels)) <= 70
        assert chart.figure.get_figheight() < 20
        assert render_svg(chart)


def test_a_name_is_cut_in_its_middle() -> None:
    assert shorten("short") == "short"
    assert shorten("a" * 100 + "end", 11) == "aaaaa…aaend"
    assert len(shorten("x" * 1024)) == 48


def test_a_comparison_of_many_decades_labels_few_and_writes_the_tolerance_as_it_was_given() -> None:
    report = saved("validate")
    result = replace(report.results[0], atol=1e-4)
    group = replace(result.groups[0], histogram={"exact": 3, "-18": 2, "-3": 1}, max_abs_delta=1.7e-3)
    chart = draw(replace(report, results=(replace(result, groups=(group,)),)), "differences")
    (axis,) = chart.figure.axes
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels == ["0", "1e-16", "1e-14", "1e-12", "1e-10", "1e-8", "1e-6", "1e-4"]
    assert chart.description.endswith("the largest difference is 1.7e-03, tolerance 1e-4")
