"""Which numbers a server keeps, and where each stands in memory."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infer_bench.model import PHASES
from infer_bench.serving.faults import KINDS
from infer_bench.serving.paths.dual_path import REASONS

if TYPE_CHECKING:
    Numbers = memoryview[float]
else:
    Numbers = memoryview

ENDPOINTS = ("/predict", "/health", "/model-info", "/metrics", "/v2", "/v2/infer", "/docs", "other")
STATUSES = ("200", "400", "401", "404", "405", "408", "413", "415", "422", "431", "500", "503")
SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PHASE_SECONDS = (0.000005, 0.00001, 0.000025, 0.00005, *SECONDS)
COUNTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """One metric: its values by `labels`, whose combinations are fixed.

    A histogram holds a number for each of `buckets`, one for what is beyond them, and the sum.
    """

    name: str
    help: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ((),)
    buckets: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers a combination of labels has."""
        return len(self.buckets) + 2 if self.kind == "histogram" else 1


def _each(values: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) for value in values)


REQUESTS = MetricFamily(
    "infer_bench_requests",
    "Requests answered, by path and HTTP status.",
    "counter",
    ("endpoint", "status"),
    tuple(itertools.product(ENDPOINTS, STATUSES)),
)
REQUEST_SECONDS = MetricFamily(
    "infer_bench_request_seconds",
    "From a request's first line to its answer, the body's way included.",
    "histogram",
    ("endpoint",),
    _each(("/predict", "/v2/infer")),
    SECONDS,
)
PHASE = MetricFamily(
    "infer_bench_phase_seconds",
    "What each phase of a prediction takes.",
    "histogram",
    ("phase",),
    _each(PHASES),
    PHASE_SECONDS,
)
ERRORS = MetricFamily(
    "infer_bench_errors", "Requests that got no prediction, by kind.", "counter", ("kind",), _each(KINDS)
)
FALLBACKS = MetricFamily(
    "infer_bench_fallbacks", "Requests that the fallback answered, by reason.", "counter", ("reason",), _each(REASONS)
)
SHADOWED = MetricFamily("infer_bench_shadow_rows", "Rows that both models were asked.", "counter")
SHADOW_DIFFERENCES = MetricFamily(
    "infer_bench_shadow_differences", "Rows asked of both whose predictions differ beyond the limit.", "counter"
)
SHADOW_LOST = MetricFamily(
    "infer_bench_shadow_lost", "Requests for both models that were not compared: too many, or one failed.", "counter"
)
QUEUE = MetricFamily("infer_bench_queue_requests", "Requests that wait for the model.", "gauge")
BATCH_REQUESTS = MetricFamily(
    "infer_bench_batch_requests", "Requests that went through the model together.", "histogram", buckets=COUNTS
)
BATCH_ROWS = MetricFamily(
    "infer_bench_batch_rows", "Rows that went through the model together.", "histogram", buckets=COUNTS
)

FAMILIES = (
    REQUESTS, REQUEST_SECONDS, PHASE, ERRORS, FALLBACKS, SHADOWED, SHADOW_DIFFERENCES, SHADOW_LOST, QUEUE,
    BATCH_REQUESTS, BATCH_ROWS,
)  # fmt: skip
_STARTS = dict(
    zip(
        (family.name for family in FAMILIES),
        itertools.accumulate((len(family.values) * family.width for family in FAMILIES), initial=0),
        strict=False,
    )
)
SIZE = sum(len(family.values) * family.width for family in FAMILIES)
"""How many numbers a process keeps."""


def place(family: MetricFamily, labels: tuple[str, ...] = ()) -> int:
    """Where the numbers of a combination of labels begin."""
    return _STARTS[family.name] + family.values.index(labels) * family.width
