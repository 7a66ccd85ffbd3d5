"""From the recording to the report: what the requests of the measured time came to."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from infer_bench.measure.load.expected_outputs import ExpectedOutputs
from infer_bench.measure.load.outcome.answers import compare_answers
from infer_bench.measure.load.outcome.limits import check_limits
from infer_bench.measure.load.outcome.tensor_answers import compare_tensor_answers
from infer_bench.measure.load.outcome.timeline import build_timeline
from infer_bench.measure.load.outcome.validity import Waits, count_outstanding, judge_validity
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.common import Notice
from infer_bench.report.load import AnswerComparison, LatencyLimit, LoadInterval, LoadResult, Times, Traffic
from infer_bench.stats.load.histogram import build_histogram
from infer_bench.stats.load.times import bound_percentiles, summarize_times
from infer_bench.typing import Array, Bools, Floats, Samples


@dataclass(frozen=True)
class Window:
    """The measured part of a recording: requests from place `first` on, due from `begin_ns` until `end_ns`.

    `is_over` is False for a run that was broken off: what was not settled by then is left out. `reasons` say why it is
    not valid, beside what the recording shows.
    """

    recording: Recording
    payloads: Payloads
    first: int
    begin_ns: int
    end_ns: int
    is_over: bool = True
    reasons: tuple[Notice, ...] = ()

    @cached_property
    def places(self) -> Array:
        """Where the requests stand that count."""
        places = np.arange(self.first, len(self.recording.due))
        if self.is_over:
            return places
        return np.asarray([place for place in places.tolist() if self.recording.is_settled(place)], dtype=np.int64)

    @cached_property
    def is_right(self) -> Bools:
        """Which of them got a right answer."""
        return self.at(self.recording.answered) > 0

    def at(self, times: Any) -> Samples:
        """Of the requests that count, what is known by place."""
        return np.asarray(times)[self.places]

    def durations(self, start: Any) -> Samples:
        """ns from `start` to the right answers."""
        return (self.at(self.recording.answered) - self.at(start))[self.is_right]

    @property
    def latencies(self) -> Floats:
        """ns from due to the right answer, infinite without one, in the order in which the requests were due."""
        due = self.at(self.recording.due)
        latencies = np.where(self.is_right, self.at(self.recording.answered) - due, np.inf)
        return np.asarray(latencies[np.argsort(due, kind="stable")])

    @cached_property
    def errors(self) -> dict[str, int]:
        """Requests without a right answer, by kind, the most frequent first."""
        failures = self.recording.failures
        kinds = Counter(failures[place] for place in self.places.tolist() if place in failures)
        return dict(kinds.most_common())

    @property
    def paths(self) -> dict[str, int]:
        """Right answers by which of the server's models gave them, where it says so, the most frequent first."""
        paths = self.recording.paths
        return dict(Counter(paths[place] for place in self.places.tolist() if place in paths).most_common())

    @cached_property
    def rate(self) -> float:
        """Right answers a second that came in the measured time, those to requests of the warm-up included."""
        times = np.asarray(self.recording.answered)
        return float(((times >= self.begin_ns) & (times < self.end_ns)).sum() * 1e9 / (self.end_ns - self.begin_ns))

    @property
    def traffic(self) -> Traffic:
        """Bytes in either direction."""
        places = [place for place in self.places.tolist() if self.recording.sent[place]]
        return Traffic(sum(len(self.payloads.at(p)) for p in places), int(self.at(self.recording.received).sum()))

    @property
    def delay(self) -> Samples:
        """ns from due until the generator took a request up."""
        noticed = self.at(self.recording.noticed)
        return (noticed - self.at(self.recording.due))[noticed > 0]

    @property
    def waits(self) -> Waits:
        """The requests that were due while every connection was busy."""
        noticed = self.at(self.recording.noticed)
        return Waits.count_from(self.at(self.recording.waits) > 0, noticed - self.at(self.recording.due))

    @property
    def lag(self) -> Times:
        """From due to sent, of the requests that were sent."""
        sent_ns = self.at(self.recording.sent)
        return summarize_times((sent_ns - self.at(self.recording.due))[sent_ns > 0])

    @property
    def phases(self) -> dict[str, Times]:
        """The server's own times; those of which it says nothing are left out."""
        values = {phase: self.at(column)[self.is_right] for phase, column in self.recording.phases.items()}
        return {
            phase: summarize_times((column[~np.isnan(column)] * 1e3).astype(np.int64))
            for phase, column in values.items()
            if not np.isnan(column).all()
        }

    @property
    def timeline(self) -> tuple[LoadInterval, ...]:
        """The latency from due and the errors by when requests were due."""
        due = self.at(self.recording.due)
        latencies = self.at(self.recording.answered) - due
        return build_timeline(due - self.begin_ns, latencies, self.is_right, self.end_ns - self.begin_ns)

    @property
    def outstanding(self) -> int:
        """The most requests that were due and had not ended at a time."""
        ends = np.where(self.is_right, self.at(self.recording.answered), self.end_ns)
        return count_outstanding(self.at(self.recording.due), ends)


def build_result(
    window: Window, service: Service, settings: LoadSettings, busy_share: float | None, concurrency: int | None = None
) -> LoadResult:
    """The result of an open loop, or with `concurrency` of a closed one. Limits are checked on the latency from due."""
    recording = window.recording
    latencies, failures = window.durations(recording.due), sum(window.errors.values())
    latency, is_open = summarize_times(latencies, failures), concurrency is None
    connections = concurrency or settings.connections
    waits = window.waits if is_open else Waits()
    delay = window.delay if is_open else window.delay[:0]
    own = tuple(judge_validity(latency, delay, waits, connections, window.outstanding, busy_share))
    reasons = (*(reason for reason in window.reasons if reason.code not in {one.code for one in own}), *own)
    return LoadResult(
        target=service.target.url,
        protocol=service.codec.name,
        loop="open" if is_open else "closed",
        arrivals=settings.arrivals if is_open else None,
        rate_asked=settings.rate if is_open else None,
        rate_achieved=window.rate,
        valid=not reasons,
        invalid_reasons=reasons,
        latency=bound_percentiles(latency, window.latencies),
        service=summarize_times(window.durations(recording.sent), failures),
        lag=window.lag if is_open else None,
        errors=window.errors,
        bytes=window.traffic,
        samples=latency.samples,
        duration_ns=window.end_ns - window.begin_ns,
        connections=connections,
        concurrency=concurrency,
        waits=waits.count,
        connects=recording.connects,
        busy_share=busy_share,
        histogram=build_histogram(latencies),
        phases=window.phases,
        paths=window.paths,
        comparison=_compare_answers(recording, service),
        timeline=window.timeline,
        limits=_check_limits(window, settings, failures, {reason.code for reason in reasons}),
    )


def _compare_answers(recording: Recording, service: Service) -> AnswerComparison | None:
    if service.expected is None or recording.answers is None:
        return None
    if isinstance(service.expected, ExpectedOutputs):
        comparison = compare_tensor_answers(recording.answers, service.expected)
    else:
        comparison = compare_answers(recording.answers, service.expected, service.payloads.rows)
    return replace(comparison, left_out=recording.left_out)


def _check_limits(window: Window, settings: LoadSettings, failures: int, invalid: set[str]) -> tuple[LatencyLimit, ...]:
    """On the latency from due; where that is not the server's alone, nothing is said to hold.

    A limit that is broken beyond doubt is broken all the same. A generator that is late by d at the most moves the end
    of no request by more than d, as long as the server takes requests in turn: so much is taken off. What waited for a
    connection counts from sending; it found as many requests at the server as there are connections.
    """
    recording = window.recording
    limits = check_limits(settings.limits, window.durations(recording.due), failures)
    if not invalid:
        return limits
    start = recording.sent if "connections" in invalid else recording.due
    least = np.maximum(window.durations(start) - window.delay.max(initial=0), 0)
    is_certain = invalid.isdisjoint({"cpu", "workers"})
    return tuple(
        limit if is_certain and at_least.status == "broken" else replace(limit, status="undecided", is_close=False)
        for limit, at_least in zip(limits, check_limits(settings.limits, least, failures), strict=True)
    )
