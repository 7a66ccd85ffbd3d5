"""A sign test that may be looked at after every layout, and stops as soon as it knows.

Each layout gives one ratio, which lies beyond a limit or not. If the true (median) ratio is at the limit, that is a
fair coin; if it is within, the coin favours the other side. The test counts: it is right whatever the distribution of
the ratios, however noisy they are, as long as the layouts are drawn independently.

Looking again and again would inflate the error, so it is *spent*: the boundary after n layouts is the least count that
keeps the chance of having crossed any boundary so far below what may be spent by then (the alpha-spending of Lan and
DeMets, Biometrika 70, 1983, with exact binomial paths in place of a normal approximation).
"""

import math
from functools import lru_cache

import numpy as np

from infer_bench.typing import Floats

MOST = 400
"""So many layouts are looked at, at the most."""
_LATER = 0.2
"""The share of the error that is kept for looks after the first possible one; more comes free with every look."""

FREAKS = (1, 2)
"""So many layouts may lie anywhere, of the numbers of layouts that are aimed at: one of 14 or so, two of 18."""


def least_layouts(error: float) -> int:
    """The fewest layouts that can decide anything with this error rate: 0.5^n <= error. 7 at 1 %, 5 at 5 %."""
    _check(error)
    return math.ceil(-math.log2(error) - 1e-12)


def robust_layouts(error: float, freaks: int = 1) -> int:
    """The fewest layouts that decide although so many of them lie on the other side.

    One: 12 at 1 %, 14 at 0.5 %. Two: 18 at either.
    """
    return next((n for n, bound in enumerate(boundaries(error)) if bound is not None and bound <= n - freaks), MOST)


@lru_cache(maxsize=64)
def boundaries(error: float, most: int = MOST) -> tuple[int | None, ...]:
    """For n = 0, 1, …, `most` layouts: the least count beyond the limit that decides; None where no count does.

    The chance that a fair coin ever reaches its boundary, over all looks together, is at most `error`. Between two
    looks the boundary rises by at most one, and it never falls.
    """
    _check(error)
    first = least_layouts(error)
    counts: list[int | None] = [None] * (most + 1)
    mass, total = np.array([1.0]), 0.0
    for n in range(1, most + 1):
        mass = _flip(mass)
        bound = _least(mass, _spendable(error, n, first) - total, n)
        if bound is not None:
            total += float(mass[bound:].sum())
            mass[bound:] = 0.0
        counts[n] = bound if n >= first else None
    return tuple(counts)


def _flip(mass: Floats, share: float = 0.5) -> Floats:
    """The chances of each count after one more layout."""
    return np.append(mass, 0.0) * (1 - share) + np.insert(mass, 0, 0.0) * share


def _spendable(error: float, n: int, first: int) -> float:
    """What may be spent by look `n`: most of it at the first, all of it in the long run."""
    return 0.0 if n < first else error * (1 - _LATER * (first / n) ** 3)


def _least(mass: Floats, rest: float, n: int) -> int | None:
    """The least count whose tail fits into what is left; `n` when only counts that are out of reach do."""
    tails = np.cumsum(mass[::-1])[::-1]
    fitting = np.flatnonzero(tails <= rest + 1e-15)
    return int(fitting[0]) if len(fitting) else None


def crossing(share: float, layouts: int, error: float) -> float:
    """The chance that the boundary is reached within `layouts`, when each is beyond the limit with chance `share`."""
    mass, crossed = np.array([1.0]), 0.0
    for bound in boundaries(error)[1 : layouts + 1]:
        mass = _flip(mass, share)
        if bound is not None:
            crossed += float(mass[bound:].sum())
            mass[bound:] = 0.0
    return crossed


@lru_cache(maxsize=4096)
def share_needed(layouts: int, error: float, power: float) -> float | None:
    """The least share of layouts beyond the limit with which so many of them decide with this power; None: too few.

    Solved by bisection to 1e-6.
    """
    if layouts < least_layouts(error):
        return None
    low, high = 0.5, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if crossing(middle, layouts, error) >= power else (middle, high)
    return high


def _check(error: float) -> None:
    if not 0 < error < 0.5:
        raise ValueError(f"an error rate lies between 0 and a half, not at {error}")
