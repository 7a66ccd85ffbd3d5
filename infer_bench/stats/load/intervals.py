"""Intervals for percentiles of requests one after the other, whose latencies resemble their neighbours'. Pure.

Behind a slow request others wait, so that latencies come in runs, and order statistics of as many independent samples
give intervals that are several times too narrow. Here the sample is taken for a smaller one of independent requests,
whose order statistics are used. How much smaller is told by batches of neighbours: the share of requests beyond the
percentile is taken in each of 20 batches, and the variance of these shares is compared with that of independent
requests (P. Heidelberger and P. A. W. Lewis, "Quantile estimation in dependent sequences", Operations Research 32,
1984; the number of batches: B. Schmeiser, "Batch size effects in the analysis of simulation output", Operations
Research 30, 1982). In a run that is short beside the server's busy times, batches resemble their neighbours in turn:
the variance of their mean is taken for that of a first-order autoregression (its correlation: M. G. Kendall, "Note on
bias in the estimation of autocorrelation", Biometrika 41, 1954). Where too few are left for an upper rank, the interval
has no upper end.
"""

import math

import numpy as np

from infer_bench.stats import binomial, percentiles, student_t
from infer_bench.typing import Bools, Floats

BATCHES = 20
CONFIDENCE = 0.95
_MOST_CORRELATED = 0.9
_NORMAL = 1.959963984540054
_SMALL = (student_t.quantile(0.975, BATCHES - 1) / _NORMAL) ** 2
"""What the variance is multiplied by, since it is estimated from so few batches."""


def bound_percentile(latencies: Floats, q: float) -> tuple[int, int | None] | None:
    """The 95 % confidence interval of the percentile `q`; its upper end is None where the sample does not bound it.

    `latencies` (requests,) are in the order in which the requests were due, infinite without a right answer. None where
    the sample is too small for any interval, and where the lower end is infinite.
    """
    count = len(latencies)
    if count < BATCHES or percentiles.interval(count, q) is None:
        return None
    ordered = np.sort(latencies)
    error = _share_error(latencies > ordered[percentiles.percentile_rank(count, q) - 1])
    low, high = _bound_ranks(count, q, error)
    least, most = ordered[low - 1], ordered[high - 1] if high <= count else math.inf
    if not math.isfinite(least):
        return None
    return int(least), int(most) if math.isfinite(most) else None


def _share_error(is_beyond: Bools) -> float:
    """The standard error of the share of requests that are `is_beyond`, from batches of neighbours."""
    shares = np.array([part.mean() for part in np.array_split(is_beyond, BATCHES)])
    correlation = _correlate_neighbours(shares)
    return float(shares.std(ddof=1)) / math.sqrt(BATCHES) * math.sqrt((1 + correlation) / (1 - correlation))


def _correlate_neighbours(shares: Floats) -> float:
    """The correlation of each batch with the next, from 0 on; that of so few comes out too low by 1 / batches."""
    deviations = shares - shares.mean()
    square = float((deviations**2).sum())
    estimate = float((deviations[1:] * deviations[:-1]).sum()) / square if square else 0.0
    return min(_MOST_CORRELATED, max(0.0, estimate + 1 / BATCHES))


def _bound_ranks(count: int, q: float, error: float) -> tuple[int, int]:
    """Ranks from 1 between which the percentile lies; the upper one is beyond `count` where nothing bounds it."""
    variance = max(_SMALL * error**2, q * (1 - q) / count)
    independent = math.floor(q * (1 - q) / variance * (1 + 1e-12))
    ranks = percentiles.interval(independent, q)
    low, high = (_lowest_rank(independent, q), math.inf) if ranks is None else ranks
    scale = count / max(1, independent)
    return max(1, math.floor(low * scale)), count + 1 if math.isinf(high) else min(count, math.ceil(high * scale))


def _lowest_rank(count: int, q: float) -> int:
    """The rank below the highest that exceeds the percentile with half of the error at the most; 0 without any."""
    if not count:
        return 0
    first, cumulative = binomial.window(count, q)
    return max(0, first + int(np.searchsorted(cumulative, (1 - CONFIDENCE) / 2, side="right")) - 1)
