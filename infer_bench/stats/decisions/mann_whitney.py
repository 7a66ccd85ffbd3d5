"""Two unpaired samples compared by ranks, exactly: the Mann-Whitney test and the interval that it inverts to.

The distribution of U under "both samples come from one distribution" depends on the two sizes alone, whatever that
distribution is (Mann and Whitney 1947). Sorting all ratios a / b and counting from either end gives the bounds of the
ratio that the test would not reject (Hodges and Lehmann 1963), so that a bound and a verdict cannot disagree.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from statistics import median


@lru_cache(maxsize=64)
def arrangements(n: int, m: int) -> tuple[int, ...]:
    """For u = 0 … n m: how many of the C(n + m, n) orders of n and m distinct values have Mann-Whitney's U = u.

    These are the coefficients of the Gaussian binomial, built as a product of (1 - q^(m + i)) / (1 - q^i), i = 1 … n.
    """
    if n < 1 or m < 1:
        raise ValueError("both samples need at least one value")
    counts = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, n * m + 1):
            counts[u] += counts[u - i]
    return tuple(counts)


@lru_cache(maxsize=256)
def critical(n: int, m: int, error: float) -> int | None:
    """The least c with P(U >= c) <= `error` when both samples come from one distribution; None when there is none.

    With ties counted as "not greater" the probability is lower still.
    """
    _check(error)
    most = Fraction(error) * math.comb(n + m, n)
    count = sum(1 for total in accumulate(arrangements(n, m)) if total <= most)  # the tails are alike
    return n * m - count + 1 if count else None


def enough(error: float) -> int:
    """The least size k of two equal samples with which an error rate can be reached at all: 1 / C(2k, k) <= `error`."""
    _check(error)
    k = 1
    while Fraction(error) * math.comb(2 * k, k) < 1:
        k += 1
    return k


def ratios(values: Sequence[float], baseline: Sequence[float]) -> list[float]:
    """Every value over every baseline value (all > 0), sorted; their median estimates the ratio of the two."""
    return sorted(value / base for value in values for base in baseline)


def centre(ordered: Sequence[float]) -> float:
    """The Hodges-Lehmann estimate from sorted `ratios`."""
    return float(median(ordered))


def lower(ordered: Sequence[float], n: int, m: int, error: float) -> float | None:
    """The bound that the true ratio lies below with probability `error` at most; None when n and m are too small.

    It exceeds a limit exactly when the test says, at this error rate, that the values exceed limit * baseline.
    """
    least = critical(n, m, error)
    return None if least is None else ordered[n * m - least]


def upper(ordered: Sequence[float], n: int, m: int, error: float) -> float | None:
    """The bound that the true ratio lies above with probability `error` at most; None when n and m are too small."""
    least = critical(n, m, error)
    return None if least is None else ordered[least - 1]


def _check(error: float) -> None:
    if not 0 < error < 0.5:
        raise ValueError(f"an error rate lies between 0 and 0.5, exclusive, not at {error}")
