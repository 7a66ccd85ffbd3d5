"""Measurements of pairs become series of values and ratios, one a layout."""

import math
from dataclasses import replace
from typing import Any

import pytest

from infer_bench.gates.limits import GateLimits, parse_bound
from infer_bench.gates.rules import CandidateMetrics
from infer_bench.measure.gate.metrics import PairedMetrics
from tests.fakes import FakeClock
from tests.measure.fake_layouts import MS, US, FakeGate, FakeLayoutSource, gate

SHARES = {"p50": 0.02, "p95": 0.05, "load": 0.2, "rss": 0.1, "size": 0.0, "cold_start": 0.2}
FLOOR = 40


def run_gate(base_ns: int = 50 * US, new_ns: int = 60 * US, restarts: bool = True, **settings: Any) -> FakeGate:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda e: base_ns if e.label == "base" else new_ns, restarts=restarts)
    outcome = gate(1, source, clock, budget_s=5.0, **settings)
    outcome.run()
    return outcome


def collect(outcome: FakeGate, limits: GateLimits | None = None) -> list[CandidateMetrics]:
    return PairedMetrics(outcome.pairs, outcome.measurements, limits or GateLimits(SHARES)).collect()


def test_a_layout_gives_one_value_a_candidate_and_one_ratio() -> None:
    outcome = run_gate()
    (one,) = collect(outcome)
    for metric in ("p50", "p95"):
        series = one.series[metric]
        assert (
            len(series.logs) == len(series.candidate) == len(series.baseline) == outcome.measurements.whole_layout_count
        )
        assert set(series.candidate) == {60 * US - FLOOR}
        assert set(series.baseline) == {50 * US - FLOOR}
        assert series.logs[0] == pytest.approx(math.log((60 * US - FLOOR) / (50 * US - FLOOR)))
        assert series.samples >= 200
        assert series.calls == 1


def test_costs_beside_the_request_are_compared_too_and_none_that_is_not_known() -> None:
    (one,) = collect(run_gate())
    assert set(one.series["load"].candidate) == {2 * MS}
    assert set(one.series["rss"].baseline) == {100}
    assert set(one.series["size"].logs) == {0.0}
    assert one.series["cold_start"].candidate == ()
    (reloaded,) = collect(run_gate(restarts=False))
    assert reloaded.series["rss"].candidate == ()


def test_calls_are_taken_out_and_told() -> None:
    (one,) = collect(run_gate(2 * US, 3 * US))
    series = one.series["p50"]
    assert series.calls == 10
    assert series.candidate[0] == pytest.approx(3 * US - FLOOR / 10)
    (mixed,) = collect(run_gate(2 * US, 60 * US))
    assert mixed.series["p95"].calls == 10
    assert mixed.series["p50"].candidate[0] == pytest.approx(60 * US - FLOOR)


def test_absolute_values_are_those_of_a_layout_with_all_its_samples() -> None:
    limits = GateLimits(
        bounds=(parse_bound("p50<1ms"), parse_bound("rss<1MB"), parse_bound("cold-start<1s"), parse_bound("load<1s"))
    )
    outcome = run_gate()
    (one,) = collect(outcome, limits)
    assert one.series == {}
    assert set(one.totals["p50"].candidate) == set(one.totals["p50"].least) == {60 * US - FLOOR}
    assert not one.totals["rss"].least
    rounds = min(len(layout.rounds) for layout in next(iter(outcome.measurements)).layouts)
    assert one.totals["p50"].samples >= 200 * rounds
    assert set(one.totals["rss"].candidate) == {100}
    assert (list(one.totals["cold_start"].candidate), list(one.totals["cold_start"].least)) == ([], [])
    assert (set(one.totals["load"].candidate), set(one.totals["load"].least)) == ({2 * MS}, {1.5 * MS})


def test_a_layout_that_one_of_them_lacks_is_left_out() -> None:
    outcome = run_gate()
    whole = len(collect(outcome)[0].series["p50"].logs)
    base, new = outcome.measurements
    del base.layouts[1]
    del new.layouts[2]
    base.layouts[3].rounds.clear()
    assert len(collect(outcome)[0].series["p50"].logs) == whole - 3


def test_rounds_that_one_of_them_lacks_are_left_out() -> None:
    outcome = run_gate()
    base, _ = outcome.measurements
    del base.layouts[0].rounds[2:]
    (one,) = collect(outcome)
    assert one.series["p50"].logs[0] == pytest.approx(one.series["p50"].logs[1])


def test_every_batch_size_is_judged_by_itself() -> None:
    outcome = collect(run_gate(batches=(1, 64)))
    assert [one.batch for one in outcome] == [1, 64]


def test_a_failure_is_told_with_its_reason() -> None:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: US, deaths={"new1": ("block",)}, restarts=True)
    outcome = gate(2, source, clock, budget_s=1.0)
    outcome.run()
    good, bad = collect(outcome)
    assert good.failed is None
    assert bad.failed == "no more block"


def test_what_is_asked_again_is_the_same() -> None:
    outcome = run_gate()
    metrics = PairedMetrics(outcome.pairs, outcome.measurements, GateLimits(SHARES))
    assert metrics.collect() == metrics.collect()


def test_what_a_layout_gives_after_a_look_counts() -> None:
    """A report is saved while a layout is still measured: its later rounds, and its memory, are no less true."""
    outcome = run_gate()
    metrics = PairedMetrics(outcome.pairs, outcome.measurements, GateLimits(SHARES))
    _, new = outcome.measurements
    layout = new.layouts[-1]
    process, rounds = layout.process, list(layout.rounds)
    layout.process, layout.rounds[:] = replace(process, rss_bytes=0), rounds[:1]
    early = metrics.collect()
    layout.process, layout.rounds[:] = process, rounds
    late = metrics.collect()
    assert early != late
    assert late == collect(outcome)
