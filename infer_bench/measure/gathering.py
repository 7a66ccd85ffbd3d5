"""What a duel has gathered, put side by side for the verdict. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from infer_bench.gates import Allowed, Measured, Series
from infer_bench.limits import share_of
from infer_bench.measure.assemble import difference
from infer_bench.measure.duel import Duel, Match
from infer_bench.measure.entrants import Entrant
from infer_bench.measure.lanes import Array, Lane, Run
from infer_bench.stats.ratio import block_quantile, layout_logs


def gathered(duel: Duel, allowed: Allowed) -> list[Measured]:
    """One entry a match and batch size, in the order of the matches."""
    batches = dict.fromkeys(batch for _, batch in duel.lanes)
    return [_one(duel, match, batch, allowed) for match in duel.matches for batch in batches]


def name_of(entrant: Entrant) -> str:
    """How an entrant is called in a gate: the candidate, with its interpreter where that is another one."""
    return entrant.key[1]


def _one(duel: Duel, match: Match, batch: int, allowed: Allowed) -> Measured:
    lane = duel.lanes[match.candidate.key, batch]
    other = duel.lanes[match.baseline.key, batch] if match.baseline else None
    failure = next((str(duel.failed[e.key]) for e in match.entrants if e.key in duel.failed), None)
    entrant = match.candidate
    told = difference(lane, other) if other else {}
    return Measured(
        candidate=entrant.label,
        engine=entrant.engine.name,
        against=name_of(match.baseline) if match.baseline else "",
        model=entrant.model.path,
        batch=batch,
        series=_paired(lane, other, allowed.shares) if other else {},
        totals=_alone(lane, (bound.metric for bound in allowed.bounds)),
        max_abs_delta=told.get("max_abs_delta"),
        label_changes=told.get("label_changes"),
        mismatches=told.get("non_finite_mismatches", 0),
        delta_note=told.get("delta_note", ""),
        failed=failure,
    )


def _paired(lane: Lane, other: Lane, metrics: Iterable[str]) -> dict[str, Series]:
    """The layouts that both sides have, by their numbers."""
    theirs = {run.process.index: run for run in other.runs if run.rounds}
    pairs = [(theirs[run.process.index], run) for run in lane.runs if run.rounds and run.process.index in theirs]
    if not pairs:
        return {}
    baseline, candidate = zip(*pairs, strict=True)
    return {metric: _series(metric, (other, baseline), (lane, candidate)) for metric in metrics}


def _series(metric: str, other: tuple[Lane, Sequence[Run]], lane: tuple[Lane, Sequence[Run]]) -> Series:
    share = share_of(metric)
    theirs, ours = _values(metric, *other), _values(metric, *lane)
    if share is None:
        both = [(a, b) for a, b in zip(theirs, ours, strict=True) if a > 0 and b > 0]
        return Series([b for _, b in both], [a for a, _ in both], [math.log(b / a) for a, b in both])
    sides = (other, lane)
    samples = [[_samples(run) for run in runs] for _, runs in sides]
    floors = [[run.process.floor_ns for run in runs] for _, runs in sides]
    calls = (_calls(other[0]), _calls(lane[0]))
    logs = layout_logs(samples[0], samples[1], share, (floors[0], floors[1]), calls)
    fewest = min(len(block) for side in samples for rounds in side for block in rounds)
    return Series(ours, theirs, logs, fewest, max(calls))


def _alone(lane: Lane, metrics: Iterable[str]) -> dict[str, Series]:
    runs = [run for run in lane.runs if run.rounds]
    if not runs:
        return {}
    fewest = min(sum(map(len, _samples(run))) for run in runs)
    return {metric: Series(_values(metric, lane, runs), samples=fewest, calls=_calls(lane)) for metric in metrics}


def _values(metric: str, lane: Lane, runs: Sequence[Run]) -> list[float]:
    """One value a layout, in ns or bytes."""
    share = share_of(metric)
    if share is not None:
        calls = _calls(lane)
        return [block_quantile(np.concatenate(_samples(run)), share, run.process.floor_ns, calls) for run in runs]
    fields: Mapping[str, str] = {"load": "load_ns", "cold_start": "cold_start_ns", "rss": "rss_bytes"}
    if metric == "size":
        return [float(lane.entrant.artefact.bytes)] * len(runs)
    return [float(getattr(run.process, fields[metric])) for run in runs]


def _samples(run: Run) -> list[Array]:
    return [np.array(r.request_ns, dtype=np.int64) for r in run.rounds]


def _calls(lane: Lane) -> int:
    return lane.shape.calls if lane.shape else 1
