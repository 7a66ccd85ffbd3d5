"""The frozen types of a load: how an endpoint answered requests that were due at given times, and whether that holds.

Times are integers of nanoseconds (`_ns`), sizes integers of bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from infer_bench.report.common import Notice, Report

Loop = Literal["open", "closed"]
Arrivals = Literal["poisson", "constant"]
SearchEnd = Literal["precision", "generator", "nothing-holds", "trials", "rate", "unfinished"]
LimitStatus = Literal["holds", "broken", "undecided"]


@dataclass(frozen=True, slots=True)
class Times:
    """Durations of requests; percentiles by nearest rank.

    A percentile is None where the sample is too small (`needs` holds the number that it takes), and where it falls
    among requests without a right answer: those are slower than all that have one. `mean_ns`, `min_ns` and `max_ns` are
    of the right answers; None without any. `samples` counts both kinds. `intervals` are 95 % confidence intervals by
    percentile, of the latency only; the upper end is None where the sample does not bound it.
    """

    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None
    p999_ns: int | None
    mean_ns: int | None
    min_ns: int | None
    max_ns: int | None
    samples: int
    needs: Mapping[str, int] = field(default_factory=dict)
    intervals: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts[i]` latencies lie in the bucket that begins at `low_ns[i]`; buckets without any are left out.

    A bucket is 1 ns wide below 256 ns and 1/128 of its power of two beyond, so that its ends are less than 0.8 % apart.
    """

    low_ns: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LoadInterval:
    """The requests that were due from `start_ns` on, counted from the begin of the measured time.

    `errors` of the `samples` got no right answer; the times are of those that did, None without any.
    """

    start_ns: int
    samples: int
    errors: int
    p50_ns: int | None
    max_ns: int | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes of the requests and of the answers, heads included, as HTTP writes them."""

    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class LatencyLimit:
    """A limit on a percentile of the latency, as in `p99<20ms`, and what came of it.

    `value_ns` is None where the sample is too small, and where the percentile is a request without a right answer. A
    limit is undecided for too small a sample and for a load that is not valid, unless it is broken beyond doubt. It
    `is_close` where it is undecided since chance alone puts the percentile of as many requests as far beyond it.
    """

    text: str
    metric: str
    limit_ns: float
    value_ns: int | None
    status: LimitStatus
    is_close: bool = False


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The highest rate at which the limits hold lies between `low`, which held, and `high`, which did not.

    Either is None where there is none. `end` is why no other rate was tried: the bounds are close enough (`precision`),
    the generator could not judge a higher rate (`generator`), there is none (`rate`), not one holds (`nothing-holds`),
    or there were too many `trials`.
    """

    low: float | None
    high: float | None
    trials: int
    end: SearchEnd


@dataclass(frozen=True, slots=True)
class AnswerComparison:
    """Right answers beside the predictions of `model` for their rows.

    `different` of `answers` lie further apart than the tolerance, `atol` and for unbounded predictions a share more, or
    have another form. `max_abs_delta` is None where none could be compared. Of a network, what float32 rounds decides
    where that is known, and `outputs` are those that differ. `left_out` answers were not compared:
    there was no room to keep more that are unlike each other.
    """

    model: str
    answers: int
    different: int
    max_abs_delta: float | None
    atol: float
    outputs: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class LoadShare:
    """What one of several workers sent of a load; `reason` says why one did not report, and is empty where it did.

    `requests` of the measured time fell to it. `clock_ns` is how far its clock may be off the others' at the
    most. The histograms of all shares add up to that of the whole.
    """

    worker: str
    requests: int
    reason: str = ""
    latency: Times | None = None
    lag: Times | None = None
    errors: int = 0
    waits: int = 0
    busy_share: float | None = None
    clock_ns: int | None = None
    histogram: Histogram = field(default_factory=lambda: Histogram((), ()))


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one endpoint answered at one rate.

    An open loop has a rate, a closed one a `concurrency`, which is requests on their way at any time, and no `lag`,
    since none is due before it is sent.

    `latency` is counted from the time at which a request was due, `service` from its sending, `lag` from due to sent.
    `rate_achieved` is right answers a second, from the first due request to the last answer. `errors` counts requests
    without a right answer by kind. Of a search for a rate there is a result a trial, and the first has its outcome in
    `search`. `phases` are times that the server says it took, `paths` counts right answers by which of the server's
    models gave them (`primary`, `fallback`), where it says so. `waits` counts requests that were
    due while every connection was busy. `timeline` divides the measured time into intervals of the same length, those
    without a request left out. `busy_share` is the generator's own working time over wall time. A load that several
    workers sent has their `shares`, and the `busy_share` of the busiest.
    """

    target: str
    protocol: str
    loop: Loop
    arrivals: Arrivals | None
    rate_asked: float | None
    rate_achieved: float
    valid: bool
    invalid_reasons: tuple[Notice, ...]
    latency: Times
    service: Times
    lag: Times | None
    errors: Mapping[str, int]
    bytes: Traffic
    samples: int
    duration_ns: int
    connections: int
    concurrency: int | None = None
    waits: int = 0
    connects: int = 0
    busy_share: float | None = None
    histogram: Histogram = field(default_factory=lambda: Histogram((), ()))
    phases: Mapping[str, Times] = field(default_factory=dict)
    paths: Mapping[str, int] = field(default_factory=dict)
    limits: tuple[LatencyLimit, ...] = ()
    search: SearchOutcome | None = None
    comparison: AnswerComparison | None = None
    timeline: tuple[LoadInterval, ...] = ()
    shares: tuple[LoadShare, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return self.samples > 0


LoadReport = Report[LoadResult]
