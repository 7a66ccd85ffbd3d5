"""From the findings on one candidate to a row of the report. Pure: no clock, no file, no process."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from infer_bench.libraries import of_engine
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.profile.phases import divide
from infer_bench.measure.profile.prof_file import FunctionTable, from_worker
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.measure.profile.stages import CandidateRun, Findings
from infer_bench.model import PHASES, Phase
from infer_bench.report.common import ModelInfo
from infer_bench.report.profile import ProfileResult, Step, TypicalRequest
from infer_bench.workers.profiling.requests import StepTimes

_FEEDS = {"dataframe": "DataFrame + reindex", "ndarray": "fill an array", "packed": "pack an array"}
SHOWN_CALLS = 2


def tabulate_functions(candidate_run: CandidateRun) -> FunctionTable:
    """The table of a candidate's functions by its profiler; empty when it did not run."""
    profiler_output = candidate_run.findings.profiler_output
    has_calls = candidate_run.settings.profiler == "cprofile"
    return from_worker(profiler_output.functions, profiler_output.requests, has_calls=has_calls)


def build_result(candidate_run: CandidateRun, settings: ProfileSettings) -> ProfileResult:
    """The row of one candidate, as far as it is known."""
    findings, candidate, table = candidate_run.findings, candidate_run.candidate, tabulate_functions(candidate_run)
    row: dict[str, Any] = {
        "candidate": candidate.model.path if candidate.label == "callable" else candidate.label,
        "engine": candidate.engine.name,
        "options": candidate.options,
        "model": _describe_model(candidate, findings),
        "batch": settings.batch,
        "failed": candidate_run.failure or None,
        "does": describe_phases(candidate, findings.model_calls),
        "import_ns": findings.model.import_ns if findings.model else None,
        "load_ns": findings.model.load_ns if findings.model else None,
        "first_request_ns": findings.first.request_ns if findings.first else None,
        "warmup_ns": findings.warm.warmup_ns if findings.warm else None,
        "warmup_steady": findings.warm is not None and findings.warm.steady,
        "profiler": settings.profiler,
        "profiled_requests": table.requests,
        "slowdown": candidate_run.slowdown,
        "functions": table.functions(settings.sort, settings.top),
        "function_count": len(table.entries),
        "profiled_ns": table.own_ns,
        "operators": findings.operators,
        "operator_requests": findings.operator_requests,
        "memory": findings.memory,
    }
    return ProfileResult(**row, **_fill_times(findings))


def _fill_times(findings: Findings) -> dict[str, Any]:
    if not findings.rounds:
        return {}
    request_parts = divide(findings.rounds, findings.floor_ns, findings.probe_ns)
    steps, slowdown = _attribute_steps(findings.steps, request_parts.typical)
    return {
        "request": request_parts.request,
        "phases": request_parts.phases,
        "typical": request_parts.typical,
        "unaccounted_ns": request_parts.unaccounted_ns,
        "probe_ns": sum(findings.probe_ns),
        "cpu_share": findings.cpu_ns / findings.wall_ns if findings.wall_ns else None,
        "steps": steps,
        "split_slowdown": slowdown,
    }


def _describe_model(candidate: Candidate, findings: Findings) -> ModelInfo:
    model, spec = candidate.model, findings.model.spec if findings.model else None
    shape = (spec.task, len(spec.features), spec.trees) if spec else (None, None, None)
    return ModelInfo(model.path, model.family, model.format, model.sha256, model.bytes, *shape)


def describe_phases(candidate: Candidate, model_calls: Mapping[str, int]) -> dict[str, str]:
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
    descriptions = {
        "preprocess": _FEEDS.get(options.get("feed", ""), ""),
        "predict": library.calls.get(options.get("api", ""), "") if library is not None else "",
        "postprocess": "to the answer",
    }
    return {phase: words for phase, words in descriptions.items() if words}


def _attribute_steps(chunks: Iterable[StepTimes], typical: TypicalRequest) -> tuple[tuple[Step, ...], float | None]:
    """Each step's share of its phase in the run with probes, as a part of that phase without them."""
    own: dict[tuple[Phase, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    phases, requests, ratios = dict.fromkeys(PHASES, 0.0), 0, []
    for chunk in chunks:
        requests += chunk.requests
        ratios.append(chunk.probed_ns / max(1, chunk.bare_ns))
        for name, own_ns in chunk.phases.items():
            phases[name] += own_ns
        for step in chunk.steps:
            own[step.phase, step.name][0] += step.calls
            own[step.phase, step.name][1] += max(0, step.own_ns)
    if not requests:
        return (), None
    for phase in PHASES:
        rest = phases[phase] - sum(own_ns for (of, _), (_, own_ns) in own.items() if of == phase)
        if any(of == phase for of, _ in own):
            own[phase, "other"] = [0.0, max(0.0, rest)]
    steps = [
        Step(phase, name, calls / requests, round(getattr(typical, f"{phase}_ns") * _cap_share(own_ns, phases[phase])))
        for (phase, name), (calls, own_ns) in own.items()
        if phase in PHASES
    ]
    steps.sort(key=lambda step: (PHASES.index(step.phase), -step.own_ns))
    return tuple(steps), statistics.median(ratios)


def _cap_share(own_ns: float, whole: float) -> float:
    return min(1.0, own_ns / whole) if whole > 0 else 0.0
