"""Why each metric of a gate was judged so: in the page in words, and in the chart by its marks."""

from dataclasses import replace

import numpy as np
import pytest

from infer_bench.report.gate import Gate
from infer_bench.reporters.charts.gate import draw_ratios
from infer_bench.reporters.gate.reasons import explain_check
from infer_bench.reporters.html.gate import build_gate_page
from tests import gate_reports


def gate_of(name: str) -> Gate:
    gate = gate_reports.ALL[name].gate
    assert gate is not None
    return gate


@pytest.mark.parametrize(
    ("name", "metric", "text"),
    [
        (
            "regressed",
            "p50",
            "p50 regressed: 1.10× the baseline (1.095–1.106), the median of 9 pairs, where 5 % on top is allowed; "
            "the lower bound lies beyond that, as do 9 of 9.",
        ),
        ("passing", "p95", "the upper bound lies within that, and +2.6 % would have been seen."),
        ("inconclusive", "p50", "4 of 9 lie beyond that; the bounds hold the limit after 9 layouts."),
        ("inconclusive", "p99", "p99 is shown and not judged: 1.13× the baseline"),
        ("stored", "p50", "the median of 5 processes"),
        ("limits", "rss", "memory regressed: 88.2 MB, the median of 9 layouts, where 80.0 MB is allowed"),
        ("limits", "max_abs_delta", "max |Δ| is different: 3.1e-04 at the most, where 1e-5 is allowed."),
        ("several", "max_abs_delta", "labels that change: 12."),
    ],
)
def test_a_sentence_has_the_ratio_its_bounds_and_the_limit(name: str, metric: str, text: str) -> None:
    gate = gate_of(name)
    check = next(check for check in gate.checks if check.metric == metric)
    assert text in explain_check(check, gate)


def test_what_was_not_measured_has_its_reason_alone() -> None:
    gate = gate_of("several")
    sentences = [explain_check(check, gate) for check in gate.checks if check.outcome == "failed"]
    assert sentences == [f"{name} was not judged: the worker was killed by SIGKILL." for name in ("p50", "p95")]


def test_a_limit_that_the_sample_chose_is_said_beside_the_one_asked_for() -> None:
    check = replace(gate_reports.p95("pass", 1.01, 0.98, 1.07, beyond=0), limit=0.08, limit_asked=0.05)
    text = explain_check(check, gate_reports.gate(check))
    assert "where 5 % on top is allowed; the upper bound lies within 8 %, the least that this sample tells" in text


@pytest.mark.parametrize("name", gate_reports.ALL)
def test_the_page_says_it_of_every_metric_and_no_column_is_empty(name: str) -> None:
    report = gate_reports.ALL[name]
    page = build_gate_page(report)
    texts = {text for section in page.sections for text, _ in section.sentences}
    assert {explain_check(check, gate_of(name)) for check in gate_of(name).checks} <= texts
    without = replace(report, results=tuple(replace(result, phases=None) for result in report.results))
    assert all("share" not in table.head for section in build_gate_page(without).sections for table in section.tables)


def test_a_bound_that_stands_alone_is_drawn_up_to_the_ratio() -> None:
    gate = gate_reports.gate(replace(gate_reports.p50("inconclusive", 0.52, 0.5, 1.11, beyond=0), low=None))
    chart = draw_ratios(gate_reports.report(gate, "inconclusive"))
    assert chart is not None
    assert "0.520 (1.110 at most)" in chart.description
    bars = [np.asarray(line.get_xdata()) for line in chart.figure.axes[0].lines if line.get_linewidth() == 3]
    assert [0.52, 1.11] in [bar.tolist() for bar in bars]
