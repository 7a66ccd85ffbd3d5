"""From raw samples to a `Latency`: percentiles, what the sample is too small for, and intervals over processes."""

import math
from collections.abc import Sequence

import numpy as np

from infer_bench.errors import CannotRun
from infer_bench.report.common import Latency
from infer_bench.stats.layout_interval import layout_interval
from infer_bench.stats.percentiles import interval, minimum_samples, percentile_rank, quantile
from infer_bench.typing import Floats, Samples

Processes = Sequence[Sequence[Samples]]
"""processes -> rounds -> samples: 1-D int64 arrays of ns, as stamped."""

ALWAYS = (50.0, 95.0, 99.0)
BATCH_MEAN_LIMIT = 95.0
"""The mean of several calls hides their tail: above this percentile it says nothing of a call."""


def summarise(
    processes: Processes,
    floor_ns: int | Sequence[int] = 0,
    percentiles: Sequence[float] = ALWAYS,
    calls_per_sample: int = 1,
) -> Latency:
    """The `Latency` of one candidate (or of one of its phases), all processes pooled.

    A sample becomes (sample - floor) / calls_per_sample, never below 0; `floor_ns` is what an empty sample of as many
    calls measures, one number or one a process. `percentiles` are in per cent, 0 < p < 100; 50, 95 and 99 are always
    worked out. A percentile is the nearest rank of the pooled sample, None below `minimum_samples` at 95 %, and with
    several calls a sample None above 95.

    `intervals` are the hull of two 95 % intervals: the order-statistic interval of the pooled sample (right if layouts
    were alike), and the interval over the processes' own percentiles on the log scale (`layout_interval`; right if
    they are not), cut to what was measured. Calls of one process are not independent; what they share is seen by
    the second. Raises `CannotRun` when there is no sample.
    """
    corrected = _corrected(processes, floor_ns, calls_per_sample)
    if not corrected:
        raise CannotRun("not one valid sample was measured", "a larger --budget, or see why the workers failed")
    pooled = np.sort(np.concatenate(corrected))
    percents = dict.fromkeys((*ALWAYS, *(float(p) for p in percentiles)))
    sensible = [p for p in percents if calls_per_sample == 1 or p <= BATCH_MEAN_LIMIT]
    values = {p: _read_percentile(pooled, p) for p in sensible if len(pooled) >= minimum_samples(quantile(p))}
    return Latency(
        p50_ns=values.get(50.0),
        p95_ns=values.get(95.0),
        p99_ns=values.get(99.0),
        mean_ns=_integer(pooled.mean()),
        min_ns=_integer(pooled[0]),
        max_ns=_integer(pooled[-1]),
        samples=len(pooled),
        intervals={name_percentile(p): _interval(corrected, pooled, quantile(p)) for p in values},
        needs={name_percentile(p): minimum_samples(quantile(p)) for p in sensible if p not in values},
        more={name_percentile(p): values.get(p) for p in percents if p not in ALWAYS},
        floor_ns=_integer(float(np.mean(floor_ns))),
        unit="call" if calls_per_sample == 1 else "batch-mean",
    )


def _read_percentile(pooled: Floats, percent: float) -> int:
    """The nearest rank of a sorted sample."""
    return _integer(pooled[percentile_rank(len(pooled), quantile(percent)) - 1])


def name_percentile(percent: float) -> str:
    """The name of a percentile in a report: `p50`, `p99.9`."""
    return f"p{percent:.12g}"


def _corrected(processes: Processes, floor_ns: int | Sequence[int], calls: int) -> list[Floats]:
    """One float64 array of ns a call for each process that has samples."""
    floors = np.broadcast_to(np.asarray(floor_ns, dtype=np.float64), len(processes))
    arrays = [
        np.maximum(np.concatenate([np.asarray(r, dtype=np.float64) for r in rounds]) - floor, 0.0) / calls
        for rounds, floor in zip(processes, floors, strict=True)
        if len(rounds)
    ]
    return [array for array in arrays if len(array)]


def _interval(corrected: Sequence[Floats], pooled: Floats, q: float) -> tuple[int, int]:
    """The 95 % interval of a percentile, in ns: see `summarise`."""
    low_rank, high_rank = interval(len(pooled), q) or (1, len(pooled))
    low, high = float(pooled[low_rank - 1]), float(pooled[high_rank - 1])
    own = [_nearest(samples, q) for samples in corrected]
    if min(own) > 0:
        over = layout_interval([math.log(value) for value in own])
        low, high = min(low, math.exp(min(over[0], 700.0))), max(high, math.exp(min(over[1], 700.0)))
    point = _integer(pooled[percentile_rank(len(pooled), q) - 1])
    low, high = max(low, float(pooled[0])), min(high, float(pooled[-1]))
    return min(_integer(low), point), max(_integer(high), point)


def _nearest(samples: Floats, q: float) -> float:
    at = percentile_rank(len(samples), q) - 1
    return float(np.partition(samples, at)[at])


def _integer(value: float) -> int:
    return round(float(value))
