"""What a run says of itself before it begins."""

import pytest

from infer_bench.gates.limits import GateLimits
from infer_bench.measure.schedule.plan import describe_bench, describe_forms, describe_gate
from infer_bench.measure.settings import Settings
from infer_bench.report.gate import GateMode
from infer_bench.stats.decisions.error_rates import Errors

S = 1_000_000_000
HALF = Errors(alpha=0.005)
"""Of two metrics each has half."""
UNNAMED = GateLimits({"p50": 0.05, "p95": 0.05, "size": 0.0}, frozenset({"p95"}))
NAMED = GateLimits({"p50": 0.05, "p95": 0.05})


def test_a_bench_says_what_it_makes_and_about_how_long_it_takes() -> None:
    assert describe_bench(3, Settings(), 2 * S, S) == "3 candidates × 3 processes × 20 rounds, about 15 s"
    assert (
        describe_bench(1, Settings(processes=1, rounds=1), 0, 2 * S) == "1 candidate × 1 process × 1 round, about 2 s"
    )


def test_a_budget_is_all_that_it_takes() -> None:
    text = describe_bench(3, Settings(budget_s=7.5), S, S)
    assert text == "3 candidates × 3 processes at the most, as many rounds as fit, 7.5 s in all"
    assert describe_bench(3, Settings(budget_s=7.5, forms=True), S, S).endswith("as fit, 7.5 s after the forms")
    assert describe_bench(3, Settings(budget_s=4), S, S).endswith("as fit, 4 s in all, but for the first starts")


def test_a_budget_that_the_start_has_taken_is_said_to_hold_the_least() -> None:
    text = describe_bench(2, Settings(budget_s=5), 11 * S, S)
    assert text == "2 candidates × 1 process × 1 round: starting took 10 s, and the budget is 5 s"
    text = describe_gate("processes", 1, Settings(budget_s=5), NAMED, HALF, S, used_ns=6 * S)
    assert text == "1 comparison in pairs of fresh processes, 1 round: starting took 6 s, and the budget is 5 s"


def test_forms_are_made_and_opened_before_a_budget_counts() -> None:
    text = "2 forms made, 2 more to make and all to open, about 5 s"
    assert describe_forms(2, 2, S, None) == text
    assert describe_forms(2, 2, S, 10.0) == f"{text}; the budget of 10 s counts from then on"
    assert describe_forms(1, 0, 10 * S, 10.0).startswith("1 form made, all to open, about 10 s; the budget")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("sessions", "1 comparison in sessions reloaded in one worker, 30 s at the most, less where it is told before"),
        ("forks", "on a quiet machine that tells 2 % at p50, 6 % at p95"),
        ("processes", "pairs of fresh processes"),
        ("absolute", "1 comparison in fresh processes, 30 s at the most, less where it is told before"),
    ],
)
def test_a_gate_says_how_it_compares_and_what_that_tells(mode: GateMode, words: str) -> None:
    assert words in describe_gate(mode, 1, Settings(budget_s=30.0), UNNAMED, HALF, S)


def test_a_limit_that_is_out_of_reach_is_said_so_or_that_another_is_judged() -> None:
    text = describe_gate("forks", 1, Settings(budget_s=30.0), UNNAMED, HALF, S)
    assert text.endswith("; a p95 that is not told at 5 % is judged at what is, 20 % at the most")
    text = describe_gate("forks", 1, Settings(budget_s=30.0), NAMED, HALF, S)
    assert text.endswith("6 % at p95; 5 % at p95 takes about --budget 39s")
    text = describe_gate("forks", 1, Settings(budget_s=300.0), NAMED, HALF, S)
    assert text.endswith("on a quiet machine that tells 0.6 % at p50, 3 % at p95")


def test_a_budget_of_too_few_layouts_promises_nothing_and_says_which_would() -> None:
    text = describe_gate("processes", 2, Settings(budget_s=10.0), GateLimits({"p50": 0.05}), Errors(), 2 * S)
    assert "10 s at the most" in text
    assert text.endswith(": probably too short for a verdict, which takes 7 layouts, about --budget 102s")


def test_processes_that_start_at_the_same_time_take_a_part_of_a_budget() -> None:
    def describe(starts_at_once: int) -> str:
        limits = GateLimits({"p50": 0.05})
        return describe_gate("processes", 1, Settings(budget_s=40.0), limits, Errors(), 4 * S, starts_at_once)

    assert "probably too short for a verdict" in describe(1)
    assert "on a quiet machine that tells" in describe(2)
    assert describe(2) == describe(16)
