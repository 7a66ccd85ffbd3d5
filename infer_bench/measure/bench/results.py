"""From what the race gathered to the rows of a report. Pure: no clock, no file, no process."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.measure.candidates.candidates import Entrant, Key
from infer_bench.measure.schedule.measurements import Lane
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.report.common import BenchResult, Latency, ModelInfo, Phases, Process, Speedup
from infer_bench.stats.agreement.max_delta import compare_answers
from infer_bench.stats.speedup import speedup
from infer_bench.stats.summary import summarise

Specs = Mapping[Key, ModelSpec]
STAMPS_OF_PHASED_REQUEST = 3
"""Between the first and the last stamp of a request with phases lie three readings of the clock, not one."""


def results(
    lanes: Sequence[Lane], specs: Specs, failed: Mapping[Key, str], settings: Settings
) -> tuple[BenchResult, ...]:
    """One result a lane, in the lanes' order, each against the reference of its model and batch size."""
    rows = []
    for lane in lanes:
        reason = failed.get(lane.entrant.key)
        if reason is not None:
            rows.append(bare(lane, specs, reason))
        elif not any(run.rounds for run in lane.runs):
            rows.append(bare(lane, specs, "not measured"))
        else:
            rows.append(result(lane, _reference(lane, lanes, failed, settings), specs, settings))
    return tuple(rows)


def _reference(lane: Lane, lanes: Sequence[Lane], failed: Mapping[Key, str], settings: Settings) -> Lane:
    group = [
        other
        for other in lanes
        if other.batch == lane.batch
        and other.entrant.model.path == lane.entrant.model.path
        and other.entrant.key not in failed
        and any(run.rounds for run in other.runs)
    ]
    named = [other for other in group if other.entrant.label == settings.reference]
    return (named or group)[0]


def _info(entrant: Entrant, specs: Specs) -> ModelInfo:
    model = entrant.model
    of_model = model.family == "callable" or not entrant.candidate.target  # a function beside a model is not the model
    spec = specs.get(entrant.key) if of_model else None
    known = (spec.task, len(spec.features), spec.trees) if spec else (None, None, None)
    return ModelInfo(model.path, model.family, model.format, model.sha256, model.bytes, *known)


def bare(lane: Lane, specs: Specs, reason: str) -> BenchResult:
    """The result of a lane that was not measured."""
    entrant = lane.entrant
    info = _info(entrant, specs)
    return BenchResult(entrant.label, entrant.engine.name, entrant.options, info, lane.batch, failed=reason)


def result(lane: Lane, reference: Lane, specs: Specs, settings: Settings) -> BenchResult:
    """The result of a lane, compared with that of the reference."""
    entrant, processes = lane.entrant, tuple(run.frozen() for run in lane.runs)
    delta = difference(lane, reference)
    return BenchResult(
        candidate=entrant.label,
        engine=entrant.engine.name,
        options=entrant.options,
        model=_info(entrant, specs),
        batch=lane.batch,
        scenario=settings.scenario,
        calls_per_sample=_calls(lane),
        request=_request(lane, settings),
        phases=_phases(lane, processes, settings),
        rows_per_s=_rows_per_s(processes),
        speedup=_speedup(lane, reference),
        **delta,
        cold_start_ns=_middle([process.cold_start_ns for process in processes]) or None,
        rss_bytes=_middle([process.rss_bytes for process in processes]) or None,
        peak_rss_bytes=max(process.peak_rss_bytes for process in processes) or None,
        artifact_bytes=entrant.artefact.bytes,
        warmup_ns=_middle([process.warmup_ns for process in processes]),
        gc_collections=sum(r.gc_collections for process in processes for r in process.rounds),
        processes=processes,
    )


def _request_floor(lane: Lane) -> int:
    """What a request's sample holds beside the request: the loop, or the readings of the clock between its phases."""
    processes = [run.process for run in lane.runs]
    if lane.shape and lane.shape.phases:
        return STAMPS_OF_PHASED_REQUEST * _stage_floor(processes)
    return _middle([process.floor_ns for process in processes])


def _stage_floor(processes: Sequence[Process]) -> int:
    return _middle([process.stage_floor_ns for process in processes])


def _request(lane: Lane, settings: Settings) -> Latency:
    return summarise(lane.samples("request"), _request_floor(lane), settings.percentiles, _calls(lane))


def _phases(lane: Lane, processes: Sequence[Process], settings: Settings) -> Phases | None:
    if not any(len(samples) for rounds in lane.samples("predict") for samples in rounds):
        return None
    floor = _stage_floor(processes)
    parts = (summarise(lane.samples(name), floor, settings.percentiles, 1) for name in Phases.__dataclass_fields__)
    return Phases(*parts)


def _rows_per_s(processes: Sequence[Process]) -> float:
    """The median over blocks of rows answered per second of the block's wall time: measured, not 1 / latency."""
    blocks = [r.rows * 1e9 / r.wall_ns for process in processes for r in process.rounds if r.wall_ns > 0]
    return statistics.median(blocks) if blocks else 0.0


def _speedup(lane: Lane, reference: Lane) -> Speedup | None:
    if lane is reference:
        return None
    found = speedup(
        reference.samples("request"),
        lane.samples("request"),
        reference_floor_ns=_request_floor(reference),
        candidate_floor_ns=_request_floor(lane),
        reference_calls=_calls(reference),
        candidate_calls=_calls(lane),
    )
    return None if found is None else Speedup(reference.entrant.label, *found)


def _calls(lane: Lane) -> int:
    return lane.shape.calls if lane.shape else 1


def difference(lane: Lane, reference: Lane) -> dict[str, Any]:
    """The fields of a result that say whether it answers as the reference does."""
    if lane is reference:
        return {"delta_note": "reference"}
    if lane.answers is None or reference.answers is None:
        return {"delta_note": "no answers"}
    rows = min(len(lane.answers), len(reference.answers))
    functions = {side.entrant.engine.name == "callable" for side in (reference, lane)}
    # The text of a function's answers is not in the terms of a model's classes.
    labels = [
        np.array(side.labels[:rows], dtype=object) if side.labels is not None and len(functions) == 1 else None
        for side in (reference, lane)
    ]
    found = compare_answers(reference.answers[:rows], lane.answers[:rows], *labels)
    return {
        "max_abs_delta": found.max_abs_delta,
        "label_changes": found.label_changes,
        "non_finite_mismatches": found.non_finite_mismatches,
        "delta_rows": found.rows,
        "delta_note": found.reason,
    }


def _middle(values: Sequence[int]) -> int:
    known = [value for value in values if value > 0]
    return int(statistics.median_low(known)) if known else 0
