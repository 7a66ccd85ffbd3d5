"""Absolute limits on a machine that others keep busy: how long a request took says less of it than of them. Pure."""

from collections.abc import Sequence

from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.ratio_limit import judge

BUSY = "over the limit, but others held the CPU for as long as that: a quieter machine would decide"


def may_be_waiting(least_logs: Sequence[float], limit: float, errors: Errors) -> bool:
    """Whether what lies beyond a limit may be nothing but waiting for a CPU.

    So it is where the values without the waiting, the least that they can be, are not shown to lie beyond it. Both are
    logs; without any the waiting is not known, or cannot be told from the value.
    """
    return bool(least_logs) and judge(least_logs, limit, errors).outcome != "regressed"
