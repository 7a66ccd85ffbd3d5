"""How many layouts are said to decide, against what the test does with that many."""

import math

import numpy as np
import pytest

from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.outlook import (
    ENOUGH,
    EXACT,
    expected_sight,
    layouts_for_sight,
    layouts_needed,
    share_beyond,
)
from infer_bench.stats.decisions.ratio_limit import judge, smallest_visible
from infer_bench.stats.decisions.sign_test import MOST, least_layouts, share_needed

ERRORS, LIMIT = Errors(), math.log(1.05)


def draw_logs(count: int, scale: float, centre: float = 0.0, seed: int = 0) -> list[float]:
    return list(np.random.default_rng(seed).normal(centre, scale, count))


@pytest.mark.parametrize("count", [0, 1, ENOUGH - 1])
def test_of_few_layouts_only_what_any_verdict_takes_is_known(count: int) -> None:
    assert layouts_needed([0.3] * count, LIMIT, ERRORS) == least_layouts(ERRORS.alpha)


def test_layouts_that_agree_decide_soon_and_those_at_the_limit_never() -> None:
    assert layouts_needed([0.0] * 6, LIMIT, ERRORS) == 7
    assert layouts_needed([0.3] * 6, LIMIT, ERRORS) == 7
    assert layouts_needed([LIMIT] * 20, LIMIT, ERRORS) is None


@pytest.mark.parametrize(("scale", "centre"), [(0.02, 0.0), (0.03, 0.0), (0.03, 0.10), (0.06, 0.12)])
def test_so_many_layouts_mostly_decide(scale: float, centre: float) -> None:
    counts = [layouts_needed(draw_logs(40, scale, centre, seed), LIMIT, ERRORS) for seed in range(20)]
    typical = sorted(count or MOST for count in counts)[len(counts) // 2]
    looks = (judge(draw_logs(min(MOST, 2 * typical), scale, centre, 100 + seed), LIMIT, ERRORS) for seed in range(40))
    outcomes = [look.outcome for look in looks]
    assert outcomes.count("regressed" if centre > LIMIT else "pass") >= 30


def test_the_quick_share_is_rather_too_high() -> None:
    for layouts in (EXACT + 1, 100, 200):
        exact = share_needed(layouts, ERRORS.alpha, 0.9)
        assert exact is not None
        assert exact <= share_beyond(layouts, ERRORS.alpha, 0.9) <= exact + 0.05


def test_more_layouts_see_less() -> None:
    sights = [expected_sight(0.01, layouts, ERRORS) or 1.0 for layouts in (7, 14, 30, 60, 200)]
    assert sights == sorted(sights, reverse=True)
    assert expected_sight(0.01, 6, ERRORS) is None


def test_the_fewest_layouts_that_tell_a_slow_down_are_the_first_whose_sight_is_as_sharp() -> None:
    for limit in (0.013, 0.02, 0.05):
        needed = layouts_for_sight(0.01, limit, ERRORS)
        assert needed is not None
        assert (expected_sight(0.01, needed, ERRORS) or 1.0) <= limit
        assert (expected_sight(0.01, needed - 1, ERRORS) or 1.0) > limit
    assert layouts_for_sight(0.01, 0.001, ERRORS) is None


def test_what_is_promised_before_a_run_is_about_what_runs_say_after_it() -> None:
    for layouts in (9, 14, 30):
        seen = sorted(smallest_visible(draw_logs(layouts, 0.01, 0.0, seed), ERRORS) or 1.0 for seed in range(60))
        assert seen[len(seen) // 2] == pytest.approx(expected_sight(0.01, layouts, ERRORS), rel=0.25)
