"""Two models on the same rows: how many predictions became wrong and how many right, and what that proves."""

import math

from infer_bench.stats.proportion import exact_interval


def mcnemar(worse: int, better: int) -> float:
    """The exact two-sided p of `worse` right → wrong and `better` wrong → right, were both as likely.

    McNemar, Psychometrika 12 (1947), as a binomial test. 1.0 without any.
    """
    total, fewer = worse + better, min(worse, better)
    tail = sum(math.comb(total, k) for k in range(fewer + 1))
    return float(min(1.0, 2 * tail / 2**total))


def drop_interval(worse: int, better: int, rows: int, alpha: float) -> tuple[float, float]:
    """The drop of accuracy with an interval that misses it with a chance of at most `alpha`.

    The drop is the rate of right → wrong less that of wrong → right. Each rate has its interval of Clopper and Pearson
    at `alpha` / 2, so that both hold together (Bonferroni); the drop lies between their ends. Conservative, and honest
    where nothing changed at all: 0 of 897 rows still leaves a rate of up to 0.5 % open.
    """
    worse_low, worse_high = exact_interval(worse, rows, 1 - alpha / 2)
    better_low, better_high = exact_interval(better, rows, 1 - alpha / 2)
    return worse_low - better_high, worse_high - better_low
