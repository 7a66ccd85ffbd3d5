"""Percentiles, how large a sample each one takes, and intervals that assume no distribution.

A percentile is the *nearest rank*: the value at rank ceil(q n) of the sorted sample, ranks counted from 1. It is always
a value that was measured; nothing is interpolated.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from infer_bench.stats import binomial
from infer_bench.typing import Floats, Indices, Samples

_LEAST_TAIL = 0.4
"""An interval's tail holds at least 0.4 and at most 1.6 of its half of the error."""
_TRIES = 6


def quantile(percent: float) -> float:
    """The float nearest to `percent` / 100 as written: 99.9 gives 0.999, where division gives 0.9990000000000001."""
    return float(Fraction(repr(float(percent))) / 100)


def percentile_rank(n: int, q: float) -> int:
    """The rank, from 1, of the nearest-rank percentile: ceil(q n). `q` is read as the decimal it is written as."""
    _check(q)
    if n < 1:
        raise ValueError("a percentile needs at least one sample")
    return max(1, math.ceil(Fraction(repr(float(q))) * n))


def percentile(samples: Samples, q: float) -> int:
    """The nearest-rank percentile of a 1-D int64 array of at least one value, 0 < q < 1; the array is left as it is."""
    at = percentile_rank(len(samples), q) - 1
    return int(np.partition(samples, at)[at])


def least_percentile(samples: Samples, q: float, waiting_ns: int) -> float:
    """What a percentile of samples in ns is at the least without `waiting_ns` in which they waited, whichever did.

    The lowest level to which all samples up to the percentile can be cut with so much time, by the largest first. None
    falls below the shortest sample: a request takes as long as that without any waiting.
    """
    falling = np.sort(samples)[percentile_rank(len(samples), q) - 1 :: -1]
    levels = (np.cumsum(falling) - waiting_ns) / np.arange(1, len(falling) + 1)
    return float(max(falling[-1], levels.max()))


def median(values: Samples | Floats | Sequence[float]) -> float:
    """The usual median of at least one finite value in one dimension: `np.median`'s, in a quarter of its time.

    Of the few samples of a block, its checks take longer than its sorting.
    """
    half, odd = divmod(len(values), 2)
    if odd:
        return float(np.partition(values, half)[half])
    ordered = np.partition(values, (half - 1, half))
    return (float(ordered[half - 1]) + float(ordered[half])) / 2


@lru_cache(maxsize=256)
def minimum_samples(q: float, confidence: float = 0.95) -> int:
    """The least n for which the percentile `q` can be bounded with this confidence when one sample is set aside.

    It is the bound of MLPerf LoadGen's early stopping: the least n with P(Bin(n, 1 - q) <= 1) <= 1 - confidence, so
    that with this confidence at least two samples lie beyond the percentile. For q < 1/2 the tail below counts.
    """
    _check(q)
    tail, error = min(q, 1 - q), 1 - confidence
    low, high = 1, 2
    while _at_most_one(high, tail) > error:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _at_most_one(middle, tail) <= error else (middle, high)
    return high


def _at_most_one(n: int, p: float) -> float:
    """P(Bin(n, p) <= 1)."""
    return math.exp((n - 1) * math.log1p(-p)) * (1 - p + n * p)


@lru_cache(maxsize=256)
def interval(n: int, q: float, confidence: float = 0.95) -> tuple[int, int] | None:
    """Ranks `(low, high)`, from 1, between whose values the percentile of the population lies with `confidence`.

    P(X_(low) <= x_q <= X_(high)) = P(low <= B <= high - 1) with B ~ Bin(n, q), whatever the (continuous) distribution;
    ties only raise it. Of the pairs whose two tails are alike (each 0.4 to 1.6 of half the error) the one whose exact
    coverage is the least that is not below `confidence` is taken; for the median only mirror images are, so that the
    interval of a reversed sample is the reversed interval. None when n is too small for any.
    """
    _check(q)
    if n < 1:
        return None
    first, cumulative = binomial.window(n, q)
    pairs = [pair for pair in _pairs(first, cumulative, n, 1 - confidence) if pair[0] >= confidence]
    if q == 0.5:
        pairs = [pair for pair in pairs if pair[1] + pair[2] == n + 1]
    if not pairs:
        return None
    _, low, high = min(pairs)
    return low, high


def _pairs(first: int, cumulative: Floats, n: int, error: float) -> list[tuple[float, int, int]]:
    """Candidates (coverage, low, high), the equal-tailed pair and its neighbours."""

    def below(k: int) -> float:
        return 0.0 if k < first else float(cumulative[min(k - first, len(cumulative) - 1)])

    lowest, highest = _LEAST_TAIL * error / 2, (2 - _LEAST_TAIL) * error / 2
    lows = first + np.flatnonzero((cumulative >= lowest) & (cumulative <= highest)) + 1
    highs = first + np.flatnonzero((1 - cumulative >= lowest) & (1 - cumulative <= highest)) + 1
    safe_low = max(1, first + int(np.searchsorted(cumulative, error / 2, side="right")))
    safe_high = min(n, first + int(np.searchsorted(cumulative, 1 - error / 2)) + 1)
    low_ranks = {safe_low, *_thin(lows)}
    high_ranks = {safe_high, *_thin(highs)}
    return [(below(b - 1) - below(a - 1), a, b) for a in low_ranks for b in high_ranks if 1 <= a <= b <= n]


def _thin(ranks: Indices) -> list[int]:
    """At most `_TRIES` ranks in the middle of these: for large n neighbours hardly differ."""
    start = max(0, (len(ranks) - _TRIES) // 2)
    return [int(rank) for rank in ranks[start : start + _TRIES]]


def _check(q: float) -> None:
    if not 0 < q < 1:
        raise ValueError(f"a percentile lies between 0 and 1, exclusive, not at {q}")
