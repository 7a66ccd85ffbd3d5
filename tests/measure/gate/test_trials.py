"""What is counted of the trials of a self-test, and what they show."""

from dataclasses import replace

import pytest

from infer_bench.gates.rules import EXIT_CODES
from infer_bench.measure.gate.trials import SHARES, Trial, TrialKind, TrialSeries, judge_trials, plan_kinds
from infer_bench.report.gate import Check
from infer_bench.report.selftest import TrialsResult
from infer_bench.stats.proportion import exact_interval

CHECK = Check("c", "c", "m", 1, "p50", "regression", 0.02, "pass", baseline=50_000.0, ratio=1.001)

NOTHING = TrialKind("p50", 0.02)


def test_every_metric_is_tried_with_no_work_and_with_some_added() -> None:
    kinds = plan_kinds(SHARES)
    assert {kind.metric for kind in kinds} == set(SHARES)
    for metric, limit in SHARES.items():
        own = [kind for kind in kinds if kind.metric == metric]
        assert [kind.delay for kind in own].count(0.0) == 1
        assert any(kind.delay > limit for kind in own)
    assert any(kind.every > 1 for kind in kinds if kind.metric != "p50")


def test_the_only_metric_is_tried_as_often_as_asked() -> None:
    assert plan_kinds({"p95": 0.05})[0] == TrialKind("p95", 0.05)


def series(*outcomes: str, failures: int = 0) -> TrialSeries:
    checks = [replace(CHECK, outcome=outcome) for outcome in outcomes]  # type: ignore[arg-type]
    trials = [Trial(check, 1 + nth, 5) for nth, check in enumerate(checks)]
    return TrialSeries(NOTHING, 2, len(outcomes) + failures, trials, failures)


def test_every_outcome_is_counted_once_and_failures_are_no_trials() -> None:
    result = series("pass", "pass", "regressed", "inconclusive", "advisory", failures=2).result()
    assert (result.trials, result.passed, result.regressed, result.inconclusive, result.failed) == (5, 2, 1, 2, 2)
    assert result.share == 0.2
    assert (result.low, result.high) == exact_interval(1, 5)
    assert (result.measured_ns, result.longest_ns, result.request_ns) == (3, 5, 50_000)
    assert result.measured == pytest.approx(0.001)


def test_nothing_is_said_of_no_trials() -> None:
    result = TrialSeries(NOTHING, 0, 5).result()
    assert (result.trials, result.share, result.low, result.high, result.measured) == (0, 0.0, 0.0, 1.0, None)


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    # Clopper & Pearson as tabled: 0 of 10, 1 of 10, 5 of 10, 10 of 10; and the rule of three for 0 of 1,000.
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (0, 1000, 0, 0.0037),
    ],
)
def test_the_exact_interval_is_the_tabled_one(count: int, trials: int, low: float, high: float) -> None:
    assert exact_interval(count, trials) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(("count", "trials"), [(-1, 3), (4, 3)])
def test_a_count_that_is_none(count: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no count"):
        exact_interval(count, trials)


def build_result(delay: float, regressed: int, trials: int) -> TrialsResult:
    low, high = exact_interval(regressed, trials)
    return TrialsResult(0, delay, 1, "p50", 0.02, trials, regressed, trials - regressed, 0, 0, low, high)


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([build_result(0.0, 0, 100)], "pass"),
        ([build_result(0.0, 2, 100)], "pass"),  # 2 of 100 is no proof of more than 1 %
        ([build_result(0.0, 8, 100)], "regressed"),
        ([build_result(0.05, 100, 100)], "pass"),  # what was planted is to be found
        ([build_result(0.0, 0, 0)], "failed"),
    ],
)
def test_a_self_test_fails_when_its_false_alarms_are_proven_too_many(results: list[TrialsResult], status: str) -> None:
    result = judge_trials(results)
    assert result.status == status
    assert result.exit_code == EXIT_CODES[status]
