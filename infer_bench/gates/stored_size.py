"""How many processes a run takes that is to be stored. It imports nothing heavy: the command line asks it first."""

import math
from fractions import Fraction

from infer_bench.errors import UsageError

ALPHA = 0.01
BETA = 0.05
PROCESSES = 9
"""A run that is to be stored, or compared with one, should have as many: 9 against 9 can reach an error of 1 in
48,620."""


def least_processes(checks: int) -> int:
    """The fewest stored processes of which one check of `checks` can tell anything, beside `PROCESSES` new ones.

    The exact test's smallest error is 1 / C(n + m, n), and `ALPHA` is shared out over the checks.
    """
    least, count = Fraction(max(1, checks)) / Fraction(str(ALPHA)), 1
    while math.comb(PROCESSES + count, count) < least:
        count += 1
    return count


def check_stored_size(processes: int, checks: int) -> None:
    """Raises `UsageError` for a baseline of so few processes that no later run could be judged by it."""
    least = least_processes(checks)
    if processes < least:
        named = "one process" if processes == 1 else f"{processes} processes"
        judged = f" of {checks} results" if checks > 1 else ""
        raise UsageError(
            f"a baseline{judged} in {named} can never tell a regression: it takes {least}",
            f"--processes {least} or more; without it there are {PROCESSES}",
        )
