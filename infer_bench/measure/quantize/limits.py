"""Limits against what was measured, and what follows for the rate behind the rows."""

import math

from infer_bench.measure.quantize.settings import QuantizeLimits
from infer_bench.report.quantize import Flips, LimitCheck, Outcome
from infer_bench.stats.paired_classes import drop_interval
from infer_bench.stats.proportion import exact_interval


def check_limits(limits: QuantizeLimits, delta: float, flips: Flips | None, alpha: float) -> tuple[LimitCheck, ...]:
    """Each limit against what was measured; `alpha` is the chance of a wrong outcome that each may have.

    Shares are judged by one-sided exact bounds of the rate behind the rows, the difference as it is on these rows.
    """
    checks = []
    if limits.max_drop is not None and flips is not None and flips.right_to_wrong is not None:
        worse, better = flips.right_to_wrong, flips.wrong_to_right or 0
        low, high = drop_interval(worse, better, flips.rows, 2 * alpha)
        drop = (worse - better) / flips.rows
        checks.append(_check("accuracy", limits.max_drop, drop, low, high))
    if limits.max_flips is not None and flips is not None:
        low, high = exact_interval(flips.flips, flips.rows, 1 - 2 * alpha)
        checks.append(_check("flips", limits.max_flips, flips.flips / flips.rows, low, high))
    if limits.max_delta is not None:
        checks.append(_check("delta", limits.max_delta, delta, delta, delta))
    return tuple(checks)


def _check(metric: str, limit: float, value: float, low: float, high: float) -> LimitCheck:
    outcome: Outcome = "pass" if high <= limit else "broken" if low > limit else "undecided"
    return LimitCheck(metric, limit, value, low, high, outcome)


def outcome_of(checks: tuple[LimitCheck, ...]) -> Outcome:
    """Broken where one is, undecided where one is, else passed."""
    outcomes = {check.outcome for check in checks}
    return "broken" if "broken" in outcomes else "undecided" if "undecided" in outcomes else "pass"


def rows_to_tell(limits: QuantizeLimits, alpha: float) -> int:
    """How many judged rows it takes at least to show that a limit on a share is met: where not one of them changes."""
    tails = [(limits.max_flips, alpha), (limits.max_drop, alpha / 2)]
    return max((math.ceil(math.log(tail) / math.log1p(-share)) for share, tail in tails if share), default=0)
