"""From what was measured to a verdict: which outweighs which, and what no sample can carry."""

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.gates import rules
from infer_bench.gates.limits import GateLimits, parse_bound
from infer_bench.gates.rules import (
    CandidateMetrics,
    Series,
    count_needed_samples,
    decide_verdict,
    make_checks,
)
from infer_bench.gates.undecided import is_settled, may_be_decided, name_budget
from infer_bench.report.gate import Check

SAME, SLOWER = 0.0, math.log(1.2)


def series(log: float = SAME, layouts: int = 14, samples: int = 1000, calls: int = 1, base: float = 50_000.0) -> Series:
    """Layouts that all show the same ratio."""
    value = base * math.exp(log)
    return Series([value] * layouts, [base] * layouts, [log] * layouts, samples, calls)


def build_metrics(**more: Any) -> CandidateMetrics:
    fields: dict[str, Any] = {"candidate": "new", "engine": "fake", "against": "old", "model": "m", "batch": 1}
    return CandidateMetrics(**{**fields, "series": {"p50": series(), "p95": series()}, **more})


BOTH = GateLimits({"p50": 0.02, "p95": 0.05})


def check(outcome: Any, kind: Any = "regression") -> Check:
    return Check("new", "old", "m", 1, "p50", kind, 0.02, outcome, reason="so")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_worst_outcome_is_the_verdict(length: int) -> None:
    order = ["failed", "different", "regressed", "inconclusive", "pass"]
    codes = dict(zip(order, (6, 4, 1, 3, 0), strict=True))
    for outcomes in itertools.product(order, repeat=length):
        verdict = decide_verdict([check(outcome) for outcome in outcomes], ())
        worst = min(outcomes, key=order.index)
        assert (verdict.status, verdict.exit_code) == (worst, codes[worst])
        assert bool(verdict.reasons) == (worst != "pass")


@given(st.lists(st.sampled_from(["failed", "different", "regressed", "inconclusive", "pass", "advisory"]), max_size=6))
def test_a_failure_is_never_a_regression_nor_a_difference(outcomes: list[str]) -> None:
    verdict = decide_verdict([check(outcome) for outcome in outcomes], ["the worker was killed"])
    assert (verdict.status, verdict.exit_code, verdict.reasons) == ("failed", 6, ("the worker was killed",))


@pytest.mark.parametrize(("choice", "code"), [("", 3), ("pass", 0), ("fail", 1)])
def test_the_user_says_what_inconclusive_exits_with(choice: Any, code: int) -> None:
    verdict = decide_verdict([check("inconclusive"), check("pass")], (), choice)
    assert (verdict.status, verdict.exit_code) == ("inconclusive", code)
    assert decide_verdict([check("regressed"), check("inconclusive")], (), choice).exit_code == 1
    assert decide_verdict([check("different"), check("inconclusive")], (), choice).exit_code == 4
    assert decide_verdict([check("failed"), check("inconclusive")], (), choice).exit_code == 6


@pytest.mark.parametrize("checks", [[], [check("advisory")], [check("advisory"), check("advisory")]])
def test_with_nothing_judged_nothing_passes(checks: list[Check]) -> None:
    assert decide_verdict(checks, ()).status == "inconclusive"
    assert decide_verdict([*checks, check("pass")], ()).status == "pass"


@pytest.mark.parametrize("passing", [check("pass", "delta"), replace(check("pass"), candidate="other")])
def test_a_candidate_whose_speed_was_not_judged_does_not_pass_by_anothers_or_by_its_answers(passing: Check) -> None:
    verdict = decide_verdict([check("advisory"), passing], ())
    assert verdict.status == "inconclusive"
    assert "p50 of new" in verdict.reasons[0]


def test_before_any_answers_there_is_no_difference() -> None:
    (only,) = make_checks([build_metrics(delta_note=rules.NO_ANSWERS, series={})], GateLimits(max_delta=1e-5))
    assert only.outcome == "inconclusive"


def test_equal_sides_pass_and_say_what_they_would_have_seen() -> None:
    checks = make_checks([build_metrics()], BOTH)
    assert [one.outcome for one in checks] == ["pass", "pass"]
    for one in checks:
        assert one.would_see is not None
        assert one.would_fail is not None
        assert one.would_see <= one.limit
        assert one.would_fail == pytest.approx((1 + one.would_see) * (1 + one.limit) - 1)


def test_a_slower_candidate_regresses_and_the_reason_names_it() -> None:
    checks = make_checks([build_metrics(series={"p50": series(SLOWER), "p95": series()}, batch=64)], BOTH)
    assert [one.outcome for one in checks] == ["regressed", "pass"]
    assert checks[0].ratio == pytest.approx(1.2)
    reasons = decide_verdict(checks, ()).reasons
    assert reasons == ("p50 of new at batch 64: 1.2 times the baseline's, more than 2 % on top",)


def test_the_error_rate_is_shared_among_all_checks() -> None:
    one, many = GateLimits({"p50": 0.02}), GateLimits({"p50": 0.02, "p95": 0.05, "size": 0.0})
    seven = {name: series(SLOWER, layouts=7) for name in ("p50", "p95", "size")}
    assert [c.outcome for c in make_checks([build_metrics(series=seven)], one)] == ["regressed"]
    assert [c.outcome for c in make_checks([build_metrics(series=seven)], many)] == [
        "inconclusive",
        "inconclusive",
        "regressed",
    ]
    eight = {name: series(SLOWER, layouts=8) for name in ("p50", "p95")}
    assert [c.outcome for c in make_checks([build_metrics(series=eight)], BOTH)] == ["regressed"] * 2
    crowd = [build_metrics(candidate=f"new{n}", series=eight) for n in range(5)]
    assert {c.outcome for c in make_checks(crowd, BOTH)} == {"inconclusive"}


@pytest.mark.parametrize(("log", "outcome"), [(0.0, "pass"), (math.log(1.05), "pass"), (math.log(1.051), "regressed")])
def test_the_size_of_a_file_is_known_from_one_layout(log: float, outcome: str) -> None:
    (only,) = make_checks([build_metrics(series={"size": series(log, layouts=1)})], GateLimits({"size": 0.05}))
    assert only.outcome == outcome
    assert only.unit == "bytes"


def test_the_size_of_a_function_is_not_waited_for() -> None:
    (only,) = make_checks([build_metrics(series={"size": Series(())})], GateLimits({"size": 0.0}))
    assert only.outcome == "inconclusive"
    assert not may_be_decided(only)


def test_a_p95_of_fewer_than_200_samples_a_block_is_inconclusive() -> None:
    few = {"p50": series(samples=199), "p95": series(SLOWER, samples=199)}
    p50, p95 = make_checks([build_metrics(series=few)], BOTH)
    assert (p50.outcome, p95.outcome) == ("pass", "inconclusive")
    assert "199 samples a block where p95 needs 200" in p95.reason
    assert not may_be_decided(p95)
    assert p95.would_see is None
    assert decide_verdict((p50, p95), ()).exit_code == 3


@pytest.mark.parametrize(("pooled", "is_shown"), [(92, False), (93, True)])
def test_a_p95_that_the_samples_of_a_layout_are_too_few_for_is_not_shown(pooled: int, is_shown: bool) -> None:
    few = replace(series(SLOWER, samples=1), pooled=pooled)
    (p95,) = make_checks([build_metrics(series={"p95": few})], GateLimits({"p95": 0.05}))
    assert "1 sample a block where p95 needs 200" in p95.reason
    assert [value is not None for value in (p95.value, p95.baseline, p95.ratio)] == [is_shown] * 3


def test_a_p99_is_advisory_until_its_sample_carries_it() -> None:
    limits = GateLimits({"p99": 0.1})
    (few,) = make_checks([build_metrics(series={"p99": series(SLOWER, samples=472)})], limits)
    (enough,) = make_checks([build_metrics(series={"p99": series(SLOWER, samples=473)})], limits)
    assert (few.outcome, enough.outcome) == ("advisory", "regressed")
    assert decide_verdict([few], ()).status == "inconclusive"


def test_a_percentile_of_means_is_advisory() -> None:
    p50, p95 = make_checks([build_metrics(series={"p50": series(calls=7), "p95": series(SLOWER, calls=7)})], BOTH)
    assert (p50.outcome, p95.outcome) == ("pass", "advisory")
    assert "mean of 7" in p95.reason


def test_a_higher_percentile_never_needs_fewer_samples() -> None:
    counts = [count_needed_samples(percent / 1000) for percent in range(500, 999)]
    assert counts == sorted(counts)
    assert (count_needed_samples(0.5), count_needed_samples(0.95), count_needed_samples(0.99)) == (1, 200, 473)


def test_absolute_limits_are_told_without_a_baseline() -> None:
    alone = build_metrics(against="", series={}, totals={"p50": series(base=50_000.0), "rss": series(base=3e8)})
    limits = GateLimits(bounds=tuple(map(parse_bound, ("p50<60us", "p50<40us", "rss<310MB", "other.p50<1us"))))
    under, over, memory = make_checks([alone], limits)
    assert [c.outcome for c in (under, over, memory)] == ["pass", "regressed", "pass"]
    assert (under.value, under.ratio, under.baseline, under.would_see) == (50_000.0, None, None, None)
    assert under.high == pytest.approx(50_000.0)
    assert decide_verdict([over], ()).reasons == ("p50 of new is beyond its limit",)


def test_an_absolute_limit_too_close_to_call_is_inconclusive() -> None:
    values = [50_000.0 * (1 + 0.01 * (-1) ** n) for n in range(20)]
    (only,) = make_checks(
        [build_metrics(against="", totals={"p50": Series(values)})], GateLimits(bounds=(parse_bound("p50<50us"),))
    )
    assert only.outcome == "inconclusive"
    assert "too close" in only.reason


@pytest.mark.parametrize(("least", "outcome"), [(30_000.0, "inconclusive"), (45_000.0, "regressed")])
def test_an_absolute_limit_is_broken_only_where_no_wait_for_a_cpu_explains_it(least: float, outcome: str) -> None:
    values = Series([50_000.0] * 14, samples=1000, least=[least] * 14)
    (only,) = make_checks(
        [build_metrics(against="", totals={"p99": values})], GateLimits(bounds=(parse_bound("p99<40us"),))
    )
    assert only.outcome == outcome
    assert ("a quieter machine would decide" in only.reason) == (outcome == "inconclusive")


@pytest.mark.parametrize(
    ("predictions", "outcome", "words"),
    [
        ({"max_abs_delta": 0.0}, "pass", ""),
        ({"max_abs_delta": 1e-5}, "pass", ""),
        ({"max_abs_delta": 2e-5}, "different", "differ by 2e-05, more than 1e-05"),
        ({"max_abs_delta": 0.0, "label_changes": 1}, "different", "labels that change: 1"),
        ({"max_abs_delta": 0.0, "mismatches": 3}, "different", "answers finite on one side only: 3"),
        ({"max_abs_delta": None, "rows_compared": 30}, "pass", ""),
        ({"max_abs_delta": None, "rows_compared": 30, "mismatches": 30}, "different", "finite on one side only: 30"),
        ({"max_abs_delta": None, "delta_note": "its answers have 3 columns"}, "different", "3 columns"),
    ],
)
def test_answers_are_held_against_the_largest_difference(predictions: dict[str, Any], outcome: str, words: str) -> None:
    checks = make_checks([build_metrics(series={}, **predictions)], GateLimits(max_delta=1e-5))
    assert [one.outcome for one in checks] == [outcome]
    assert words in " ".join(decide_verdict(checks, ()).reasons)


def test_without_a_largest_difference_other_answers_are_no_failure() -> None:
    assert decide_verdict(make_checks([build_metrics(max_abs_delta=9.0, label_changes=7)], BOTH), ()).status == "pass"


def test_whoever_failed_fails_every_check() -> None:
    limits = replace(BOTH, bounds=(parse_bound("p50<1us"),), max_delta=0.0)
    checks = make_checks([build_metrics(failed="it was killed", series={}, max_abs_delta=5.0)], limits)
    assert [one.outcome for one in checks] == ["failed"] * 4
    assert decide_verdict(checks, ()).exit_code == 6


def test_nothing_measured_is_inconclusive() -> None:
    checks = make_checks([build_metrics(series={})], BOTH)
    assert {(one.outcome, one.reason) for one in checks} == {("inconclusive", "nothing was measured")}
    assert all(may_be_decided(one) for one in checks)


def test_layouts_beyond_those_that_are_looked_at_are_not_waited_for() -> None:
    mixed = [0.019 + 0.002 * (n % 2) for n in range(400)]
    one = build_metrics(series={"p50": Series([1.0] * 400, [1.0] * 400, mixed)})
    (only,) = make_checks([one], GateLimits({"p50": 0.02}))
    assert only.outcome == "inconclusive"
    assert not may_be_decided(only)


def test_a_verdict_that_is_far_off_is_not_waited_for_and_the_budget_that_brings_it_is_named() -> None:
    wide = [0.08 * (-1) ** n for n in range(8)]
    (only,) = make_checks(
        [build_metrics(series={"p50": Series([1.0] * 8, [1.0] * 8, wide)})], GateLimits({"p50": 0.05})
    )
    assert only.layouts_needed is None or only.layouts_needed > 60
    assert may_be_decided(only)
    assert not may_be_decided(only, 9)
    assert "about --budget 90s would decide" in name_budget(only, 84.2).reason
    assert "about --budget 10s would decide" in name_budget(only, 0.3).reason
    assert "about --budget 5m would decide" in name_budget(only, 245).reason
    assert "no budget would decide" in name_budget(only, None).reason


def test_too_few_layouts_for_any_verdict_are_hopeless_only_where_the_budget_holds_far_fewer() -> None:
    (only,) = make_checks([build_metrics(series={"p50": series(layouts=1)})], GateLimits({"p50": 0.05}))
    assert only.layouts_needed == 7
    assert may_be_decided(only, 3)
    assert not may_be_decided(only, 2)


def test_a_regression_gives_the_other_metrics_as_long_again() -> None:
    checks = make_checks([build_metrics(series={"p50": series(SLOWER, layouts=8), "p95": series(layouts=3)})], BOTH)
    assert [is_settled(checks, layouts) for layouts in (8, 15, 16)] == [False, False, True]
    assert not is_settled(make_checks([build_metrics()], BOTH), 100)
