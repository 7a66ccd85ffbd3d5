"""How often a verdict against a stored baseline is right: the tables of docs/baselines.md, simulated in a minute.

    python benchmarks/stored_verdicts.py [--trials 4000]

Medians of processes differ by 0.9 % (standard deviation, log scale), and one process in sixty is slower by 5 to 30 %,
as was measured of real ones (docs/decisions/0006). `drift` is the standard deviation of what two runs differ by as a
whole, which no test on processes can see. The limit is 5 %, alpha 1 %, beta 5 %.
"""

import argparse
import math

import numpy as np

from infer_bench.stats.decisions import mann_whitney

LIMIT, ALPHA, BETA = 1.05, 0.01, 0.05
LAYOUT_SD, FREAKS = 0.009, 1 / 60
SLOWDOWNS = (0.0, 0.02, 0.05, 0.075, 0.10)
RNG = np.random.default_rng(3)


def draw_medians(count: int, factor: float, drift: float) -> list[float]:
    """The medians of the processes of one run."""
    freaks = np.where(RNG.random(count) < FREAKS, RNG.uniform(0.05, 0.3, count), 0.0)
    shared = drift * RNG.standard_normal() / math.sqrt(2)
    values: list[float] = (factor * np.exp(LAYOUT_SD * RNG.standard_normal(count) + freaks + shared)).tolist()
    return values


def rates(count: int, slowdown: float, drift: float, trials: int) -> tuple[float, float]:
    """`(regressed, pass)` as shares of the trials."""
    failures = passes = 0
    for _ in range(trials):
        ordered = mann_whitney.ratios(draw_medians(count, 1 + slowdown, drift), draw_medians(count, 1.0, drift))
        low, high = mann_whitney.lower(ordered, count, count, ALPHA), mann_whitney.upper(ordered, count, count, BETA)
        failures += low is not None and low > LIMIT
        passes += high is not None and high < LIMIT
    return failures / trials, passes / trials


def main() -> None:
    """Print the table: regressed / pass, in per cent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=4_000, help="of each cell")
    trials = parser.parse_args().trials
    print("| drift | processes | " + " | ".join(f"+{slow:.1%}" for slow in SLOWDOWNS) + " |")
    print("|---|---" + "|---:" * len(SLOWDOWNS) + "|")
    for drift in (0.0, 0.01, 0.026):
        for count in (5, 9, 15):
            cells = (rates(count, slow, drift, trials) for slow in SLOWDOWNS)
            print(f"| {drift:.1%} | {count} | " + " | ".join(f"{f:.1%} / {p:.0%}" for f, p in cells) + " |")


if __name__ == "__main__":
    main()
