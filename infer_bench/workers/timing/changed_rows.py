"""Requests that were answered before beside ones that nobody asked yet: what remembers its answers is told by it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.workers.timing.loop import Clock, Stages, time_calls
from infer_bench.workers.timing.requests import ChangedRowTimes

STEP = 2.0**-50
"""Four ulps of 1: a number that no cache has seen, and that takes the same way through any model."""


def change_numbers(record: Mapping[str, Any], times: int) -> dict[str, Any] | None:
    """The record with its fractions `times` steps off; None where it has none. Whole numbers may stand for names."""
    scale, fractions = 1 + times * STEP, {name: v for name, v in record.items() if _is_fraction(v)}
    return {**record, **{name: value * scale for name, value in fractions.items()}} if fractions else None


def _is_fraction(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value) and not value.is_integer()


def time_changed_rows(stages: Stages, requests: Sequence[Any], clock: Clock, limit_ns: int) -> ChangedRowTimes:
    """Of each request the time when it is asked a second time, then that of one whose numbers differ a little.

    Stops after `limit_ns`, so there may be fewer; none of requests without fractions.
    """
    start, repeated, changed = clock(), list[int](), list[int]()
    for count, request in enumerate(requests, 1):
        other = change_numbers(request, count)
        if clock() - start > limit_ns:
            break
        if other is not None:
            stages(request)
            repeated.append(int(time_calls(stages, [request], clock)[0]))
            changed.append(int(time_calls(stages, [other], clock)[0]))
    return ChangedRowTimes(np.array(repeated, dtype=np.int64), np.array(changed, dtype=np.int64))
