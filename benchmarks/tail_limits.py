"""How often a gate on a p95 that nobody named is right, simulated: layouts in, verdicts out.

    python benchmarks/tail_limits.py [GATES] [LAYOUTS]

A layout's log ratio is the true one and noise of 1 to 6 %, normal with one layout in 30 off by 30 %. Every gate asks
for 5 % at p50 and p95 without naming either, as `--max-regression 5%` does. What passes at a wider limit is counted
apart.
"""

import math
import sys
from collections import Counter

import numpy as np

from infer_bench.gates.limits import GateLimits, find_unnamed
from infer_bench.gates.rules import CandidateMetrics, Series, make_checks
from infer_bench.report.gate import Check

NOISE = (0.01, 0.025, 0.04, 0.06)
SLOWDOWNS = (0.0, 0.03, 0.05, 0.08, 0.10, 0.15, 0.25)
FREAKS, FREAK_SD = 1 / 30, 0.3
LIMITS = GateLimits({"p50": 0.05, "p95": 0.05}, find_unnamed("5%"))


def judge(slowdown: float, noise: float, layouts: int, rng: np.random.Generator) -> Check:
    """The check on the p95 of one simulated gate."""
    logs = math.log1p(slowdown) + rng.normal(0.0, noise, layouts)
    logs += np.where(rng.random(layouts) < FREAKS, rng.normal(0.0, FREAK_SD, layouts), 0.0)
    base = [350_000.0] * layouts
    tail = Series([350_000.0 * math.exp(log) for log in logs], base, logs.tolist(), samples=200)
    median = Series(base, base, [0.0] * layouts)
    metrics = CandidateMetrics("new", "callable", "old", "new", 1, {"p50": median, "p95": tail})
    return make_checks([metrics], LIMITS)[1]


def describe(checks: list[Check]) -> str:
    """Shares of the gates, and the limits at which those passed that were widened."""
    kinds = Counter("wider" if check.limit_asked is not None else check.outcome for check in checks)
    limits = sorted(check.limit for check in checks if check.limit_asked is not None)
    shares = "".join(f"{kinds[kind] / len(checks):>13.1%}" for kind in ("regressed", "pass", "wider", "inconclusive"))
    return f"{shares}   {f'{limits[0]:.0%} to {limits[-1]:.0%}' if limits else ''}"


def main(gates: int = 1000, layouts: int = 14) -> None:
    """A line a spread and slow-down."""
    rng = np.random.default_rng(0)
    print(f"{gates} gates of {layouts} layouts each, 5 % asked for and not named")
    print("noise  true     regressed         pass   pass wider inconclusive   wider limits")
    for noise in NOISE:
        for slowdown in SLOWDOWNS:
            checks = [judge(slowdown, noise, layouts, rng) for _ in range(gates)]
            print(f"{noise:5.1%} {slowdown:+5.0%} {describe(checks)}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
