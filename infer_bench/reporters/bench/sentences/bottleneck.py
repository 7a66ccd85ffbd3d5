"""What is said of where a request's time goes."""

from infer_bench.model import PHASES, Phase
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Phases
from infer_bench.reporters.bench.groups import BatchGroup, share_phases, take_typical
from infer_bench.reporters.bench.sentences.sentence import Sentence, say_batch
from infer_bench.reporters.text import numbers

MOST = 0.5
"""The share of a request from which on a phase is called its bottleneck."""

_REQUESTS = {"dataframe": "DataFrame request", "ndarray": "array request", "packed": "packed request"}


def find_bottleneck(group: BatchGroup) -> list[Sentence]:
    """Said of the reference's request only: what is left to win by changing the engine."""
    reference = group.reference
    if reference is None or reference.phases is None or reference.failed:
        return []
    if frames := _attribute_frames(reference, group):
        return [Sentence(_describe_frames(reference.phases, frames, group))]
    phase, share = max(share_phases(reference.phases).items(), key=lambda item: item[1])
    if phase == "predict" or share <= MOST:
        return []
    feed = _REQUESTS.get(reference.options.get("feed", ""), f"{reference.engine} request")
    part = numbers.percent(share)
    return [Sentence(f"{part} of the {feed} is {phase}{say_batch(group)}: the engine is not the bottleneck.")]


def _attribute_frames(reference: BenchResult, group: BatchGroup) -> dict[Phase, int]:
    """The time that a typical DataFrame request spends on DataFrames, by phase, in ns; empty for any other request.

    It is what the library's steps on them take, or more where the same engine fed an array does without more: what a
    library checks and converts in its own call is work on DataFrames as well.
    """
    if reference.phases is None or reference.options.get("feed") != "dataframe":
        return {}
    twin = _find_twin(reference, group)
    if not reference.frame_ns and (twin is None or twin.phases is None):
        return {}
    frames: dict[Phase, int] = {}
    for phase in PHASES:
        whole = _typical_ns(reference.phases, phase)
        saved = max(0, whole - _typical_ns(twin.phases, phase)) if twin is not None and twin.phases is not None else 0
        frames[phase] = min(whole, max(saved, reference.frame_ns.get(phase, 0)))
    return frames


def _find_twin(reference: BenchResult, group: BatchGroup) -> BenchResult | None:
    """The same engine on the same model with the same options, fed an array."""
    array_options = {**reference.options, "feed": "ndarray"}
    same = (r for r in group.results if r.engine == reference.engine and r.model.path == reference.model.path)
    return next((r for r in same if dict(r.options) == array_options and not r.failed and r.phases is not None), None)


def _typical_ns(phases: Phases, phase: Phase) -> int:
    return max(0, take_typical(getattr(phases, phase)))


def _describe_frames(phases: Phases, frames: dict[Phase, int], group: BatchGroup) -> str:
    """Work on DataFrames counts as that wherever it is done, and is said whatever share it is."""
    whole, total = max(1, sum(_typical_ns(phases, phase) for phase in PHASES)), sum(frames.values())
    inside = frames.get("predict", 0)
    around = f"{numbers.percent((total - inside) / whole)} around the call, {numbers.percent(inside / whole)} inside it"
    end = ": the engine is not the bottleneck" if total > MOST * whole else ""
    share = numbers.percent(total / whole)
    return f"{share} of the DataFrame request is work on DataFrames ({around}){say_batch(group)}{end}."
