"""A load as text: every figure is there at any width, and what makes it unbelievable stands out."""

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.load import Histogram, LatencyLimit, LimitStatus, LoadResult, SearchOutcome, Traffic
from infer_bench.reporters.charts.catalogue import kinds, render_chart
from infer_bench.reporters.registry import render
from infer_bench.stats.load.times import summarize_times
from tests.reports import ENVIRONMENT, MS, US

RESULT = LoadResult(
    target="http://127.0.0.1:8080/predict",
    protocol="predict",
    loop="open",
    arrivals="poisson",
    rate_asked=1_000.0,
    rate_achieved=998.0,
    valid=True,
    invalid_reasons=(),
    latency=summarize_times(np.arange(1, 9_981) * US, failures=20),
    service=summarize_times(np.arange(1, 9_981) * US // 2, failures=20),
    lag=summarize_times(np.full(10_000, 9 * US)),
    errors={"timeout": 15, "status-503": 5},
    bytes=Traffic(3_000_000, 2_000_000),
    samples=10_000,
    duration_ns=10_000 * MS,
    connections=64,
    phases={"predict": summarize_times(np.full(9_980, 81_234))},
    limits=(LatencyLimit("p99<20ms", "p99", 20e6, 9_900 * US, "holds"),),
)
REPORT: Report[LoadResult] = Report(
    command="load",
    tool_version="0.1.0",
    created_at="2026-11-29T06:00:00+00:00",
    settings={"warmup_s": 2.0, "batch": 8},
    environment=ENVIRONMENT,
    results=(RESULT,),
    verdict=Verdict("pass", 0),
)
WORDS = ("1,000/s", "998/s", "5.00 ms", "9.50 ms", "9.90 ms", "no answer", "9.00 µs", "81.2 µs", "timeout 15", "8 rows")
LAG = Notice("lag", "requests were sent late", "give the generator a core of its own")
INVALID = replace(RESULT, valid=False, invalid_reasons=(LAG,), limits=())


def invalid_report(**changes: Any) -> Report[LoadResult]:
    return replace(REPORT, results=(replace(INVALID, **changes),), verdict=Verdict("inconclusive", 3, ("late",)))


@pytest.mark.parametrize("width", [None, 130, 80, 40])
def test_nothing_is_lost_at_any_width(width: int | None) -> None:
    text = render(REPORT, width=width)
    flat = re.sub(r"\s+", " ", text)
    assert [word for word in WORDS if word not in flat] == []
    assert "p99<20ms holds" in flat
    assert width is None or max(map(len, text.splitlines())) <= width


def test_answers_of_another_model_than_the_first_are_told() -> None:
    result = replace(RESULT, paths={"primary": 9_900, "fallback": 80})
    text = re.sub(r"\s+", " ", render(replace(REPORT, results=(result,))))
    assert "Of 9,980 answers at 1,000/s not all came from the first model: fallback 80." in text
    assert "first model" not in render(replace(REPORT, results=(replace(RESULT, paths={"primary": 9_980}),)))


def test_the_time_from_sending_is_shown_on_demand() -> None:
    assert "from sending" in render(REPORT, phases=True)
    assert "from sending" not in render(REPORT)


@pytest.mark.parametrize("format", ["table", "markdown", "html", "junit"])
def test_an_invalid_load_says_so_and_what_to_do(format: str) -> None:
    pytest.importorskip("jinja2")
    text = render(invalid_report(), format)
    assert "INVALID" in text
    assert "a core of its own" in text


def test_a_shortfall_is_said() -> None:
    report = replace(REPORT, results=(replace(RESULT, rate_achieved=430.0),))
    assert "430/s were answered" in render(report)


def test_a_broken_limit_is_a_failure_and_an_undecided_one_is_skipped() -> None:
    broken = LatencyLimit("p99<2ms", "p99", 2e6, 9_900 * US, "broken")
    undecided = LatencyLimit("p99.99<2ms", "p99.99", 2e6, None, "undecided")
    report = replace(REPORT, results=(replace(RESULT, limits=(broken, undecided)),), verdict=Verdict("regressed", 1))
    root = ElementTree.fromstring(render(report, "junit"))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert cases["p99<2ms"].find("failure") is not None
    assert cases["p99.99<2ms"].find("skipped") is not None
    assert cases["valid"].find("skipped") is None
    assert "is broken: p99 is 9.90 ms" in render(report)


def test_an_unfinished_load_says_so() -> None:
    report = replace(REPORT, complete=False, verdict=None)
    assert "not finished" in render(report)
    assert "not finished" in render(report, "junit")
    assert "not finished" in render(report, "markdown")


def test_csv_has_a_row_a_kind_of_time() -> None:
    lines = render(REPORT, "csv").splitlines()
    assert len(lines) == 1 + 4
    assert lines[1].startswith("http://127.0.0.1:8080/predict,predict,open,poisson,1000.0,,998.0,True,,64,0,20,")


def test_metrics_are_read_by_prometheus() -> None:
    families = {family.name: family for family in text_string_to_metric_families(render(REPORT, "openmetrics"))}
    latency = {s.labels["quantile"]: s.value for s in families["infer_bench_load_latency_seconds"].samples}
    assert latency == {"0.5": 0.005, "0.95": 0.0095, "0.99": 0.0099}
    assert families["infer_bench_load_valid"].samples[0].value == 1
    assert {s.labels["kind"]: s.value for s in families["infer_bench_load_errors"].samples} == RESULT.errors


def test_nothing_measured_is_no_table() -> None:
    assert render(replace(REPORT, results=(), verdict=None)).startswith("The load was not finished.")


def test_a_closed_loop_is_named_as_such() -> None:
    closed = replace(RESULT, loop="closed", arrivals=None, rate_asked=None, concurrency=8, lag=None, limits=())
    report = replace(REPORT, results=(closed, replace(closed, concurrency=32)))
    for format in ("table", "markdown", "html"):
        text = render(report, format)
        assert "closed loop" in text
        assert "8 at a time" in text
        assert "32 at a time" in text
    assert 'concurrency="8"' in render(report, "openmetrics")
    assert ",lag," not in render(report, "csv")


def trial(rate: float, status: LimitStatus) -> LoadResult:
    limit = LatencyLimit("p99<20ms", "p99", 20e6, round(rate * 10 * US), status)
    return replace(RESULT, rate_asked=rate, rate_achieved=rate, limits=(limit,), valid=rate < 1_500)


@pytest.mark.parametrize("format", ["table", "markdown", "html", "junit"])
def test_a_search_shows_its_bounds_and_every_trial(format: str) -> None:
    first = replace(trial(1_000, "holds"), search=SearchOutcome(1_000, 2_000, 4, "precision"))
    report = replace(REPORT, results=(first, trial(1_000, "holds"), trial(2_000, "broken"), trial(2_000, "broken")))
    flat = re.sub(r"\s+", " ", render(report, format).replace("\\", ""))
    assert re.search(r"p99(<|&lt;)20ms holds up to 1,000/s, and not at 2,000/s \(4 trials\)", flat)
    assert "2 trials were not valid" in flat
    assert format == "junit" or flat.count("broken") >= 2


def test_a_search_tells_how_long_its_shortest_and_its_longest_trial_took() -> None:
    longest = replace(trial(2_000, "broken"), duration_ns=4_731_000_000)
    first = replace(trial(1_000, "holds"), duration_ns=2 * 10**9, search=SearchOutcome(1_000, 2_000, 2, "precision"))
    report = replace(REPORT, results=(first, longest))
    assert "2–4.7 s a trial" in render(report, "table")


def test_a_search_has_a_chart_of_its_knee() -> None:
    pytest.importorskip("matplotlib")
    first = replace(trial(1_000, "holds"), search=SearchOutcome(1_000, 2_000, 2, "precision"))
    report = replace(REPORT, results=(first, trial(2_000, "broken")))
    picture = render_chart(report, ".svg").decode()
    assert "requests due a second" in picture
    assert {kind for kind, draw in kinds(report).items() if draw(report)} == {"knee"}


def test_charts_of_a_search_mark_the_limit_and_the_knee_and_tell_trials_apart() -> None:
    pytest.importorskip("matplotlib")
    first = replace(trial(1_000, "holds"), search=SearchOutcome(1_000, 2_000, 3, "precision"))
    with_histogram = Histogram((1_000_000, 2_000_000), (3, 1))
    results = (first, trial(1_000, "holds"), trial(2_000, "broken"))
    report = replace(REPORT, results=tuple(replace(r, histogram=with_histogram, samples=4) for r in results))
    knee, latency = (kinds(report)[kind](report) for kind in ("knee", "latency"))
    assert knee is not None
    assert latency is not None
    assert knee.description.startswith(
        "p50, p95 and p99 at 1,000/s, 2,000/s; limit p99<20ms; the limits hold up to 1,000/s"
    )
    assert latency.description.endswith("at 1,000/s, 1,000/s (try 2), 2,000/s; limit p99<20ms")
    assert "p99<20ms" in latency.values.values()
