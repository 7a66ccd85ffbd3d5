"""A tail that nobody gave a limit by name: judged at what the sample can resolve, and said so. Pure.

A p95 is noise of the blocks first, so a limit that holds for the p50 is often out of its reach. Where a sample leaves
such a check inconclusive, it passes at the least limit at which it would have passed, and the report shows that.
Neither error rate grows by that. What is called a regression is decided by the limit that was asked for, before this.
And `high`, the bound that the verdict rests on, lies below the true ratio with chance beta at most over all looks
together, so that it may be compared with a limit that was chosen by the same sample.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from infer_bench.gates.limits import MORE_BUDGET
from infer_bench.report.gate import Check
from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.outlook import layouts_needed

MOST = 0.2
"""A limit above this is not taken for want of samples: four times what is allowed without an option."""
STEP = 0.01
"""Limits are rounded up to a whole per cent."""


def resolve_limit(check: Check, logs: Sequence[float], errors: Errors) -> Check:
    """The check at the least limit that its layouts resolve, where they leave it inconclusive at the one asked for.

    `logs` are the layouts' log ratios, each of blocks that hold enough samples. It passes only where the ratio measured
    lies within the limit asked for, where slow-downs as large as the new limit would have been seen, and where that is
    no more than `MOST`.
    """
    if check.outcome != "inconclusive" or check.ratio is None or check.ratio - 1 > check.limit:
        return check
    if check.high is None or check.would_see is None:
        return check
    resolved = math.ceil(max(check.high - 1, check.would_see, check.limit) / STEP - 1e-9) * STEP
    if resolved > MOST + 1e-9:
        return check
    return replace(
        check,
        outcome="pass",
        limit=round(resolved, 4),
        limit_asked=check.limit,
        reason=f"{check.limit * 100:g} % is not told by this sample: {MORE_BUDGET}",
        layouts_needed=layouts_needed(logs, math.log1p(check.limit), errors),
    )


def may_narrow(check: Check) -> bool:
    """Whether a check passed at another limit than was asked for, so that more layouts would narrow it."""
    return check.limit_asked is not None
