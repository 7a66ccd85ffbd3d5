"""From what a study found to a row of the report. Pure: no clock, no file, no process."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from infer_bench.libraries import of_engine
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.profile.phases import divide
from infer_bench.measure.profile.prof_file import Recorded, from_worker
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.measure.profile.stages import Findings, Study
from infer_bench.model import PHASES, Phase
from infer_bench.report.common import ModelInfo
from infer_bench.report.profile import ProfileResult, Step, TypicalRequest
from infer_bench.workers.profiling.requests import StepTimes

_FEEDS = {"dataframe": "DataFrame + reindex", "ndarray": "fill an array", "packed": "pack an array"}
SHOWN_CALLS = 2


def recorded(study: Study) -> Recorded:
    """What the profiler recorded of a candidate; empty when it did not run."""
    gathered = study.findings.gathered
    counted = study.settings.profiler == "cprofile"
    return from_worker(gathered.functions, gathered.requests, counted=counted)


def result(study: Study, settings: ProfileSettings) -> ProfileResult:
    """The row of one candidate, as far as it is known."""
    found, candidate, table = study.findings, study.candidate, recorded(study)
    row: dict[str, Any] = {
        "candidate": candidate.model.path if candidate.label == "callable" else candidate.label,
        "engine": candidate.engine.name,
        "options": candidate.options,
        "model": _info(candidate, found),
        "batch": settings.batch,
        "failed": study.failed or None,
        "does": does(candidate, found.model_calls),
        "import_ns": found.model.import_ns if found.model else None,
        "load_ns": found.model.load_ns if found.model else None,
        "first_request_ns": found.first.request_ns if found.first else None,
        "warmup_ns": found.warm.warmup_ns if found.warm else None,
        "warmup_steady": found.warm is not None and found.warm.steady,
        "profiler": settings.profiler,
        "profiled_requests": table.requests,
        "slowdown": study.slowdown,
        "functions": table.functions(settings.sort, settings.top),
        "function_count": len(table.table),
        "profiled_ns": table.own_ns,
        "operators": found.operators,
        "operator_requests": found.operator_requests,
        "memory": found.memory,
    }
    return ProfileResult(**row, **_timed(found))


def _timed(found: Findings) -> dict[str, Any]:
    if not found.rounds:
        return {}
    divided = divide(found.rounds, found.floor_ns, found.probe_ns)
    steps, slowdown = _steps(found.steps, divided.typical)
    return {
        "request": divided.request,
        "phases": divided.phases,
        "typical": divided.typical,
        "unaccounted_ns": divided.unaccounted_ns,
        "probe_ns": sum(found.probe_ns),
        "cpu_share": found.cpu_ns / found.wall_ns if found.wall_ns else None,
        "steps": steps,
        "split_slowdown": slowdown,
    }


def _info(candidate: Candidate, found: Findings) -> ModelInfo:
    model, spec = candidate.model, found.model.spec if found.model else None
    known = (spec.task, len(spec.features), spec.trees) if spec else (None, None, None)
    return ModelInfo(model.path, model.family, model.format, model.sha256, model.bytes, *known)


def does(candidate: Candidate, model_calls: Mapping[str, int]) -> dict[str, str]:
    """What each phase is, in a few words; nothing where that is not known."""
    options, name = candidate.options, candidate.engine.name
    library = of_engine(name)
    if name == "callable":
        if not model_calls:
            return {"predict": "the whole function"}
        often = sorted(model_calls, key=lambda call: -model_calls[call])
        more = f" and {len(often) - SHOWN_CALLS} more" if len(often) > SHOWN_CALLS else ""
        return {
            "preprocess": "before the model call",
            "predict": ", ".join(often[:SHOWN_CALLS]) + more,
            "postprocess": "after the model call",
        }
    said = {
        "preprocess": _FEEDS.get(options.get("feed", ""), ""),
        "predict": library.calls.get(options.get("api", ""), "") if library is not None else "",
        "postprocess": "to the answer",
    }
    return {phase: words for phase, words in said.items() if words}


def _steps(chunks: Iterable[StepTimes], typical: TypicalRequest) -> tuple[tuple[Step, ...], float | None]:
    """Each step's share of its phase in the run with probes, as a part of that phase without them."""
    own: dict[tuple[Phase, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    phases, requests, ratios = dict.fromkeys(PHASES, 0.0), 0, []
    for chunk in chunks:
        requests += chunk.requests
        ratios.append(chunk.probed_ns / max(1, chunk.bare_ns))
        for name, taken in chunk.phases.items():
            phases[name] += taken
        for step in chunk.steps:
            own[step.phase, step.name][0] += step.calls
            own[step.phase, step.name][1] += max(0, step.own_ns)
    if not requests:
        return (), None
    for phase in PHASES:
        rest = phases[phase] - sum(taken for (of, _), (_, taken) in own.items() if of == phase)
        if any(of == phase for of, _ in own):
            own[phase, "other"] = [0.0, max(0.0, rest)]
    found = [
        Step(phase, name, calls / requests, round(getattr(typical, f"{phase}_ns") * _part(taken, phases[phase])))
        for (phase, name), (calls, taken) in own.items()
        if phase in PHASES
    ]
    found.sort(key=lambda step: (PHASES.index(step.phase), -step.own_ns))
    return tuple(found), statistics.median(ratios)


def _part(taken: float, whole: float) -> float:
    return min(1.0, taken / whole) if whole > 0 else 0.0
