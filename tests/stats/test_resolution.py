"""What can be told apart: from blocks to the smallest slow-down."""

import math

import numpy as np
import pytest

from infer_bench.stats.decisions.mann_whitney import lower, ratios
from infer_bench.stats.layout_interval import LAYOUT_SD
from infer_bench.stats.resolution import PAIRS, resolution


def test_processes_that_agree_by_luck_do_not_promise_more_than_layouts_allow() -> None:
    result = resolution([[100.0] * 5] * 4)
    assert (result.between_blocks, result.between_processes) == (0.0, 0.0)
    assert result.resolvable == pytest.approx(math.expm1(3.971202 * 1.253314 * math.sqrt(2 / 9) * LAYOUT_SD), rel=1e-4)


def test_spread_of_blocks_and_of_processes_are_told_apart() -> None:
    blocks = [100.0, 101.0, 99.0, 102.0, 98.0]
    within = resolution([blocks] * 3)
    assert within.between_processes == 0.0
    assert within.between_blocks == pytest.approx(1.4826 * 0.01, rel=0.02)
    across = resolution([[100.0] * 5, [110.0] * 5, [121.0] * 5])
    assert across.between_blocks == 0.0
    assert across.between_processes == pytest.approx(math.log(1.1))


def test_one_disturbed_block_changes_nothing() -> None:
    calm = [[100.0, 101.0, 99.0, 100.0, 100.0]] * 3
    assert resolution([[*calm[0][:-1], 900.0], *calm[1:]]) == resolution(calm)


@pytest.mark.parametrize("unit", [1e-3, 1e6])
def test_the_unit_does_not_count(unit: float) -> None:
    blocks = [[100.0, 103.0], [98.0, 99.0], [105.0, 101.0]]
    after = resolution([[unit * value for value in own] for own in blocks])
    assert after.resolvable == pytest.approx(resolution(blocks).resolvable)


def test_more_pairs_resolve_more_and_a_wild_machine_is_still_a_number() -> None:
    blocks = [[100.0], [103.0], [99.0]]
    assert resolution(blocks, pairs=36).resolvable < resolution(blocks).resolvable
    assert math.isfinite(resolution([[1.0], [1e300]]).resolvable)


@pytest.mark.parametrize("spread", [0.009, 0.03])
def test_what_it_promises_is_kept_by_the_rank_test(spread: float) -> None:
    """Looks of four processes; then gates of nine against nine at the slow-down that the look named."""
    rng, alarms = np.random.default_rng(1), 0
    trials = 400
    for _ in range(trials):
        look = np.exp(spread * rng.standard_normal((4, 1)))
        slower = 1 + resolution(look.tolist()).resolvable
        ours, base = np.exp(spread * rng.standard_normal((2, PAIRS)))
        low = lower(ratios((slower * ours).tolist(), base.tolist()), PAIRS, PAIRS, 0.01)
        alarms += low is not None and low > 1
    assert alarms > 0.9 * trials
