"""The table of a self-test: every figure is there, at any width."""

import re
from dataclasses import replace

import pytest

from infer_bench.report.common import Report, Verdict
from infer_bench.report.selftest import TrialsResult
from infer_bench.reporters.registry import render
from infer_bench.stats.proportion import exact_interval
from tests.reports import ENVIRONMENT


def trials(planted: float, regressed: int, count: int, hogs: int = 0, every: int = 1, failed: int = 0) -> TrialsResult:
    bounds = exact_interval(regressed, count)
    passed = count - regressed - 1
    times = {"measured": planted + 0.004, "measured_ns": 1_900_000_000, "wall_ns": 3_100_000_000, "request_ns": 44_200}
    return TrialsResult(hogs, planted, every, "p50", 0.02, count, regressed, passed, 1, failed, *bounds, **times)  # type: ignore[arg-type]


RESULTS = (trials(0.0, 3, 1000), trials(0.1, 149, 150, hogs=2, failed=4), trials(0.5, 40, 50, hogs=2, every=10))
REPORT: Report[TrialsResult] = Report(
    command="self-test",
    tool_version="0.1.0",
    created_at="2026-11-21T06:00:00+00:00",
    settings={"model": "trees.onnx", "alpha": 0.01, "jobs": 2},
    environment=ENVIRONMENT,
    results=RESULTS,
    verdict=Verdict("pass", 0),
)
SENTENCES = (
    "1,000",
    "0.3 %",
    "149",
    "99.3 %",
    "150",
    "+10.4 %",
    "1.9 s",
    "3.1 s",
    "44.2 µs",
    "4 failed",
    "1 in 10",
    "2 trials",
)


@pytest.mark.parametrize("width", [None, 130, 80, 40])
def test_nothing_is_lost_at_any_width(width: int | None) -> None:
    text = render(REPORT, width=width)
    flat = re.sub(r"\s+", " ", text)
    assert [word for word in SENTENCES if word not in flat and word.replace("1 in 10", "1 of 10") not in flat] == []
    assert width is None or max(map(len, text.splitlines())) <= width


def test_each_load_has_its_heading() -> None:
    text = render(REPORT)
    assert "quiet" in text
    assert "2 CPU hogs" in text


def test_a_run_that_was_broken_off_says_so() -> None:
    assert "not finished" in render(replace(REPORT, complete=False, verdict=None))


def test_a_page_has_a_table_a_load_and_what_was_concluded() -> None:
    text = render(replace(REPORT, verdict=Verdict("regressed", 1, ("30 false alarms",))), "html")
    assert all(
        word in text for word in ("Self-test of the gate", "2 CPU hogs", "+10 % planted", "regressed: 30 false alarms")
    )
    assert text.count("<table>") == 2


def test_no_trials_are_no_table() -> None:
    assert render(replace(REPORT, results=())) == "No trial was made.\n"


def test_what_is_wrong_is_said() -> None:
    bad = replace(REPORT, verdict=Verdict("regressed", 1, ("30 false alarms in 1000 trials at p50, 0 hogs",)))
    assert "30 false alarms" in render(bad)
