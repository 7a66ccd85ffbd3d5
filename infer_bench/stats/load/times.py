"""Percentiles of requests of which some got no right answer."""

from dataclasses import replace

import numpy as np

from infer_bench.report.load import Times
from infer_bench.stats.load.intervals import bound_percentile
from infer_bench.stats.percentiles import minimum_samples, percentile_rank, quantile
from infer_bench.typing import Floats, Samples

_PERCENTS = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9}


def summarize_times(durations: Samples, failures: int = 0) -> Times:
    """The `Times` of requests: `durations` (ns) of those answered right, and `failures` more that were not.

    A failure counts as slower than every answer, so that a server cannot better its percentiles by refusing.
    """
    ordered = np.sort(np.asarray(durations, dtype=np.int64))
    values = {name: read_percentile(ordered, failures, quantile(percent)) for name, percent in _PERCENTS.items()}
    count = len(ordered) + failures
    needs = {name: minimum_samples(quantile(percent)) for name, percent in _PERCENTS.items()}
    return Times(
        p50_ns=values["p50"],
        p95_ns=values["p95"],
        p99_ns=values["p99"],
        p999_ns=values["p99.9"],
        mean_ns=round(float(ordered.mean())) if len(ordered) else None,
        min_ns=int(ordered[0]) if len(ordered) else None,
        max_ns=int(ordered[-1]) if len(ordered) else None,
        samples=count,
        needs={name: least for name, least in needs.items() if count < least},
    )


def bound_percentiles(times: Times, latencies: Floats) -> Times:
    """The times with an interval for each percentile that they hold; `latencies` as `bound_percentile` takes them."""
    values = dict(zip(_PERCENTS, (times.p50_ns, times.p95_ns, times.p99_ns, times.p999_ns), strict=True))
    names = [name for name, value in values.items() if value is not None]
    bounds = {name: bound_percentile(latencies, quantile(_PERCENTS[name])) for name in names}
    return replace(times, intervals={name: interval for name, interval in bounds.items() if interval is not None})


def read_percentile(ordered: Samples, failures: int, q: float) -> int | None:
    """The nearest rank of a sorted sample with `failures` behind it; None if too small, or where that is a failure."""
    count = len(ordered) + failures
    if count < minimum_samples(q):
        return None
    rank = percentile_rank(count, q)
    return int(ordered[rank - 1]) if rank <= len(ordered) else None
