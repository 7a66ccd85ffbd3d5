"""Runs whose budget is over before anything can be measured: they start nothing more, and say so."""

import time
from pathlib import Path
from typing import Any

import pytest

from infer_bench.gates.limits import GateLimits
from infer_bench.measure.bench import run as bench
from infer_bench.measure.candidates import early_openings
from infer_bench.measure.gate import run as gate
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.schedule import fresh_processes
from infer_bench.measure.settings import Settings
from infer_bench.report.bench import BenchReport
from infer_bench.workers.process import Worker
from tests.engines import zoo

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    """The workers that are started."""
    workers: list[Worker] = []

    class CountedWorker(Worker):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            workers.append(self)

    for module in (early_openings, fresh_processes):
        monkeypatch.setattr(module, "Worker", CountedWorker)
    return workers


def codes(report: BenchReport) -> set[str]:
    return {notice.code for notice in report.notices}


def test_a_gate_measures_each_once_in_the_process_that_has_opened_it(tmp_path: Path, starts: list[Worker]) -> None:
    saved = zoo.onnxruntime(tmp_path)
    report = gate.run(
        [str(saved.model.path)],
        data=None,
        candidates=[],
        gate=GateSettings(against="onnxruntime:threads=1", limits=GateLimits({"p50": 0.05})),
        settings=Settings(budget_s=5.0),
        begin_ns=time.perf_counter_ns() - HOUR_NS,
    )
    assert report.gate is not None
    assert report.verdict is not None
    assert (report.gate.mode, report.gate.layouts, report.verdict.exit_code) == ("processes", 1, 3)
    assert "over-budget" in codes(report)
    assert len(starts) == 2
    assert "would decide" in report.verdict.reasons[0]


def test_a_bench_measures_the_process_that_has_drawn_the_rows_but_not_its_memory(
    tmp_path: Path, starts: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    saved = zoo.lightgbm(tmp_path)
    report = bench.run(
        [str(saved.model.path)],
        data=None,
        candidates=["all"],
        settings=Settings(budget_s=5.0),
        begin_ns=time.perf_counter_ns() - HOUR_NS,
    )
    measured = [result for result in report.results if not result.failed]
    assert {result.cold_start_ns for result in measured} == {None}
    assert [result.rss_bytes for result in measured].count(None) == 1  # whoever starts fast enough takes part, too
    assert {"over-budget", "untimed-starts"} <= codes(report)
    converted = [notice for notice in report.notices if "no time to convert" in notice.message]
    assert [notice.code for notice in converted] == ["left-out"]
