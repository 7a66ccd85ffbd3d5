"""A result of a load, as the tests need it."""

from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.report.load import LoadResult, Traffic
from infer_bench.stats.load.times import summarize_times

_TIMES = summarize_times(np.arange(1, 10_001))
RESULT = LoadResult(
    target="http://127.0.0.1:8080/predict",
    protocol="predict",
    loop="open",
    arrivals="poisson",
    rate_asked=1_000.0,
    rate_achieved=1_000.0,
    valid=True,
    invalid_reasons=(),
    latency=_TIMES,
    service=_TIMES,
    lag=_TIMES,
    errors={},
    bytes=Traffic(1, 1),
    samples=10_000,
    duration_ns=10,
    connections=64,
)


def make_result(**changes: Any) -> LoadResult:
    """A valid result, but for these fields."""
    return replace(RESULT, **changes)
