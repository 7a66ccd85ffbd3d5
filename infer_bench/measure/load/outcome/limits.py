"""Limits on the latency, and what came of them. Pure."""

from collections.abc import Sequence

import numpy as np

from infer_bench.gates.limits import Bound, share_of
from infer_bench.report.load import LatencyLimit
from infer_bench.stats.binomial import below
from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.load.times import read_percentile
from infer_bench.stats.percentiles import minimum_samples
from infer_bench.typing import Samples


def check_limits(limits: Sequence[Bound], latencies: Samples, failures: int) -> tuple[LatencyLimit, ...]:
    """Each limit on `latencies` (ns) of right answers, beside which `failures` requests got none.

    One for which there are too few requests is undecided, one whose percentile is a failure is broken. So is one that
    is shown to be exceeded, with the gate's chance of saying so of a service at its limit, which is shared out over all
    `limits`; where requests come in bad runs, the chance is larger.
    """
    ordered = np.sort(latencies)
    return tuple(_check(limit, ordered, failures, Errors().alpha / len(limits)) for limit in limits)


def _check(limit: Bound, ordered: Samples, failures: int, error: float) -> LatencyLimit:
    q = share_of(limit.metric)
    assert q is not None
    value = read_percentile(ordered, failures, q)
    if len(ordered) + failures < minimum_samples(q):
        return LatencyLimit(limit.text, limit.metric, limit.value, None, "undecided")
    if value is not None and value < limit.value:
        return LatencyLimit(limit.text, limit.metric, limit.value, value, "holds")
    within = int(np.searchsorted(ordered, limit.value))
    is_shown = below(len(ordered) + failures, q, within) <= error
    return LatencyLimit(
        limit.text, limit.metric, limit.value, value, "broken" if is_shown else "undecided", is_close=not is_shown
    )
