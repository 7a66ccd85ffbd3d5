"""How often a gate on a p95 that nobody named is right, simulated: layouts in, verdicts out.

    python benchmarks/tail_limits.py [GATES] [LAYOUTS]

A layout's log ratio is the true one and noise of 1 to 6 %, normal with one layout in 30 off by 30 %. Every gate asks
for 5 % at p50 and p95 without naming either, as `--max-regression 5%` does. What passes at a wider limit is counted
apart. A second table is of the p50 by itself at 2 %, as a self-test tries it: layouts spread by 0.3 to 0.9 % there.
"""

import math
import sys
from collections import Counter

import numpy as np

from infer_bench.gates.limits import GateLimits, find_unnamed
from infer_bench.gates.rules import CandidateMetrics, Series, make_checks
from infer_bench.report.gate import Check

NOISE = (0.01, 0.02, 0.025, 0.04, 0.06)
SLOWDOWNS = (0.0, 0.03, 0.05, 0.08, 0.10, 0.15, 0.25)
FREAKS, FREAK_SD = 1 / 30, 0.3
MEDIAN_NOISE, MEDIAN_SLOWDOWNS = (0.003, 0.005, 0.009), (0.0, 0.02, 0.03, 0.05)
LIMITS = GateLimits({"p50": 0.05, "p95": 0.05}, find_unnamed("5%"))


MEDIAN_LIMITS = GateLimits({"p50": 0.02})


def draw(slowdown: float, noise: float, layouts: int, rng: np.random.Generator) -> Series:
    """A metric over the layouts of one simulated gate."""
    logs = math.log1p(slowdown) + rng.normal(0.0, noise, layouts)
    logs += np.where(rng.random(layouts) < FREAKS, rng.normal(0.0, FREAK_SD, layouts), 0.0)
    values = [350_000.0 * math.exp(log) for log in logs]
    return Series(values, [350_000.0] * layouts, logs.tolist(), samples=200)


def judge_tail(slowdown: float, noise: float, layouts: int, rng: np.random.Generator) -> Check:
    """The check on the p95 of a gate whose p50 is the same on both sides."""
    series = {"p50": draw(0.0, 0.003, layouts, rng), "p95": draw(slowdown, noise, layouts, rng)}
    return make_checks([CandidateMetrics("new", "callable", "old", "new", 1, series)], LIMITS)[1]


def judge_median(slowdown: float, noise: float, layouts: int, rng: np.random.Generator) -> Check:
    """The check of a gate on the p50 alone."""
    series = {"p50": draw(slowdown, noise, layouts, rng)}
    return make_checks([CandidateMetrics("new", "callable", "old", "new", 1, series)], MEDIAN_LIMITS)[0]


def describe(checks: list[Check]) -> str:
    """Shares of the gates, and the limits at which those passed that were widened."""
    kinds = Counter("wider" if check.limit_asked is not None else check.outcome for check in checks)
    limits = sorted(check.limit for check in checks if check.limit_asked is not None)
    shares = "".join(f"{kinds[kind] / len(checks):>13.1%}" for kind in ("regressed", "pass", "wider", "inconclusive"))
    return f"{shares}   {f'{limits[0]:.0%} to {limits[-1]:.0%}' if limits else ''}"


def main(gates: int = 1000, layouts: int = 18) -> None:
    """A line a spread and slow-down."""
    rng = np.random.default_rng(0)
    print(f"{gates} gates of {layouts} layouts each, 5 % asked for and not named")
    print("noise  true     regressed         pass   pass wider inconclusive   wider limits")
    for noise in NOISE:
        for slowdown in SLOWDOWNS:
            checks = [judge_tail(slowdown, noise, layouts, rng) for _ in range(gates)]
            print(f"{noise:5.1%} {slowdown:+5.0%} {describe(checks)}", flush=True)
    print("p50 alone, a limit of 2 %")
    for noise in MEDIAN_NOISE:
        for slowdown in MEDIAN_SLOWDOWNS:
            checks = [judge_median(slowdown, noise, layouts, rng) for _ in range(gates)]
            print(f"{noise:5.1%} {slowdown:+5.0%} {describe(checks)}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
