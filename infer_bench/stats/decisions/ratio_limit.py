"""Whether a ratio lies beyond a limit, within it, or cannot be told: layouts in, an outcome with its bounds out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.sign_test import MOST, boundaries, share_needed
from infer_bench.stats.student_t import quantile

POWER = 0.95
POWER_TARGET = 0.97
"""What the power is set to, so that it is `POWER` for spreads that are estimated: one that came out small promises too
much, and all layouts share it (simulated in the tests)."""
LEAST_SPREAD = 0.001
"""Layouts that agree better than 0.1 % do so by luck, or because the clock is no finer."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`centre`, `low` and `high` are logs of ratios; infinite where the layouts are too few for a bound.

    `regressed` holds when `low` exceeds the limit, `pass` when `high` is below it and a slow-down as large as the limit
    would have been seen (`would_see`, a log, None with too few layouts). Both are as of the layout that decided.
    """

    outcome: Literal["pass", "regressed", "inconclusive"]
    centre: float
    low: float
    high: float
    layouts: int
    beyond: int
    would_see: float | None


def judge(logs: Sequence[float], limit: float, errors: Errors) -> Judgement:
    """Look at the layouts' log ratios in the order they were taken, and stop at the first that decides.

    `limit` is a log ratio. The bounds are order statistics: after n layouts, of which `boundaries` asks c to lie beyond
    a limit, the c-th largest ratio is a limit that would just have been crossed. Looks taken together, the true median
    is below the largest lower bound with chance `alpha` at the most, above the least upper bound with `beta`.

    `would_see` is relative to the baseline. It must not exceed the limit for a pass where the limit is a share on top
    (`limit` > 0).
    """
    low, high = -math.inf, math.inf
    outcome: Literal["pass", "regressed", "inconclusive"] = "inconclusive"
    n, sight = 0, None
    for n in range(1, min(len(logs), MOST) + 1):
        ordered = sorted(logs[:n])
        low = max(low, _bound(ordered, boundaries(errors.alpha)[n]))
        high = min(high, -_bound([-value for value in reversed(ordered)], boundaries(errors.beta)[n]))
        if low > limit:
            outcome = "regressed"
        elif high < limit:
            sight = _relative_sight(logs[:n], high, errors)
            outcome = "pass" if limit <= 0 or (sight is not None and sight <= limit) else "inconclusive"
        if outcome != "inconclusive":
            break
    looks = list(logs[:n])
    beyond = sum(value > limit for value in looks)
    centre = float(np.median(looks)) if looks else math.nan
    return Judgement(
        outcome, centre, low, high, n, beyond, sight if outcome == "pass" else _relative_sight(looks, high, errors)
    )


def _relative_sight(logs: Sequence[float], high: float, errors: Errors) -> float | None:
    """`smallest_visible`, and what the candidate was shown to be faster by: it would have to lose that first."""
    smallest = smallest_visible(logs, errors)
    return None if smallest is None else max(LEAST_SPREAD, smallest + min(0.0, high))


def _bound(ordered: Sequence[float], count: int | None) -> float:
    """The `count`-th largest value."""
    return -math.inf if count is None or count > len(ordered) else ordered[len(ordered) - count]


def smallest_visible(logs: Sequence[float], errors: Errors) -> float | None:
    """The smallest log slow-down that as many layouts would have told from none, with `POWER`; None for too few.

    With that chance the boundary is reached when each layout lies beyond with the chance that `share_needed` gives.
    A further layout is predicted from the spread of these, with Student's t for the spread is estimated from few.
    """
    count = min(len(logs), MOST)
    share = share_needed(count, errors.alpha, POWER_TARGET)
    bound = boundaries(errors.alpha)[count]
    if share is None or bound is None:
        return None
    freaks = count - bound
    return quantile(share, count - 1 - freaks) * spread(logs[:count], freaks)


def spread(logs: Sequence[float], freaks: int) -> float:
    """The standard deviation about the median, with the `freaks` furthest layouts pulled in to the next one.

    The sign test can afford that many to lie anywhere. What pulling in takes from a normal sample is given back.
    """
    gaps, variance = np.sort(np.abs(np.asarray(logs) - np.median(logs))), 1.0
    if 0 < freaks < len(gaps):
        gaps[-freaks:] = gaps[-freaks - 1]
        variance = _winsorised_variance(freaks / len(gaps))
    return max(LEAST_SPREAD, math.sqrt(float(np.sum(gaps**2)) / (len(gaps) - 1) / variance))


def _winsorised_variance(share: float) -> float:
    """The variance of a standard normal variable whose furthest `share` is set to the cut at either side."""
    normal, tail = NormalDist(), share / 2
    limit = normal.inv_cdf(1 - tail)
    return 1 - share - 2 * limit * normal.pdf(limit) + share * limit * limit
