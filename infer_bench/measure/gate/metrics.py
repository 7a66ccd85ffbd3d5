"""What a duel has gathered, put side by side for the verdict. Pure."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from infer_bench.gates.limits import share_of
from infer_bench.gates.rules import Allowed, Measured, Series
from infer_bench.measure.bench.results import difference
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.schedule.measurements import Measurement, Run
from infer_bench.measure.schedule.scheduler import Duel, Pair
from infer_bench.stats.speedup import block_quantile, layout_logs
from infer_bench.typing import Array


class PairedMetrics:
    """Reads a duel after every layout; what a layout has shown is worked out once."""

    def __init__(self, duel: Duel, allowed: Allowed) -> None:
        self._duel = duel
        self._allowed = allowed
        self._known: dict[tuple[object, ...], tuple[float, ...]] = {}

    def measured(self) -> list[Measured]:
        """One entry a match and batch size, in the order of the matches."""
        batches = dict.fromkeys(batch for _, batch in self._duel.measurements)
        return [self._one(match, batch) for match in self._duel.matches for batch in batches]

    def _one(self, match: Pair, batch: int) -> Measured:
        measurements, failed, candidate = self._duel.measurements, self._duel.failed, match.candidate
        measurement = measurements[candidate.key, batch]
        other = measurements[match.baseline.key, batch] if match.baseline else None
        told = difference(measurement, other) if other else {}
        return Measured(
            candidate=candidate.label,
            engine=candidate.engine.name,
            against=name_of(match.baseline) if match.baseline else "",
            model=candidate.model.path,
            batch=batch,
            series=self._paired(measurement, other) if other else {},
            totals=self._alone(measurement),
            max_abs_delta=told.get("max_abs_delta"),
            label_changes=told.get("label_changes"),
            mismatches=told.get("non_finite_mismatches", 0),
            rows_compared=told.get("delta_rows", 0),
            delta_note=told.get("delta_note", ""),
            failed=next((str(failed[e.key]) for e in match.candidates if e.key in failed), None),
        )

    def _paired(self, measurement: Measurement, other: Measurement) -> dict[str, Series]:
        """The layouts that both sides have, by their numbers."""
        theirs = {run.process.index: run for run in other.runs if run.rounds}
        pairs = [
            (theirs[run.process.index], run) for run in measurement.runs if run.rounds and run.process.index in theirs
        ]
        return {metric: self._series(metric, (other, measurement), pairs) for metric in self._allowed.shares if pairs}

    def _series(self, metric: str, sides: tuple[Measurement, Measurement], pairs: Sequence[tuple[Run, Run]]) -> Series:
        rows = []
        for runs in pairs:
            key = (metric, sides[0].candidate.key, sides[1].candidate.key, sides[1].batch, runs[1].process.index)
            if key not in self._known:
                self._known[key] = _layout(metric, sides, runs)
            rows.append(self._known[key])
        found = [row for row in rows if row]
        if not found:
            return Series(())
        theirs, ours, logs, fewest = zip(*found, strict=True)
        return Series(ours, theirs, logs, int(min(fewest)), max(map(_calls, sides)))

    def _alone(self, measurement: Measurement) -> dict[str, Series]:
        runs = [run for run in measurement.runs if run.rounds]
        if not runs:
            return {}
        fewest = min(sum(len(r.request_ns) for r in run.rounds) for run in runs)
        metrics = dict.fromkeys(bound.metric for bound in self._allowed.bounds)
        values = {metric: [v for run in runs if (v := _value(metric, measurement, run)) > 0] for metric in metrics}
        return {metric: Series(held, samples=fewest, calls=_calls(measurement)) for metric, held in values.items()}


def name_of(candidate: Candidate) -> str:
    """How an entrant is called in a gate: the candidate, with its interpreter where that is another one."""
    return candidate.key[1]


def _layout(metric: str, sides: tuple[Measurement, Measurement], runs: tuple[Run, Run]) -> tuple[float, ...]:
    """(baseline, candidate, log ratio, fewest samples a block) of one layout; empty with nothing to divide."""
    theirs, ours = (_value(metric, measurement, run) for measurement, run in zip(sides, runs, strict=True))
    share = share_of(metric)
    if share is None:
        return (theirs, ours, math.log(ours / theirs), 1) if theirs > 0 and ours > 0 else ()
    samples = [_samples(run) for run in runs]
    floors = [[run.process.floor_ns] for run in runs]
    calls = (_calls(sides[0]), _calls(sides[1]))
    logs = layout_logs(samples[:1], samples[1:], share, (floors[0], floors[1]), calls)
    fewest = min(len(block) for rounds in samples for block in rounds)
    return (theirs, ours, logs[0], fewest) if logs else ()


def _value(metric: str, measurement: Measurement, run: Run) -> float:
    """What a layout shows of a metric, in ns or bytes."""
    share = share_of(metric)
    if share is not None:
        return block_quantile(np.concatenate(_samples(run)), share, run.process.floor_ns, _calls(measurement))
    if metric == "size":
        return float(measurement.candidate.artefact.bytes)
    fields: Mapping[str, str] = {"load": "load_ns", "cold_start": "cold_start_ns", "rss": "rss_bytes"}
    return float(getattr(run.process, fields[metric]))


def _samples(run: Run) -> list[Array]:
    return [np.array(r.request_ns, dtype=np.int64) for r in run.rounds]


def _calls(measurement: Measurement) -> int:
    return measurement.shape.calls if measurement.shape else 1
