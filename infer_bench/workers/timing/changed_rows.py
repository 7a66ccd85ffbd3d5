"""Requests that were answered before beside ones that nobody asked yet: what remembers its answers is told by it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.workers.timing.loop import Clock, Stages, time_calls
from infer_bench.workers.timing.requests import ChangedRowTimes

REPEATS = 2
STEP = 2.0**-50
"""Four ulps of 1: a number that no cache has seen, and that takes the same way through any model."""


def change_numbers(record: Mapping[str, Any], times: int) -> dict[str, Any] | None:
    """The record with its fractions `times` steps off; None where it has none. Whole numbers may stand for names."""
    scale, fractions = 1 + times * STEP, {name: v for name, v in record.items() if _is_fraction(v)}
    return {**record, **{name: value * scale for name, value in fractions.items()}} if fractions else None


def _is_fraction(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value) and not value.is_integer()


def time_changed_rows(stages: Stages, requests: Sequence[Any], clock: Clock, limit_ns: int) -> ChangedRowTimes:
    """Of each request the time when it is asked again, and that of one whose numbers differ a little, in turn.

    Each is the shorter of two: a scheduler's slices may end with the same call of every turn. Stops after `limit_ns`,
    so there may be fewer; none of requests without fractions.
    """
    start, repeated, changed = clock(), list[int](), list[int]()
    for place, request in enumerate(requests):
        others = [other for i in range(REPEATS) if (other := change_numbers(request, REPEATS * place + i + 1))]
        if clock() - start > limit_ns:
            break
        if others:
            stages(request)
            pairs = [time_calls(stages, [request, other], clock) for other in others]
            repeated.append(min(int(pair[0]) for pair in pairs))
            changed.append(min(int(pair[1]) for pair in pairs))
    return ChangedRowTimes(np.array(repeated, dtype=np.int64), np.array(changed, dtype=np.int64))
