"""What a profile's numbers say, in words; silent when nothing stands out. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from infer_bench.model import PHASES, Phase
from infer_bench.report.common import Report
from infer_bench.report.profile import FRAME_STEPS, ProfileResult, TypicalRequest
from infer_bench.reporters.inputs import describe_inputs
from infer_bench.reporters.text import numbers

STANDS_OUT = 0.5
"""The share of a request from which on a phase is called its bottleneck."""
TRY = "Try: "
"""How a sentence begins that is a command."""
NOISE = 0.1
"""When more of the request than this is unaccounted, the phases say nothing."""


def write_closing(report: Report[Any], row: ProfileResult) -> list[str]:
    """Where the time goes and what to try; nothing when nothing takes half of the request."""
    typical = row.typical
    if typical is None or row.unaccounted_ns is None:
        return []
    whole = max(1, typical.request_ns)
    if abs(row.unaccounted_ns) > NOISE * whole:
        return []
    if typical.waiting_ns > STANDS_OUT * whole:
        return [_describe_waiting(typical)]
    frames = _time_frames(row)
    if sum(frames.values()) > STANDS_OUT * whole:
        return [_describe_frames(row, typical, frames), *_propose_command(report, row, "preprocess")]
    if row.does.get("predict") == "the whole function":
        return []
    name, longest_ns = max(((name, getattr(typical, f"{name}_ns")) for name in PHASES), key=lambda item: item[1])
    if longest_ns <= STANDS_OUT * whole:
        return []
    claim = _describe_model(typical, frames) if name == "predict" else _describe_phase(typical, frames, name)
    return [claim, *_propose_command(report, row, name)]


def _time_frames(row: ProfileResult) -> dict[Phase, int]:
    """The time a request spends on DataFrames, by phase."""
    frames = dict.fromkeys(PHASES, 0)
    for step in row.steps:
        if step.name in FRAME_STEPS:
            frames[step.phase] += step.own_ns
    return frames


def _describe_frames(row: ProfileResult, typical: TypicalRequest, frames: Mapping[Phase, int]) -> str:
    whole, frames_ns = max(1, typical.request_ns), _bound(typical, sum(frames.values()))
    total = f"DataFrames take {numbers.percent(frames_ns / whole)} of the request ({numbers.duration(frames_ns)})"
    if row.does.get("predict") == "the whole function":
        return f"{total}. An array in the model's column order can save most of it."
    inside = frames["predict"]
    share = f"The model is {numbers.percent(typical.predict_ns / whole)} of the request"
    converts = _say_conversion(inside)
    model = f"A faster engine can save at most {numbers.duration(max(0, typical.predict_ns - inside))}"
    if row.options.get("feed") == "dataframe":
        return f"{share}{converts}. {model}; feed=ndarray can save up to {numbers.duration(frames_ns)}."
    array = f"an array in the model's column order up to {numbers.duration(frames_ns)}"
    return f"{total}. {share}{converts}. {model}; {array}."


def _describe_waiting(typical: TypicalRequest) -> str:
    whole, waiting_ns = max(1, typical.request_ns), typical.waiting_ns
    waits = f"{numbers.duration(waiting_ns)} ({numbers.percent(waiting_ns / whole)})"
    engine = f"a faster engine can save at most {numbers.duration(typical.predict_ns)}"
    return f"The request waits {waits} for what it awaits: {engine}."


def _bound(typical: TypicalRequest, time_ns: int) -> int:
    """A part's time, of a request whose phases may sum to more than its own median: no part is more than the whole."""
    total_ns: int = sum(getattr(typical, f"{name}_ns") for name in PHASES)
    return min(time_ns, time_ns * typical.request_ns // max(1, total_ns))


def _say_conversion(inside_ns: int) -> str:
    """What the library's own call spends on DataFrames: no engine saves it, whatever share it is."""
    return f", {numbers.duration(inside_ns)} of it turning a DataFrame into an array" if inside_ns > 0 else ""


def _describe_model(typical: TypicalRequest, frames: Mapping[Phase, int]) -> str:
    whole, saved_ns = max(1, typical.request_ns), max(0, typical.predict_ns - frames["predict"])
    return (
        f"The model is {numbers.percent(typical.predict_ns / whole)} of the request{_say_conversion(frames['predict'])}"
        f": a faster engine can save at most {numbers.duration(saved_ns)}, "
        f"everything around it {numbers.duration(whole - saved_ns)}."
    )


def _describe_phase(typical: TypicalRequest, frames: Mapping[Phase, int], name: str) -> str:
    whole, phase_ns = max(1, typical.request_ns), getattr(typical, f"{name}_ns")
    saved_ns = max(0, typical.predict_ns - frames["predict"])
    rest = f"{name} takes {numbers.duration(phase_ns)} ({numbers.percent(phase_ns / whole)})"
    share = numbers.percent(typical.predict_ns / whole)
    return (
        f"The model is {share} of the request{_say_conversion(frames['predict'])}. A faster engine can save at most "
        f"{numbers.duration(saved_ns)}; {rest}."
    )


def _propose_command(report: Report[Any], row: ProfileResult, name: str) -> list[str]:
    """The command that checks the claim; not where it would propose what is in use."""
    if row.model is None or row.engine == "callable":
        return []
    path, feed = str(report.settings.get("target") or row.model.path), row.options.get("feed")
    candidates = []
    if name == "preprocess" and feed == "dataframe":
        has_feed = "feed=dataframe" in row.candidate
        array = row.candidate.replace("feed=dataframe", "feed=ndarray") if has_feed else f"{row.engine}:feed=ndarray"
        candidates.append(array)
    if name == "predict" and row.engine != "onnxruntime":
        candidates.append(row.candidate)
    if row.engine != "onnxruntime":
        candidates.append("onnxruntime")
    return [f"{TRY}infer-bench bench {_quote(path)} {_write_flags(candidates)}"] if candidates else []


def _quote(path: str) -> str:
    return path if re.fullmatch(r"[\w./@%+=:,-]+", path) else "'" + path.replace("'", "'\\''") + "'"


def _write_flags(candidates: Sequence[str]) -> str:
    return " ".join(f"-e {candidate}" for candidate in candidates)


def describe_report(report: Report[Any]) -> list[str]:
    """What holds for the whole run."""
    texts = [] if report.complete else ["The run was not finished: this is what was gathered up to its end."]
    if report.inputs:
        texts.append(f"Requests were drawn from the model ({describe_inputs(report.inputs)}); --data profiles yours.")
    elif report.settings.get("rows_source") == "drawn from the model":
        texts.append("The rows were drawn from the model itself; --data or --input profiles yours.")
    return texts
