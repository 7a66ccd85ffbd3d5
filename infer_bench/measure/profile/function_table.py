"""The functions that a profiler saw, as pstats keeps them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infer_bench.report.profile import FunctionCost
from infer_bench.workers.profiling.requests import FunctionProfile

_REQUEST_FILES = ("infer_bench/workers/profiling/profilers.py", "infer_bench/workers/recorders.py")
"""Where the function stands, or stood in older `.prof` files, that is a whole request; it says nothing in a list."""
Function = tuple[str, int, str]
"""File, line and name."""
Entry = tuple[int, int, float, float, Mapping[Function, Any]]
"""Primitive calls, calls, own s, cumulative s, callers."""


@dataclass(frozen=True, slots=True)
class FunctionTable:
    """A pstats table over `requests` requests; `has_calls` is False where calls are not known."""

    entries: Mapping[Function, Entry] = field(default_factory=dict)
    requests: int = 0
    has_calls: bool = True

    @classmethod
    def of(cls, functions: Iterable[FunctionProfile], requests: int, *, has_calls: bool) -> "FunctionTable":
        """The functions that a worker's profiler saw."""
        entries: dict[Function, Entry] = {}
        for f in functions:
            callers = {
                (c.file, c.line, c.name): (c.calls, c.primitive_calls, c.own_s, c.cumulative_s) for c in f.callers
            }
            entries[f.file, f.line, f.name] = (f.primitive_calls, f.calls, f.own_s, f.cumulative_s, callers)
        return cls(entries, requests, has_calls)

    @property
    def own_ns(self) -> int:
        """The own times of all functions: the whole run, each moment once."""
        return _ns(sum(entry[2] for entry in self.entries.values()))

    def functions(self, sort: str = "cumulative", top: int | None = None) -> tuple[FunctionCost, ...]:
        """The functions that cost most, the first `top` of them."""
        costs = [
            FunctionCost(file, line, name, calls if self.has_calls else None, _ns(own), _ns(cumulative))
            for (file, line, name), (_, calls, own, cumulative, _) in self.entries.items()
            if not is_request((file, line, name))
        ]
        costs.sort(key=lambda c: (-(c.own_ns if sort == "own" else c.cumulative_ns), c.file, c.line, c.name))
        return tuple(costs[:top])


def is_request(function: Function) -> bool:
    """Whether it is what answers a whole request under the profiler."""
    return function[2] == "request" and function[0].endswith(_REQUEST_FILES)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
