"""Measurements of pairs, put side by side for the verdict. Pure."""

import math
from collections.abc import Sequence

import numpy as np

from infer_bench.gates.limits import GateLimits, share_of
from infer_bench.gates.rules import CandidateMetrics, Series, count_needed_samples
from infer_bench.measure.bench.results import difference
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.schedule.measurements import LayoutSamples, Measurement, Measurements
from infer_bench.measure.schedule.sequential import Pair
from infer_bench.report.bench import count_waiting_ns
from infer_bench.stats.percentiles import least_percentile
from infer_bench.stats.speedup import block_quantile, layout_logs, merge_rounds
from infer_bench.typing import Samples

_FIELDS = {"load": "load_ns", "cold_start": "cold_start_ns", "rss": "rss_bytes"}
_WAITING = {"load": "load_waiting_ns", "cold_start": "cold_start_waiting_ns"}
"""Of a process's times: how much of them others held the CPU."""

MeasurementPair = tuple[Measurement, Measurement]
LayoutPair = tuple[LayoutSamples, LayoutSamples]
"""The baseline's first."""


class PairedMetrics:
    """Reads measurements after every round; what a layout has shown is worked out again only where it has more."""

    def __init__(self, pairs: Sequence[Pair], measurements: Measurements, limits: GateLimits) -> None:
        self._pairs = pairs
        self._measurements = measurements
        self._limits = limits
        self._by_layout: dict[tuple[object, ...], tuple[float, ...]] = {}

    def collect(self) -> list[CandidateMetrics]:
        """One entry a pair and batch size, in the order of the pairs."""
        return [self._measure(pair, batch) for pair in self._pairs for batch in self._measurements.batches]

    def _measure(self, pair: Pair, batch: int) -> CandidateMetrics:
        failures, candidate = self._measurements.failures, pair.candidate
        measurement = self._measurements[candidate.key, batch]
        baseline = self._measurements[pair.baseline.key, batch] if pair.baseline else None
        delta = difference(measurement, baseline) if baseline else {}
        return CandidateMetrics(
            candidate=candidate.label,
            engine=candidate.engine.name,
            against=name_of(pair.baseline) if pair.baseline else "",
            model=candidate.model.path,
            batch=batch,
            series=self._series_by_metric(baseline, measurement) if baseline else {},
            totals=self._totals_by_metric(measurement),
            max_abs_delta=delta.get("max_abs_delta"),
            label_changes=delta.get("label_changes"),
            mismatches=delta.get("non_finite_mismatches", 0),
            rows_compared=delta.get("delta_rows", 0),
            delta_note=delta.get("delta_note", ""),
            failed=next((str(failures[e.key]) for e in pair.candidates if e.key in failures), None),
        )

    def _series_by_metric(self, baseline: Measurement, measurement: Measurement) -> dict[str, Series]:
        """The layouts that both have, by their numbers."""
        theirs = {layout.process.index: layout for layout in baseline.sampled}
        both = [
            (theirs[layout.process.index], layout) for layout in measurement.sampled if layout.process.index in theirs
        ]
        return {metric: self._series(metric, (baseline, measurement), both) for metric in self._limits.shares if both}

    def _series(self, metric: str, both: MeasurementPair, layouts: Sequence[LayoutPair]) -> Series:
        keys, batch = (both[0].candidate.key, both[1].candidate.key), both[0].batch
        rows = []
        for pair in layouts:
            place = (metric, *keys, batch, *((layout.process, len(layout.rounds)) for layout in pair))
            if place not in self._by_layout:
                self._by_layout[place] = _compare_layout(metric, both, pair)
            rows.append(self._by_layout[place])
        rows = [row for row in rows if row]
        if not rows:
            return Series(())
        theirs, ours, logs, fewest = zip(*rows, strict=True)
        pooled = min(sum(map(len, _samples(layout))) for pair in layouts for layout in pair)
        return Series(ours, theirs, logs, int(min(fewest)), max(both[0].calls, both[1].calls), pooled)

    def _totals_by_metric(self, measurement: Measurement) -> dict[str, Series]:
        layouts = measurement.sampled
        if not layouts:
            return {}
        fewest = min(sum(map(len, _samples(layout))) for layout in layouts)
        totals = {}
        for metric in dict.fromkeys(bound.metric for bound in self._limits.bounds):
            known = [layout for layout in layouts if _value(metric, measurement, layout) > 0]
            values = [_value(metric, measurement, layout) for layout in known]
            has_least = metric in _WAITING or share_of(metric) is not None
            least = [_least_value(metric, measurement, layout) for layout in known] if has_least else []
            totals[metric] = Series(values, (), (), fewest, measurement.calls, least=least)
        return totals


def name_of(candidate: Candidate) -> str:
    """How a candidate is called in a gate: by its label, with its interpreter where that is another one."""
    return candidate.key[1]


def _compare_layout(metric: str, both: MeasurementPair, layouts: LayoutPair) -> tuple[float, ...]:
    """(baseline, candidate, log ratio, fewest samples a block) of one layout; empty with nothing to divide."""
    theirs, ours = (_value(metric, measurement, layout) for measurement, layout in zip(both, layouts, strict=True))
    share = share_of(metric)
    if share is None:
        return (theirs, ours, math.log(ours / theirs), 1) if theirs > 0 and ours > 0 else ()
    samples = merge_rounds([_samples(layout) for layout in layouts], count_merged_samples(share))
    floors = [[layout.process.floor_ns] for layout in layouts]
    calls = (both[0].calls, both[1].calls)
    logs = layout_logs(samples[:1], samples[1:], share, (floors[0], floors[1]), calls)
    fewest = min(len(block) for rounds in samples for block in rounds)
    return (theirs, ours, logs[0], fewest) if logs else ()


def _value(metric: str, measurement: Measurement, layout: LayoutSamples) -> float:
    """What a layout shows of a metric, in ns or bytes."""
    share = share_of(metric)
    if share is not None:
        return block_quantile(np.concatenate(_samples(layout)), share, layout.process.floor_ns, measurement.calls)
    if metric == "size":
        return float(measurement.candidate.artefact.bytes)
    return float(getattr(layout.process, _FIELDS[metric]))


def _least_value(metric: str, measurement: Measurement, layout: LayoutSamples) -> float:
    """What a layout's percentile or start is at the least, in ns, without the time in which others held the CPU."""
    if metric in _WAITING:
        return _value(metric, measurement, layout) - float(getattr(layout.process, _WAITING[metric]))
    share = share_of(metric) or 0.5
    waiting_ns = sum(count_waiting_ns(r.report) for r in layout.rounds)
    value = least_percentile(np.concatenate(_samples(layout)), share, waiting_ns)
    return max(value - layout.process.floor_ns, 0.0) / measurement.calls


def count_merged_samples(share: float) -> int:
    """What blocks of a layout are merged for. Above p95 they stay as they are: such a tail is shown and not judged."""
    return count_needed_samples(share) if share <= 0.95 else 1


def _samples(layout: LayoutSamples) -> list[Samples]:
    return [r.block.request for r in layout.rounds]
