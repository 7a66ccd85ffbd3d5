"""Student's t distribution for whole degrees of freedom, exact to rounding."""

import math
from functools import lru_cache


def cumulative(t: float, freedom: int) -> float:
    """P(T <= t) with `freedom` >= 1 degrees: the finite sums of Abramowitz & Stegun, 26.7.3 and 26.7.4."""
    if freedom < 1:
        raise ValueError("there is no t distribution without a degree of freedom")
    angle = math.atan2(t, math.sqrt(freedom))
    cosine, inside = math.cos(angle), 0.0
    if freedom % 2:
        term = cosine
        for k in range(1, freedom - 1, 2):
            inside += term
            term *= cosine * cosine * (k + 1) / (k + 2)
        inside = 2 / math.pi * (angle + math.sin(angle) * inside)
    else:
        term = 1.0
        for k in range(0, freedom - 1, 2):
            inside += term
            term *= cosine * cosine * (k + 1) / (k + 2)
        inside *= math.sin(angle)
    return (1 + inside) / 2


@lru_cache(maxsize=4096)
def quantile(share: float, freedom: int) -> float:
    """The t with P(T <= t) = `share`, 0.5 <= share < 1, by bisection."""
    if not 0.5 <= share < 1:
        raise ValueError(f"a share lies between a half and 1, not at {share}")
    low, high = 0.0, 1.0
    while cumulative(high, freedom) < share:
        high *= 2
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if cumulative(middle, freedom) < share else (low, middle)
    return high
