"""How many layouts it may take until a ratio is told, from those that are there: an estimate, no part of a verdict."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.ratio_limit import POWER_TARGET, spread
from infer_bench.stats.decisions.sign_test import MOST, boundaries, least_layouts, share_needed
from infer_bench.stats.student_t import quantile

ENOUGH = 5
"""With fewer layouts their spread says nothing yet."""
_CHANCE = 0.8
"""How likely it is to be told with so many."""
_STEP = 1.12
EXACT = 60


def layouts_needed(logs: Sequence[float], limit: float, errors: Errors) -> int | None:
    """The fewest layouts with which a verdict is likely, the ones at hand included; None where `MOST` are too few.

    `logs` and `limit` are log ratios, spread normally from here on. Of less than `ENOUGH` layouts: what any verdict
    takes.
    """
    least = least_layouts(errors.alpha)
    if len(logs) < ENOUGH:
        return least
    centre, scale = float(np.median(logs)), spread(logs, freaks=1)
    within = NormalDist().cdf((limit - centre) / scale)
    count = max(least, len(logs) + 1)
    while count <= MOST:
        passes = within >= share_beyond(count, errors.beta, _CHANCE) and _sees(count, scale, centre, limit, errors)
        if passes or 1 - within >= share_beyond(count, errors.alpha, _CHANCE):
            return count
        count = max(count + 1, round(count * _STEP))
    return None


def expected_sight(scale: float, layouts: int, errors: Errors) -> float | None:
    """The log slow-down that so many layouts would say that they had told from none; None where they are too few.

    As `smallest_visible` has it of layouts that spread by `scale`, as far as they can show that.
    """
    bound = boundaries(errors.alpha)[layouts]
    if bound is None:
        return None
    share = share_beyond(layouts, errors.alpha, POWER_TARGET)
    return quantile(share, max(1, bound - 1)) * scale


def layouts_for_sight(scale: float, limit: float, errors: Errors) -> int | None:
    """The fewest layouts that usually tell a log slow-down of `limit`; None for more than `EXACT`."""
    counts = range(least_layouts(errors.alpha), EXACT + 1)
    return next((n for n in counts if (expected_sight(scale, n, errors) or math.inf) <= limit), None)


def _sees(count: int, scale: float, centre: float, limit: float, errors: Errors) -> bool:
    sight = expected_sight(scale, count, errors)
    return limit <= 0 or (sight is not None and sight + min(0.0, centre) <= limit)


def share_beyond(layouts: int, error: float, chance: float) -> float:
    """The share of layouts beyond a limit with which the boundary is reached within that many with this chance.

    Of many by the normal approximation of the last look alone, which is rather too high: an exact one takes long.
    """
    if layouts <= EXACT:
        return share_needed(layouts, error, chance) or 1.0
    bound = boundaries(error)[layouts]
    if bound is None:
        return 1.0
    share = min(bound / layouts, 1 - 0.5 / layouts)
    return min(share + NormalDist().inv_cdf(chance) * math.sqrt(share * (1 - share) / layouts), 1 - 1e-9)
