"""From what the stages of a profile measured to a row of the report. Pure: no clock, no file, no process."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from infer_bench.libraries import of_engine
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.models import describe_model
from infer_bench.measure.profile.call_tree import build_call_tree
from infer_bench.measure.profile.function_table import FunctionTable
from infer_bench.measure.profile.phases import divide
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.measure.profile.stages import CandidateRun, Findings
from infer_bench.model import PHASES, Phase
from infer_bench.report.profile import ProfileResult, Step, TypicalRequest
from infer_bench.workers.profiling.requests import StepTime, StepTimes

_FEEDS = {"dataframe": "DataFrame + reindex", "ndarray": "fill an array", "packed": "pack an array"}
SHOWN_CALLS = 2


def tabulate_functions(candidate_run: CandidateRun) -> FunctionTable:
    """What the profiler saw of a candidate; empty when it did not run."""
    output, has_calls = candidate_run.findings.profiler_output, candidate_run.settings.profiler == "cprofile"
    return FunctionTable.of(output.functions, output.requests, has_calls=has_calls)


def build_result(candidate_run: CandidateRun, settings: ProfileSettings) -> ProfileResult:
    """The row of one candidate, as far as it is known."""
    findings, candidate, table = candidate_run.findings, candidate_run.candidate, tabulate_functions(candidate_run)
    row: dict[str, Any] = {
        "candidate": candidate.model.path if candidate.label == "callable" else candidate.label,
        "engine": candidate.engine.name,
        "options": candidate.options,
        "model": describe_model(candidate.model, findings.model.spec if findings.model else None),
        "batch": settings.batch,
        "failed": candidate_run.failure or None,
        "does": describe_phases(
            candidate, findings.model_calls, tensors=bool(findings.model and findings.model.spec.inputs)
        ),
        "import_ns": findings.model.import_ns if findings.model else None,
        "load_ns": findings.model.load_ns if findings.model else None,
        "first_request_ns": findings.first.request_ns if findings.first else None,
        "warmup_ns": findings.warm.warmup_ns if findings.warm else None,
        "warmup_steady": findings.warm is not None and findings.warm.steady,
        "profiler": settings.profiler,
        "profiled_requests": table.requests,
        "slowdown": findings.slowdown,
        "functions": table.functions(settings.sort, settings.top),
        "calls": build_call_tree(table),
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
    request = divide(findings.rounds, findings.floor_ns, findings.probe_ns)
    steps, slowdown = _attribute_steps(findings.steps, request.typical)
    return {
        "request": request.request,
        "phases": request.phases,
        "typical": request.typical,
        "unaccounted_ns": request.unaccounted_ns,
        "probe_ns": sum(findings.probe_ns),
        "cpu_share": findings.cpu_ns / findings.wall_ns if findings.wall_ns else None,
        "steps": steps,
        "split_slowdown": slowdown,
    }


def describe_phases(candidate: Candidate, model_calls: Mapping[str, int], *, tensors: bool = False) -> dict[str, str]:
    """What each phase is, in a few words; nothing where that is not known. `tensors`: of a network."""
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
    words = {
        "preprocess": _FEEDS.get(options.get("feed", ""), ""),
        "predict": library.calls.get(options.get("api", ""), "") if library is not None else "",
        "postprocess": "to the answer",
    }
    words |= {"preprocess": "check the arrays", "postprocess": "name the outputs"} if tensors else {}
    return {phase: text for phase, text in words.items() if text}


def _attribute_steps(chunks: Sequence[StepTimes], typical: TypicalRequest) -> tuple[tuple[Step, ...], float | None]:
    """Each step's share of its phase in the run with probes, as a part of that phase without them.

    Beside them, how many times longer a request takes with the probes.
    """
    requests = sum(chunk.requests for chunk in chunks)
    if not requests:
        return (), None
    phases_ns = {phase: sum(chunk.phases.get(phase, 0) for chunk in chunks) for phase in PHASES}
    if typical.waiting_ns:  # the run with probes has it in its phases
        phases_ns = {phase: getattr(typical, f"{phase}_ns") * requests for phase in PHASES}
    steps = []
    for step in _sum_steps(chunks, phases_ns):
        phase_ns = phases_ns[step.phase]
        share = min(1.0, step.own_ns / phase_ns) if phase_ns > 0 else 0.0
        own_ns = round(getattr(typical, f"{step.phase}_ns") * share)
        steps.append(Step(step.phase, step.name, step.calls / requests, own_ns))
    steps.sort(key=lambda step: (PHASES.index(step.phase), -step.own_ns))
    return tuple(steps), statistics.median(chunk.probed_ns / max(1, chunk.bare_ns) for chunk in chunks)


def _sum_steps(chunks: Sequence[StepTimes], phases_ns: Mapping[Phase, int]) -> list[StepTime]:
    """Every step over all chunks, and as "other" the rest of each phase that has steps."""
    sums: dict[tuple[Phase, str], StepTime] = {}
    for step in (step for chunk in chunks for step in chunk.steps):
        so_far = sums.get((step.phase, step.name), StepTime(step.phase, step.name, 0, 0))
        own_ns = so_far.own_ns + max(0, step.own_ns)
        sums[step.phase, step.name] = replace(so_far, calls=so_far.calls + step.calls, own_ns=own_ns)
    for phase in PHASES:
        own = [step.own_ns for step in sums.values() if step.phase == phase]
        if own:
            sums[phase, "other"] = StepTime(phase, "other", 0, max(0, phases_ns[phase] - sum(own)))
    return list(sums.values())
