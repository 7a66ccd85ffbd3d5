"""The binomial distribution, exact to rounding and fast up to ten million trials."""

import math

import numpy as np

from infer_bench.typing import Floats

_SIGMAS = 12.0
"""Beyond 12 standard deviations (and 200 counts) from the mean lies less than 1e-25 of the distribution."""


def window(n: int, p: float) -> tuple[int, Floats]:
    """P(X <= k) of X ~ Bin(n, p), for the k that carry the mass: `(first k, float64 array)`.

    The log of the mass is summed from the ratio of neighbours, (n - k) p / ((k + 1) (1 - p)), and normalised, so no
    factorial is formed and nothing overflows.
    """
    reach = math.ceil(_SIGMAS * math.sqrt(n * p * (1 - p))) + 200
    first, last = max(0, math.floor(n * p) - reach), min(n, math.ceil(n * p) + reach)
    k = np.arange(first, last, dtype=np.float64)
    logs = np.concatenate(([0.0], np.cumsum(np.log((n - k) / (k + 1)) + math.log(p / (1 - p)))))
    mass = np.exp(logs - logs.max())
    return first, np.minimum(np.cumsum(mass) / mass.sum(), 1.0)


def below(n: int, p: float, k: int) -> float:
    """P(X <= k) of X ~ Bin(n, p), 0 < p < 1."""
    first, cumulative = window(n, p)
    return 0.0 if k < first else float(cumulative[min(k - first, len(cumulative) - 1)])
