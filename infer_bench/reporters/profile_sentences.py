"""What a profile's numbers say, in words. A sentence is said only where it holds; silent when nothing stands out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from infer_bench.profile_results import ProfileResult, TypicalRequest
from infer_bench.reporters import format
from infer_bench.results import Report

STANDS_OUT = 0.5
"""The share of a request from which on a phase is called its bottleneck."""
WORTH = 0.2
"""Another phase is worth a word from this share on."""
NOISE = 0.1
"""When more of the request than this is unaccounted, the phases say nothing."""


def closing(report: Report[Any], row: ProfileResult) -> list[str]:
    """Where the time goes and what to try; nothing when no phase takes half of the request."""
    typical = row.typical
    if typical is None or row.unaccounted_ns is None or row.does.get("predict") == "the whole function":
        return []
    whole = max(1, typical.request_ns)
    if abs(row.unaccounted_ns) > NOISE * whole:
        return []
    shares = {name: getattr(typical, f"{name}_ns") / whole for name in ("preprocess", "predict", "postprocess")}
    name, share = max(shares.items(), key=lambda item: item[1])
    if share <= STANDS_OUT:
        return []
    said = _model(typical, shares) if name == "predict" else _around(row, typical, shares, name)
    return [said, *_try(report, row, name)]


def _model(typical: TypicalRequest, shares: Mapping[str, float]) -> str:
    rest = typical.request_ns - typical.predict_ns
    return (
        f"The model is {format.percent(shares['predict'])} of the request: a faster engine can save at most "
        f"{format.duration(typical.predict_ns)}, everything around it {format.duration(max(0, rest))}."
    )


def _around(row: ProfileResult, typical: TypicalRequest, shares: Mapping[str, float], name: str) -> str:
    model = f"The model is {format.percent(shares['predict'])} of the request."
    taken = format.duration(getattr(typical, f"{name}_ns"))
    most = f"A faster engine can save at most {format.duration(typical.predict_ns)}"
    if row.engine == "callable":
        where = {"preprocess": "before", "postprocess": "after"}[name]
        return f"{model} {most}; {taken} goes {where} the model call{_hot(row)}."
    if row.options.get("feed") == "dataframe" and name == "preprocess":
        return f"{model} {most}; feed=ndarray can save up to {taken}{_share_of(shares, name)}."
    return f"{model} {most}; {name} takes {taken}{_share_of(shares, name)}."


def _share_of(shares: Mapping[str, float], name: str) -> str:
    return f" ({format.percent(shares[name])})"


def _hot(row: ProfileResult) -> str:
    """The library that most of the profiled time lies in, where one does."""
    if any("pandas" in cost.file and cost.cumulative_ns > STANDS_OUT * row.profiled_ns for cost in row.functions):
        return ", most of it in pandas"
    return ""


def _try(report: Report[Any], row: ProfileResult, name: str) -> list[str]:
    """The command that checks the claim; not where it would propose what is in use."""
    if row.model is None:
        return []
    if row.engine == "callable":
        return []
    path, feed, candidates = row.model.path, row.options.get("feed"), []
    if name == "preprocess" and feed == "dataframe":
        candidates.append(f"{row.engine}:feed=ndarray")
    if name == "predict" and row.engine != "onnxruntime":
        candidates.append(row.candidate)
    if row.engine != "onnxruntime":
        candidates.append("onnxruntime")
    return [f"Try: infer-bench bench {_shown(path)} {_flags(candidates)}"] if candidates else []


def _shown(path: str) -> str:
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    return f"'{name}'" if " " in name else name


def _flags(candidates: Sequence[str]) -> str:
    return " ".join(f"-e {candidate}" for candidate in candidates)


def about_report(report: Report[Any]) -> list[str]:
    """What holds for the whole run."""
    said = [] if report.complete else ["The run was not finished: this is what was gathered up to its end."]
    if report.settings.get("rows_source") == "drawn from the model":
        said.append("The rows were drawn from the model itself; --data or --input profiles yours.")
    return said
