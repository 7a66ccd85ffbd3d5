"""From measurements to the rows of a report. Pure: no clock, no file, no process."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from infer_bench.measure.bench.batching import is_batch_invariant
from infer_bench.measure.bench.capacity import add_capacity, read_terms
from infer_bench.measure.bench.network_difference import describe_difference
from infer_bench.measure.bench.quality import judge_classes
from infer_bench.measure.bench.throughput import compute_cpu, compute_rows_per_s
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.models import describe_model
from infer_bench.measure.candidates.rows import Rows
from infer_bench.measure.schedule.measurements import Measurement
from infer_bench.measure.settings import Settings
from infer_bench.model import PHASES, ModelSpec
from infer_bench.report.bench import BenchResult, Process, Speedup
from infer_bench.report.common import Latency, ModelInfo, Phases
from infer_bench.stats.agreement.comparison import compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.stats.speedup import speedup
from infer_bench.stats.summary import summarise
from infer_bench.typing import Array

Specs = Mapping[Key, ModelSpec]
OTHER_ROWS = "it takes other inputs, so it answered rows of its own (--data gives both the same)"
OTHER_SIZES = "its requests have other sizes"
STAMPS_OF_PHASED_REQUEST = 3
"""Between the first and the last stamp of a request with phases lie three readings of the clock, not one."""


def build_results(
    measurements: Sequence[Measurement],
    specs: Specs,
    reasons: Mapping[tuple[Key, int], str],
    settings: Settings,
    rows_by_model: Mapping[str, Rows] | None = None,
    truth: Array | None = None,
) -> tuple[BenchResult, ...]:
    """One result a measurement, in their order, each against the reference of its batch size.

    `reasons` say why a candidate has failed at a batch size. Models answered the same rows, of `rows_by_model`, where
    they were drawn for the same one; else their predictions are not compared, nor, where networks answered requests of
    other sizes, their times. `truth` are the true classes of the rows.
    """
    terms = read_terms(settings.slo, settings.price)
    results = []
    for measurement in measurements:
        reason = reasons.get((measurement.candidate.key, measurement.batch)) or (
            "" if measurement.sampled else "not measured"
        )
        if reason:
            results.append(build_empty_result(measurement, specs, reason))
        else:
            reference = _find_reference(measurement, measurements, reasons, settings)
            result = build_result(measurement, reference, specs, settings)
            result = add_capacity(result, terms)
            result = replace(result, quality=judge_classes(measurement, specs.get(measurement.candidate.key), truth))
            paths = measurement.candidate.model.path, reference.candidate.model.path
            results.append(_drop_unlike(result, *((rows_by_model or {}).get(path) for path in paths)))
    return tuple(results)


def _drop_unlike(result: BenchResult, rows: Rows | None, reference: Rows | None) -> BenchResult:
    """The result without what compares it with a reference that answered other rows."""
    if rows is None or reference is None:
        return result
    if rows.unlike != reference.unlike:
        return replace(drop_comparison(result, OTHER_SIZES), speedup=None)
    return result if rows.drawn_for == reference.drawn_for else drop_comparison(result, OTHER_ROWS)


def drop_comparison(result: BenchResult, note: str) -> BenchResult:
    """The result without what compares its predictions, and why."""
    return replace(
        result, max_abs_delta=None, label_changes=None, non_finite_mismatches=0, delta_rows=0, delta_note=note
    )


def _find_reference(
    measurement: Measurement,
    measurements: Sequence[Measurement],
    reasons: Mapping[tuple[Key, int], str],
    settings: Settings,
) -> Measurement:
    group = [
        other
        for other in measurements
        if other.batch == measurement.batch and (other.candidate.key, other.batch) not in reasons and other.sampled
    ]
    return next((other for other in group if other.candidate.label == settings.reference), group[0])


def _describe_model(candidate: Candidate, specs: Specs) -> ModelInfo:
    model = candidate.model
    of_model = model.family == "callable" or not candidate.spec.target  # a function beside a model is not the model
    spec = specs.get(candidate.key) if of_model else None
    return describe_model(model, spec)


def build_empty_result(measurement: Measurement, specs: Specs, reason: str) -> BenchResult:
    """The result of a candidate that was not measured, and why."""
    candidate = measurement.candidate
    info = _describe_model(candidate, specs)
    return BenchResult(
        candidate.label, candidate.engine.name, candidate.options, info, measurement.batch, failed=reason
    )


def build_result(measurement: Measurement, reference: Measurement, specs: Specs, settings: Settings) -> BenchResult:
    """The result of a measurement, compared with that of the reference."""
    candidate, processes = measurement.candidate, tuple(layout.freeze() for layout in measurement.layouts)
    delta, phases = difference(measurement, reference), _summarise_phases(measurement, processes, settings)
    return BenchResult(
        candidate=candidate.label,
        engine=candidate.engine.name,
        options=candidate.options,
        model=_describe_model(candidate, specs),
        batch=measurement.batch,
        scenario=settings.scenario,
        calls_per_sample=measurement.calls,
        request=_summarise_request(measurement, settings),
        phases=phases,
        rows_per_s=compute_rows_per_s(processes),
        speedup=_compare_speed(measurement, reference),
        **delta,
        cold_start_ns=_median_of_positive([process.cold_start_ns for process in processes]) or None,
        rss_bytes=_median_of_positive([process.rss_bytes for process in processes]) or None,
        peak_rss_bytes=max(process.peak_rss_bytes for process in processes) or None,
        **_count_cpu(candidate, measurement.batch, processes),
        allocated_bytes=measurement.allocated_bytes,
        artifact_bytes=candidate.artefact.bytes,
        warmup_ns=_median_of_positive([process.warmup_ns for process in processes]),
        gc_collections=sum(r.gc_collections for process in processes for r in process.rounds),
        processes=processes,
        frame_ns=_attribute_frames(phases, measurement),
        placement=specs[candidate.key].placement if candidate.key in specs else (),
        batch_invariant=is_batch_invariant(measurement),
    )


def _request_floor_ns(measurement: Measurement) -> int:
    """What a request's sample holds beside the request: the loop, or the readings of the clock between its phases."""
    processes = [layout.process for layout in measurement.layouts]
    if measurement.plan and measurement.plan.phases:
        return STAMPS_OF_PHASED_REQUEST * _stage_floor_ns(processes)
    return _median_of_positive([process.floor_ns for process in processes])


def _stage_floor_ns(processes: Sequence[Process]) -> int:
    return _median_of_positive([process.stage_floor_ns for process in processes])


def _summarise_request(measurement: Measurement, settings: Settings) -> Latency:
    floor_ns, calls = _request_floor_ns(measurement), measurement.calls
    return summarise(measurement.samples("request"), floor_ns, settings.percentiles, calls)


def _summarise_phases(measurement: Measurement, processes: Sequence[Process], settings: Settings) -> Phases | None:
    if not any(len(samples) for rounds in measurement.samples("predict") for samples in rounds):
        return None
    floor_ns = _stage_floor_ns(processes)
    parts = (summarise(measurement.samples(name), floor_ns, settings.percentiles, 1) for name in PHASES)
    return Phases(*parts)


def _attribute_frames(phases: Phases | None, measurement: Measurement) -> dict[str, int]:
    """What a typical request spends on DataFrames, by phase: the probes' shares of the phases without probes."""
    if phases is None:
        return {}
    typical = {name: getattr(phases, name) for name in measurement.frame_shares}
    times = {name: part.mean_ns if part.p50_ns is None else part.p50_ns for name, part in typical.items()}
    return {name: round(max(0, times[name]) * share) for name, share in measurement.frame_shares.items()}


def _count_cpu(candidate: Candidate, batch: int, processes: Sequence[Process]) -> dict[str, Any]:
    """The CPU time of a request and of a second of the clock; not of a service, which works elsewhere."""
    cpu = None if candidate.engine.name == "http" else compute_cpu(processes, batch)
    return {} if cpu is None else {"cpu_ns": cpu[0], "cpu_share": cpu[1]}


def _compare_speed(measurement: Measurement, reference: Measurement) -> Speedup | None:
    if measurement is reference:
        return None
    ratio = speedup(
        reference.samples("request"),
        measurement.samples("request"),
        reference_floor_ns=_request_floor_ns(reference),
        candidate_floor_ns=_request_floor_ns(measurement),
        reference_calls=reference.calls,
        candidate_calls=measurement.calls,
    )
    path = reference.candidate.model.path
    against_model = path if path != measurement.candidate.model.path else ""
    return None if ratio is None else Speedup(reference.candidate.label, *ratio, against_model)


def difference(measurement: Measurement, reference: Measurement) -> dict[str, Any]:
    """The fields of a result that say whether it predicts what the reference does."""
    ours, theirs = reference.predictions, measurement.predictions
    if measurement is reference:
        return {"delta_note": "reference"}
    if ours is None or theirs is None:
        return {"delta_note": "no answers"}
    if reference.outputs is not None and measurement.outputs is not None:
        return describe_difference(reference.outputs, measurement.outputs, measurement.batch)
    if ours.ndim != 2 or theirs.ndim != 2:
        return {"delta_note": f"answers of {ours.ndim} and {theirs.ndim} dimensions, not 2"}
    rows = min(len(ours), len(theirs))
    labels, note = _labels(reference, measurement, rows)
    comparison = compare(
        Predictions.unrefused(ours[:rows], labels[0]), Predictions.unrefused(theirs[:rows], labels[1]), Limits(worst=0)
    )
    if comparison.widths:
        return {"delta_note": _unlike_outputs(*comparison.widths)}
    return {
        "max_abs_delta": comparison.max_abs if comparison.finite else None,
        "label_changes": comparison.label_changes,
        "non_finite_mismatches": comparison.pooled.non_finite_mismatches,
        "delta_rows": comparison.common,
        "delta_note": note or ("" if comparison.finite else "no pair of finite answers"),
    }


def _unlike_outputs(reference: int, candidate: int) -> str:
    return f"{candidate} output{'' if candidate == 1 else 's'} a row where the reference gives {reference}"


def _labels(reference: Measurement, measurement: Measurement, rows: int) -> tuple[list[Labels | None], str]:
    """The labels of both for the first rows, and why they are not compared where an engine gives too few or many."""
    parts = [part.labels and part.labels[:rows] for part in (reference, measurement)]
    sizes = [len(part) for part in parts if part is not None]
    if len(sizes) == 2 and set(sizes) != {rows}:
        return [None, None], f"{sizes[0]} and {sizes[1]} labels for {rows} rows"
    texts = [part.candidate.engine.name == "callable" for part in (reference, measurement)]
    pairs = zip(parts, texts, strict=True)
    return [None if part is None else Labels.of(part, text=text) for part, text in pairs], ""


def _median_of_positive(values: Sequence[int]) -> int:
    positive = [value for value in values if value > 0]
    return int(statistics.median_low(positive)) if positive else 0
