"""The calls of a profile as a tree: which function takes how much of the time of the one that called it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infer_bench.measure.profile.function_table import Function, FunctionTable, is_request
from infer_bench.report.profile import CallFrame

MOST_DEPTH = 14
LEAST_SHARE = 0.005
"""Frames of a smaller share of the whole are left out."""


def build_call_tree(table: FunctionTable) -> tuple[CallFrame, ...]:
    """The frames in the order of a walk, each right after the one that called it; empty where no callers are known.

    A profiler that counts calls knows who called a function and how long it took for that caller, not for each way
    that leads there: along each way a function's time is divided among what it calls as it is on the whole. A function
    that is on the way already ends it, so that recursion is one frame.
    """
    graph = _CallGraph.of(table)
    roots = {function: seconds for function, seconds in graph.roots.items() if seconds > 0}
    if not graph.callees or not roots:
        return ()
    frames: list[CallFrame] = []
    walk = _Walk(graph, sum(roots.values()) * LEAST_SHARE, frames)
    start = 0.0
    for function, seconds in sorted(roots.items(), key=lambda item: (-item[1], item[0])):
        walk.add(function, seconds, start, ())
        start += seconds
    return tuple(frames)


@dataclass(frozen=True, slots=True)
class _CallGraph:
    """Seconds of each function with what it calls, for each caller (`callees`), and of those that nobody calls."""

    cumulative: Mapping[Function, float]
    callees: Mapping[Function, Mapping[Function, float]]
    roots: Mapping[Function, float]

    @classmethod
    def of(cls, table: FunctionTable) -> "_CallGraph":
        callees: dict[Function, dict[Function, float]] = {}
        roots: dict[Function, float] = {}
        for function, (_, _, _, cumulative, callers) in table.entries.items():
            others = {caller: values[3] for caller, values in callers.items() if caller != function}
            for caller, seconds in others.items():
                callees.setdefault(caller, {})[function] = seconds
            if not is_request(function):
                request_s = sum(seconds for caller, seconds in others.items() if is_request(caller))
                roots[function] = request_s if request_s else (0.0 if others else cumulative)
        return cls({function: entry[3] for function, entry in table.entries.items()}, callees, roots)


@dataclass(frozen=True, slots=True)
class _Walk:
    graph: _CallGraph
    least_s: float
    frames: list[CallFrame] = field(default_factory=list)

    def add(self, function: Function, seconds: float, start: float, way: tuple[Function, ...]) -> None:
        """Add a frame and those below it."""
        file, line, name = function
        self.frames.append(CallFrame(len(way), _ns(start), _ns(seconds), file, line, name))
        if len(way) + 1 >= MOST_DEPTH:
            return
        way, remainder_s = (*way, function), seconds
        scale = seconds / max(self.graph.cumulative[function], 1e-12)
        for callee, time in sorted(self.graph.callees.get(function, {}).items(), key=lambda item: (-item[1], item[0])):
            part = min(time * scale, remainder_s)
            if callee not in way and part >= self.least_s:
                self.add(callee, part, start + seconds - remainder_s, way)
                remainder_s -= part


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
