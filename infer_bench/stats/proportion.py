"""How often something happens, from how often it did."""

from collections.abc import Callable

from infer_bench.stats import binomial


def exact_interval(count: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of Clopper and Pearson (Biometrika 26, 1934) for `count` of `trials`; (0, 1) without a trial."""
    if not 0 <= count <= trials:
        raise ValueError(f"{count} of {trials} is no count")
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _solve(lambda p: 1 - binomial.below(trials, p, count - 1) < tail)
    high = 1.0 if count == trials else _solve(lambda p: binomial.below(trials, p, count) >= tail)
    return low, high


def _solve(holds: Callable[[float], bool]) -> float:
    """The largest p for which `holds` is true, which it is for every smaller one."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2
