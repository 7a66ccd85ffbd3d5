"""A run against a stored one: outcomes, reasons, and how often the verdict is wrong."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infer_bench.errors import UsageError
from infer_bench.gates.rules import decide_verdict
from infer_bench.gates.stored import build_stored_gate, check_limits, judge_stored, process_values
from infer_bench.report.bench import BenchReport, BenchResult, Process, Round
from infer_bench.report.gate import Check
from tests.reports import CREDIT, latency, report, result

LIMIT = 0.05
LABEL = "lightgbm:feed=ndarray"


def process(index: int, samples: Any, calls: int = 1) -> Process:
    stamps = tuple(int(ns) for ns in samples)
    return Process(index, 1, 1, 1, 1, 1, rounds=(Round(0, 0, calls, 1, sum(stamps), 0, stamps, (), (), ()),))


def build_result(medians: Any, *, spread: float = 0.0, calls: int = 1, floor: int = 0, **more: Any) -> BenchResult:
    """A result whose processes have these medians, in ns a call."""
    ramp = np.linspace(-spread, spread, 101)
    processes = [process(i, ns * (1 + ramp) * calls + floor, calls) for i, ns in enumerate(medians)]
    request = replace(latency(1_000), floor_ns=floor)
    return result(LABEL, request=request, calls_per_sample=calls, processes=tuple(processes), **more)


def one(ours: BenchResult, baseline: BenchResult, limit: float = LIMIT, metric: str = "p50", **more: Any) -> Check:
    (check,) = judge_stored(report(ours), report(baseline), {metric: limit}, **more)
    return check


ABOUT_50_US = [50_000 + 100 * i for i in range(9)]
SLOWER = [ns * 1.2 for ns in ABOUT_50_US]


def test_alike_passes_and_slower_regresses() -> None:
    assert one(build_result(ABOUT_50_US), build_result(ABOUT_50_US)).outcome == "pass"
    assert one(build_result(SLOWER), build_result(ABOUT_50_US)).outcome == "regressed"
    assert one(build_result(ABOUT_50_US), build_result(SLOWER)).outcome == "pass"


def test_in_between_is_inconclusive_and_says_between_what() -> None:
    check = one(build_result([ns * 1.05 for ns in ABOUT_50_US]), build_result(ABOUT_50_US))
    assert check.outcome == "inconclusive"
    assert "more processes" in check.reason
    assert check.low is not None
    assert check.high is not None
    assert check.low < 1 + LIMIT < check.high


def test_the_figures_are_medians_and_the_bounds_hold_the_ratio() -> None:
    check = one(build_result(SLOWER), build_result(ABOUT_50_US))
    assert (check.baseline, check.value) == (50_400, 60_480)
    assert check.ratio == pytest.approx(1.2, abs=1e-4)
    assert check.low is not None
    assert check.low < 1.2 < (check.high or 0)
    assert (check.layouts, check.beyond, check.against) == (9, 9, LABEL)
    assert check.would_see is not None
    assert check.would_fail == pytest.approx((1 + LIMIT) * (1 + check.would_see) - 1)


def test_what_it_would_fail_is_failed() -> None:
    check = one(build_result(ABOUT_50_US), build_result(ABOUT_50_US))
    assert check.would_fail is not None
    slowed = build_result([ns * (1 + check.would_fail) for ns in ABOUT_50_US])
    assert one(slowed, build_result(ABOUT_50_US)).outcome == "regressed"


@pytest.mark.parametrize(("ours", "baseline"), [(3, 3), (4, 4), (9, 1), (1, 9)])
def test_too_few_processes_say_how_many_would_do(ours: int, baseline: int) -> None:
    check = one(build_result([90_000] * ours), build_result([50_000] * baseline))
    assert check.outcome == "inconclusive"
    sizes = f"{ours} here and {baseline} in the baseline"
    assert check.reason == f"too few processes, {sizes}: 5 on either side would do"
    assert check.ratio == pytest.approx(1.8)
    assert check.would_see is check.would_fail is None


@pytest.mark.parametrize(("ours", "baseline"), [(5, 5), (3, 9), (9, 3), (4, 5)])
def test_fewer_on_one_side_can_do_where_there_are_more_on_the_other(ours: int, baseline: int) -> None:
    assert one(build_result([90_000] * ours), build_result([50_000] * baseline)).outcome == "regressed"
    assert one(build_result([50_000] * ours), build_result([90_000] * baseline)).outcome == "pass"


def test_one_freak_on_either_side_turns_no_verdict() -> None:
    assert one(build_result([*ABOUT_50_US[:-1], 500_000]), build_result(ABOUT_50_US)).outcome == "pass"
    assert one(build_result([*SLOWER[:-1], 50_000]), build_result(ABOUT_50_US)).outcome == "regressed"


def test_alpha_is_shared_by_all_checks() -> None:
    rows = [replace(build_result(ABOUT_50_US[:5]), batch=batch) for batch in (1, 64, 100)]
    checks = judge_stored(report(*rows), report(*rows), {"p50": LIMIT})
    assert [check.outcome for check in checks] == ["inconclusive"] * 3
    assert all(": 6 on either side would do" in check.reason for check in checks)
    assert one(rows[0], rows[0]).outcome == "pass"


def test_tails_are_shown_and_not_judged_unless_that_is_asked_for() -> None:
    ours, baseline = build_result(SLOWER, spread=0.1), build_result(ABOUT_50_US, spread=0.1)
    check = one(ours, baseline, metric="p95")
    assert check.outcome == "advisory"
    assert check.ratio == pytest.approx(1.2, abs=1e-3)
    assert one(ours, baseline, metric="p95", advisory=()).outcome == "regressed"


def test_a_tail_needs_its_samples() -> None:
    check = one(build_result(ABOUT_50_US), build_result(ABOUT_50_US), metric="p99", advisory=())
    assert (check.outcome, check.reason) == (
        "inconclusive",
        "no process of this run has the 473 samples that it takes",
    )


def test_the_floor_and_the_calls_are_taken_off_as_in_the_report() -> None:
    short_calls = build_result([500], calls=4, floor=90)
    assert process_values(short_calls, "p50") == [500]
    assert process_values(build_result([0.0], floor=90), "p50") == [0.5]


def test_means_of_unlike_many_calls_have_no_common_tail() -> None:
    ours, baseline = build_result(ABOUT_50_US, calls=4), build_result(ABOUT_50_US, calls=5)
    check = one(ours, baseline, metric="p95", advisory=())
    assert check.outcome == "inconclusive"
    assert "the mean of 4 here and of 5 in the baseline" in check.reason
    assert one(ours, baseline).outcome == "pass"


def test_what_was_not_measured_is_failed_here_and_inconclusive_there() -> None:
    broken, sound = result(LABEL, failed="the worker was killed"), build_result(ABOUT_50_US)
    assert one(broken, sound).outcome == "failed"
    assert one(sound, broken).outcome == "inconclusive"
    other = replace(sound, model=replace(CREDIT, sha256="00" * 32))
    assert one(sound, other).reason == "the baseline holds no measurement of it"
    assert one(replace(sound, processes=()), sound).outcome == "inconclusive"


@pytest.mark.parametrize("limit", [0.0499, 0.0, -0.1, float("nan"), float("inf")])
def test_a_limit_below_five_percent_is_refused(limit: float) -> None:
    with pytest.raises(UsageError, match="5%") as error:
        check_limits({"p50": limit})
    assert "--against" in error.value.hint


@pytest.mark.parametrize("metric", ["size", "rss", "mean", "p", "p0", "p100", "50", "pnan"])
def test_only_percentiles_are_judged(metric: str) -> None:
    with pytest.raises(UsageError, match=f"a stored baseline judges percentiles only, not '{metric}'") as error:
        check_limits({metric: 0.1})
    assert "--against" in error.value.hint


def test_the_gate_says_how_it_came_about() -> None:
    ours, baseline = report(build_result(SLOWER)), report(build_result(ABOUT_50_US))
    checks = judge_stored(ours, baseline, {"p50": LIMIT})
    gate = build_stored_gate(ours, baseline, checks, wall_ns=7)
    assert (gate.mode, gate.layouts, gate.rounds, gate.wall_ns) == ("stored", 9, 1, 7)
    assert gate.baseline.candidate == LABEL
    assert gate.measured_ns == sum(r.wall_ns for p in ours.results[0].processes for r in p.rounds)
    (line,) = decide_verdict(checks, ()).reasons
    assert line.startswith(f"p50 of {LABEL}: 1.2 times the baseline's")


def outcomes(slowdown: float, trials: int, seed: int) -> Counter[str]:
    """Processes that differ by 0.9 % and are in 1 case of 60 off by up to 30 %, as was measured of real ones."""
    rng = np.random.default_rng(seed)

    def side(factor: float) -> BenchReport:
        freaks = np.where(rng.random(9) < 1 / 60, rng.uniform(0.05, 0.3, 9), 0.0)
        medians = 50_000 * factor * np.exp(0.009 * rng.standard_normal(9) + freaks)
        rounds = (
            (Round(0, 0, 1, 1, 1, 0, (round(ns),) * 8, (), (), ()),)
            for ns in medians
        )  # fmt: skip
        return report(result(LABEL, processes=tuple(Process(i, 1, 1, 1, 1, 1, rounds=r) for i, r in enumerate(rounds))))

    counts: Counter[str] = Counter()
    for _ in range(trials):
        counts[judge_stored(side(1 + slowdown), side(1.0), {"p50": LIMIT})[0].outcome] += 1
    return counts


def test_error_rates_and_power_of_nine_against_nine() -> None:
    trials = 1_000
    none, at_limit, twice = (outcomes(slow, trials, seed) for seed, slow in enumerate((0.0, LIMIT, 2 * LIMIT)))
    assert none["regressed"] == 0
    assert none["pass"] > 0.98 * trials
    assert at_limit["regressed"] <= 0.01 * trials + 3 * (0.01 * trials) ** 0.5
    assert at_limit["pass"] <= 0.05 * trials + 3 * (0.05 * trials) ** 0.5
    assert twice["regressed"] > 0.98 * trials
    assert twice["pass"] == 0
