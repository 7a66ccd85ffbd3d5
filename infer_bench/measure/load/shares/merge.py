"""Shares of a load become the recording of one. Pure."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from infer_bench.measure.load.generator.schedule import Schedule
from infer_bench.measure.load.outcome.results import Window, build_result
from infer_bench.measure.load.outcome.validity import judge_validity
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.recorded_answers import AnswerCounts
from infer_bench.measure.load.recording import PENDING, Recording
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.shares.clocks import ClockOffset
from infer_bench.measure.load.shares.generator import Share, ShareRecord
from infer_bench.report.common import Notice
from infer_bench.report.load import LoadResult, LoadShare, Times
from infer_bench.stats.load.histogram import build_histogram
from infer_bench.stats.load.times import summarize_times
from infer_bench.typing import Array

_NS = 1_000_000_000
_AGAIN = "run it again; a load that lacks a part says nothing of the rate that was asked for"


@dataclass(frozen=True)
class WorkerShare:
    """A worker's share with what became of it: a record, or the reason why there is none."""

    worker: str
    share: Share
    clock: ClockOffset
    record: ShareRecord | None = None
    reason: str = ""

    @cached_property
    def schedule(self) -> Schedule:
        """Which requests it is of."""
        return self.share.schedule

    @property
    def requests(self) -> int:
        """Requests of the measured time."""
        return len(self.schedule.places) - self.schedule.warmup


def merge_shares(shares: Sequence[WorkerShare], service: Service, settings: LoadSettings, start_ns: int) -> LoadResult:
    """The result of the whole, which began at `start_ns` of this process's clock. At least one share has a record."""
    present = [share for share in shares if share.record is not None]
    places = np.sort(np.concatenate([share.schedule.places for share in present]))
    recording = _merge_recordings(present, places, start_ns)
    begin_ns, end_ns = _span(settings, start_ns)
    warmup = sum(share.schedule.warmup for share in present)
    payloads = replace(service.payloads, order=places.tolist())
    window = Window(recording, payloads, warmup, begin_ns, end_ns)
    latency = summarize_times(window.durations(recording.due), sum(window.errors.values()))
    busy = [share.record.busy_share for share in present if share.record and share.record.busy_share is not None]
    reasons = tuple(_judge_shares(shares, latency, payloads, settings, start_ns))
    result = build_result(replace(window, reasons=reasons), service, settings, max(busy, default=None))
    return replace(result, shares=tuple(_describe(share, payloads, settings, start_ns) for share in shares))


def _span(settings: LoadSettings, start_ns: int) -> tuple[int, int]:
    """Begin and end of the measured time."""
    begin_ns = start_ns + round(settings.warmup_s * _NS)
    return begin_ns, begin_ns + round(settings.duration_s * _NS)


def _merge_recordings(shares: Sequence[WorkerShare], places: Array, start_ns: int) -> Recording:
    """All in the order of the schedule, of which the requests at `places` are there; times of this process's clock."""
    pairs = [(share, share.record.recording) for share in shares if share.record is not None]
    positions = [np.searchsorted(places, share.schedule.places) for share, _ in pairs]
    order = np.argsort(np.concatenate(positions), kind="stable")
    times = np.concatenate([share.schedule.times for share, _ in pairs])[order]
    whole = Recording((times + start_ns).tolist())
    for name in ("noticed", "sent", "answered"):
        columns = [_to_our_clock(getattr(recording, name), share.clock) for share, recording in pairs]
        setattr(whole, name, array("q", np.concatenate(columns)[order].tobytes()))
    whole.received = _join((recording.received for _, recording in pairs), order)
    whole.waits = _join((recording.waits for _, recording in pairs), order)
    whole.phases = {name: _join((r.phases[name] for _, r in pairs), order) for name in whole.phases}
    for (_, recording), own in zip(pairs, positions, strict=True):
        whole.failures |= {int(own[place]): kind for place, kind in recording.failures.items()}
        whole.paths |= {int(own[place]): path for place, path in recording.paths.items()}
        whole.examples = recording.examples | whole.examples
        whole.connects += recording.connects
        whole.left_out += recording.left_out
    whole.answers = _add_answers([recording for _, recording in pairs])
    return whole


def _to_our_clock(times: "array[int]", clock: ClockOffset) -> Array:
    values = np.asarray(times)
    return np.where(values == PENDING, PENDING, values - clock.offset_ns)


def _join(columns: Iterable[Any], order: Array) -> Any:
    parts = list(columns)
    return array(parts[0].typecode, np.concatenate([np.asarray(part) for part in parts])[order].tobytes())


def _add_answers(recordings: Sequence[Recording]) -> AnswerCounts | None:
    if any(recording.answers is None for recording in recordings):
        return None
    answers: AnswerCounts = {}
    for recording in recordings:
        for payload, counts in (recording.answers or {}).items():
            answers.setdefault(payload, Counter()).update(counts)
    return answers


def _own_window(share: WorkerShare, payloads: Payloads, settings: LoadSettings, start_ns: int) -> Window:
    """The measured part of what a worker sent, on its own clock."""
    assert share.record is not None
    begin_ns, end_ns = _span(settings, start_ns + share.clock.offset_ns)
    return Window(share.record.recording, payloads, share.schedule.warmup, begin_ns, end_ns)


def _judge_shares(
    shares: Sequence[WorkerShare], latency: Times, payloads: Payloads, settings: LoadSettings, start_ns: int
) -> Iterator[Notice]:
    """Why a share is missing or was not sent as it should; one worker that is late may hide among many."""
    missing = [share for share in shares if share.record is None]
    if missing:
        names = "; ".join(f"{share.worker}: {share.reason}" for share in missing)
        yield Notice("workers", f"{len(missing)} of {len(shares)} workers did not report ({names})", _AGAIN)
    for share in shares:
        if share.record is None or not share.requests:
            continue
        window = _own_window(share, payloads, settings, start_ns)
        busy_share, connections = share.record.busy_share, share.share.connections
        for reason in judge_validity(latency, window.delay, window.waits, connections, window.outstanding, busy_share):
            yield replace(reason, message=f"worker {share.worker}: {reason.message}")


def _describe(share: WorkerShare, payloads: Payloads, settings: LoadSettings, start_ns: int) -> LoadShare:
    if share.record is None:
        return LoadShare(share.worker, share.requests, share.reason)
    recording, window = share.record.recording, _own_window(share, payloads, settings, start_ns)
    latencies, errors = window.durations(recording.due), sum(window.errors.values())
    return LoadShare(
        worker=share.worker,
        requests=share.requests,
        latency=summarize_times(latencies, errors),
        lag=window.lag,
        errors=errors,
        waits=window.waits.count,
        busy_share=share.record.busy_share,
        clock_ns=share.clock.within_ns,
        histogram=build_histogram(latencies),
    )
