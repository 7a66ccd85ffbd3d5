"""A tail that nobody gave a limit by name: judged at what the sample resolves, never at less than was asked for."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer_bench.gates.limits import GateLimits, find_unnamed
from infer_bench.gates.rules import CandidateMetrics, Series, make_checks
from infer_bench.gates.undecided import may_be_decided, name_budget
from infer_bench.gates.unnamed_limits import MOST
from infer_bench.measure.gate.settings import build_gate_settings
from infer_bench.report.gate import Check

UNNAMED = GateLimits({"p50": 0.05, "p95": 0.05}, find_unnamed("5%"))
NAMED = replace(UNNAMED, unnamed=frozenset())


def judge(tail: list[float], limits: GateLimits = UNNAMED, samples: int = 200) -> Check:
    """The check on a p95 whose layouts have these log ratios, beside a median that is the same."""
    base = [350_000.0] * len(tail)
    values = [350_000.0 * math.exp(log) for log in tail]
    series = {"p50": Series(base, base, [0.0] * len(tail)), "p95": Series(values, base, tail, samples)}
    return make_checks([CandidateMetrics("new", "callable", "old", "new", 1, series)], limits)[1]


def draw(slowdown: float, noise: float, seed: int, layouts: int = 14) -> list[float]:
    logs: list[float] = np.random.default_rng(seed).normal(math.log1p(slowdown), noise, layouts).tolist()
    return logs


def scatter(slowdown: float, noise: float, layouts: int = 14) -> list[float]:
    """As normal as so many layouts can be, in an order without a trend."""
    places = [place * 5 % layouts for place in range(layouts)]
    return [math.log1p(slowdown) + noise * NormalDist().inv_cdf((place + 0.5) / layouts) for place in places]


@pytest.mark.parametrize(
    ("text", "unnamed"),
    [
        (None, {"p95"}),
        ("5%", {"p95"}),
        ("5%,rss=10%", {"p95"}),
        ("p50=5%,p95=5%", set()),
        ("p50=2%", set()),
        ("rss=10%", set()),
    ],
)
def test_what_is_named_is_never_loosened(text: str | None, unnamed: set[str]) -> None:
    gate = build_gate_settings({}, against="old.onnx", max_regression=text)
    assert gate.limits.unnamed == unnamed
    assert gate.describe()["max_regression_unnamed"] == sorted(unnamed)
    project = {} if text is None else {"max-regression": text}
    assert build_gate_settings(project, against="old.onnx").limits.unnamed == unnamed


def test_a_noisy_tail_passes_at_what_its_layouts_resolve_and_says_so() -> None:
    check = judge(scatter(0.0, 0.03))
    assert (check.outcome, check.limit_asked) == ("pass", 0.05)
    assert check.would_see == pytest.approx(0.07, abs=0.02)
    assert check.high is not None
    assert check.would_see is not None
    assert max(check.high - 1, check.would_see) <= check.limit < max(check.high - 1, check.would_see) + 0.01
    assert name_budget(check, 84.0).reason == "5 % is not told by this sample: about --budget 90s would decide"
    assert judge(scatter(0.0, 0.03), NAMED).outcome == "inconclusive"


def test_more_layouts_go_on_to_narrow_it() -> None:
    assert may_be_decided(judge(scatter(0.0, 0.03)), layouts=9)
    assert not may_be_decided(judge(draw(0.0, 0.005, 1)))


def test_a_sample_that_tells_what_was_asked_for_is_judged_by_that() -> None:
    for limits in (UNNAMED, NAMED):
        check = judge(draw(0.0, 0.005, 1), limits)
        assert (check.outcome, check.limit, check.limit_asked) == ("pass", 0.05, None)


@pytest.mark.parametrize("seed", range(20))
def test_a_regression_is_one_by_the_limit_that_was_asked_for(seed: int) -> None:
    for noise in (0.01, 0.03):
        both = [judge(draw(0.12, noise, seed), limits) for limits in (UNNAMED, NAMED)]
        assert both[0].outcome == both[1].outcome
        assert both[0].limit == 0.05
    assert judge(draw(0.12, 0.01, seed)).outcome == "regressed"


def test_nothing_wider_than_the_most_passes_nor_a_ratio_beyond_what_was_asked_for() -> None:
    assert judge(scatter(0.0, 0.12)).outcome == "inconclusive"
    assert judge(scatter(0.06, 0.02)).outcome == "inconclusive"
    assert judge(scatter(0.0, 0.03), samples=150).outcome == "inconclusive"


@settings(deadline=None, max_examples=60)
@given(
    slowdown=st.floats(-0.2, 0.4), noise=st.floats(0.002, 0.1), seed=st.integers(0, 10_000), layouts=st.integers(1, 30)
)
def test_a_wider_pass_lies_between_what_was_asked_for_and_the_most(
    slowdown: float, noise: float, seed: int, layouts: int
) -> None:
    tail = draw(slowdown, noise, seed, layouts)
    check, strict = judge(tail), judge(tail, NAMED)
    if check.limit_asked is None:
        assert (check.outcome, check.limit) == (strict.outcome, strict.limit)
    else:
        assert (strict.outcome, check.outcome) == ("inconclusive", "pass")
        assert 0.05 < check.limit <= MOST
        assert check.ratio is not None
        assert check.ratio <= 1.05


def test_equal_tails_pass_mostly_and_slower_ones_do_not() -> None:
    outcomes = {slowdown: [judge(draw(slowdown, 0.025, seed)) for seed in range(60)] for slowdown in (0.0, 0.05, 0.1)}
    assert sum(check.outcome == "pass" for check in outcomes[0.0]) >= 55
    assert sum(check.outcome == "regressed" for check in outcomes[0.0] + outcomes[0.05]) <= 2
    assert sum(check.outcome == "pass" for check in outcomes[0.1]) == 0
    assert sum(check.outcome == "regressed" for check in outcomes[0.1]) >= 45
