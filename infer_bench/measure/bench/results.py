"""From what the race gathered to the rows of a report. Pure: no clock, no file, no process."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.measurements import Measurement
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.report.bench import BenchResult, Process, Speedup
from infer_bench.report.common import Latency, ModelInfo, Phases
from infer_bench.stats.agreement.max_delta import compare_predictions
from infer_bench.stats.speedup import speedup
from infer_bench.stats.summary import summarise

Specs = Mapping[Key, ModelSpec]
STAMPS_OF_PHASED_REQUEST = 3
"""Between the first and the last stamp of a request with phases lie three readings of the clock, not one."""


def results(
    measurements: Sequence[Measurement], specs: Specs, failed: Mapping[Key, str], settings: Settings
) -> tuple[BenchResult, ...]:
    """One result a lane, in the lanes' order, each against the reference of its model and batch size."""
    rows = []
    for measurement in measurements:
        reason = failed.get(measurement.candidate.key)
        if reason is not None:
            rows.append(bare(measurement, specs, reason))
        elif not any(run.rounds for run in measurement.runs):
            rows.append(bare(measurement, specs, "not measured"))
        else:
            rows.append(result(measurement, _reference(measurement, measurements, failed, settings), specs, settings))
    return tuple(rows)


def _reference(
    measurement: Measurement, measurements: Sequence[Measurement], failed: Mapping[Key, str], settings: Settings
) -> Measurement:
    group = [
        other
        for other in measurements
        if other.batch == measurement.batch
        and other.candidate.model.path == measurement.candidate.model.path
        and other.candidate.key not in failed
        and any(run.rounds for run in other.runs)
    ]
    named = [other for other in group if other.candidate.label == settings.reference]
    return (named or group)[0]


def _info(candidate: Candidate, specs: Specs) -> ModelInfo:
    model = candidate.model
    of_model = model.family == "callable" or not candidate.spec.target  # a function beside a model is not the model
    spec = specs.get(candidate.key) if of_model else None
    known = (spec.task, len(spec.features), spec.trees) if spec else (None, None, None)
    return ModelInfo(model.path, model.family, model.format, model.sha256, model.bytes, *known)


def bare(measurement: Measurement, specs: Specs, reason: str) -> BenchResult:
    """The result of a lane that was not measured."""
    candidate = measurement.candidate
    info = _info(candidate, specs)
    return BenchResult(
        candidate.label, candidate.engine.name, candidate.options, info, measurement.batch, failed=reason
    )


def result(measurement: Measurement, reference: Measurement, specs: Specs, settings: Settings) -> BenchResult:
    """The result of a lane, compared with that of the reference."""
    candidate, processes = measurement.candidate, tuple(run.frozen() for run in measurement.runs)
    delta = difference(measurement, reference)
    return BenchResult(
        candidate=candidate.label,
        engine=candidate.engine.name,
        options=candidate.options,
        model=_info(candidate, specs),
        batch=measurement.batch,
        scenario=settings.scenario,
        calls_per_sample=_calls(measurement),
        request=_request(measurement, settings),
        phases=_phases(measurement, processes, settings),
        rows_per_s=_rows_per_s(processes),
        speedup=_speedup(measurement, reference),
        **delta,
        cold_start_ns=_middle([process.cold_start_ns for process in processes]) or None,
        rss_bytes=_middle([process.rss_bytes for process in processes]) or None,
        peak_rss_bytes=max(process.peak_rss_bytes for process in processes) or None,
        artifact_bytes=candidate.artefact.bytes,
        warmup_ns=_middle([process.warmup_ns for process in processes]),
        gc_collections=sum(r.gc_collections for process in processes for r in process.rounds),
        processes=processes,
    )


def _request_floor(measurement: Measurement) -> int:
    """What a request's sample holds beside the request: the loop, or the readings of the clock between its phases."""
    processes = [run.process for run in measurement.runs]
    if measurement.shape and measurement.shape.phases:
        return STAMPS_OF_PHASED_REQUEST * _stage_floor(processes)
    return _middle([process.floor_ns for process in processes])


def _stage_floor(processes: Sequence[Process]) -> int:
    return _middle([process.stage_floor_ns for process in processes])


def _request(measurement: Measurement, settings: Settings) -> Latency:
    return summarise(
        measurement.samples("request"), _request_floor(measurement), settings.percentiles, _calls(measurement)
    )


def _phases(measurement: Measurement, processes: Sequence[Process], settings: Settings) -> Phases | None:
    if not any(len(samples) for rounds in measurement.samples("predict") for samples in rounds):
        return None
    floor = _stage_floor(processes)
    parts = (
        summarise(measurement.samples(name), floor, settings.percentiles, 1) for name in Phases.__dataclass_fields__
    )
    return Phases(*parts)


def _rows_per_s(processes: Sequence[Process]) -> float:
    """The median over blocks of rows answered per second of the block's wall time: measured, not 1 / latency."""
    blocks = [r.rows * 1e9 / r.wall_ns for process in processes for r in process.rounds if r.wall_ns > 0]
    return statistics.median(blocks) if blocks else 0.0


def _speedup(measurement: Measurement, reference: Measurement) -> Speedup | None:
    if measurement is reference:
        return None
    found = speedup(
        reference.samples("request"),
        measurement.samples("request"),
        reference_floor_ns=_request_floor(reference),
        candidate_floor_ns=_request_floor(measurement),
        reference_calls=_calls(reference),
        candidate_calls=_calls(measurement),
    )
    return None if found is None else Speedup(reference.candidate.label, *found)


def _calls(measurement: Measurement) -> int:
    return measurement.shape.calls if measurement.shape else 1


def difference(measurement: Measurement, reference: Measurement) -> dict[str, Any]:
    """The fields of a result that say whether it answers as the reference does."""
    if measurement is reference:
        return {"delta_note": "reference"}
    if measurement.predictions is None or reference.predictions is None:
        return {"delta_note": "no answers"}
    rows = min(len(measurement.predictions), len(reference.predictions))
    functions = {side.candidate.engine.name == "callable" for side in (reference, measurement)}
    # The text of a function's answers is not in the terms of a model's classes.
    labels = [
        np.array(side.labels[:rows], dtype=object) if side.labels is not None and len(functions) == 1 else None
        for side in (reference, measurement)
    ]
    found = compare_predictions(reference.predictions[:rows], measurement.predictions[:rows], *labels)
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
