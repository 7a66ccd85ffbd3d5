"""The functions that a profiler saw, and the `.prof` file: a true pstats dump, with the tool's report behind it.

`pstats.Stats` and everything built on it (snakeviz, gprof2dot, tuna) load one marshalled table from the front of the
file and do not look further. So the report stands after it in the same file: it cannot be lost or mixed up with
another profile's as a second file can, and the two are replaced in one step.
"""

import marshal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infer_bench.errors import CannotRun
from infer_bench.measure.profile.pstats_reader import Reader
from infer_bench.report.profile import FunctionCost, ProfileReport
from infer_bench.report.serialize import dump, load_report
from infer_bench.workers.profiling.requests import FunctionProfile

ENDINGS = (".prof", ".pstats", ".profile")
_REQUEST_FILES = ("infer_bench/workers/profiling/profilers.py", "infer_bench/workers/recorders.py")
"""Where the function stands, or stood in older `.prof` files, that is a whole request; it says nothing in a list."""
MARK = b"\ninfer-bench report\n"
Function = tuple[str, int, str]
Entry = tuple[int, int, float, float, Mapping[Function, Any]]


@dataclass(frozen=True, slots=True)
class FunctionTable:
    """A pstats table, function → (primitive calls, calls, own s, cumulative s, callers), over `requests` requests.

    `has_calls` is False where calls are not known.
    """

    entries: Mapping[Function, Entry] = field(default_factory=dict)
    requests: int = 0
    has_calls: bool = True

    @property
    def own_ns(self) -> int:
        """The own times of all functions: the whole run, each moment once."""
        return _ns(sum(entry[2] for entry in self.entries.values()))

    def functions(self, sort: str = "cumulative", top: int | None = None) -> tuple[FunctionCost, ...]:
        """The functions that cost most, the first `top` of them."""
        costs = [
            FunctionCost(file, line, name, calls if self.has_calls else None, _ns(own), _ns(cumulative))
            for (file, line, name), (_, calls, own, cumulative, _) in self.entries.items()
            if not (name == "request" and file.endswith(_REQUEST_FILES))
        ]
        costs.sort(key=lambda c: (-(c.own_ns if sort == "own" else c.cumulative_ns), c.file, c.line, c.name))
        return tuple(costs[:top])


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def from_worker(functions: Iterable[FunctionProfile], requests: int, *, has_calls: bool) -> FunctionTable:
    """The functions of a worker's profiler; `has_calls` where it knows their calls."""
    entries: dict[Function, Entry] = {}
    for f in functions:
        callers = {(c.file, c.line, c.name): (c.calls, c.primitive_calls, c.own_s, c.cumulative_s) for c in f.callers}
        entries[f.file, f.line, f.name] = (f.primitive_calls, f.calls, f.own_s, f.cumulative_s, callers)
    return FunctionTable(entries, requests, has_calls)


def pack(table: FunctionTable, report: ProfileReport) -> bytes:
    """The bytes of a `.prof` file."""
    return marshal.dumps(dict(table.entries)) + MARK + dump(report)


def unpack(path: str) -> tuple[FunctionTable, ProfileReport | None]:
    """What a `.prof` file holds: the table, and the report when infer-bench wrote it.

    Raises `CannotRun` for a file that is missing or no profile.
    """
    raw = _read_bytes(path)
    front, mark, behind = raw.partition(MARK)
    entries = _table(front, path)
    report = load_report(behind) if mark else None
    requests = report.results[0].profiled_requests if report and report.results else 0
    return FunctionTable(entries, requests), report


def is_profile(path: str) -> bool:
    """Whether there is a file that begins as a marshalled dict does, and a `.prof` or `.pstats` name or our mark."""
    try:
        with open(path, "rb") as file:
            head = file.read(1)
    except (OSError, ValueError):
        return False
    return head in (b"{", b"\xfb") and (path.endswith(ENDINGS) or MARK in _read_bytes(path))


def _read_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise CannotRun(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _table(front: bytes, path: str) -> dict[Function, Entry]:
    try:
        content = Reader(front).value()
    except (ValueError, TypeError) as error:
        raise CannotRun(f"{path} is no profile: {error}", "name a file that profile -o or cProfile wrote") from None
    if not isinstance(content, dict) or not all(_is_entry(key, value) for key, value in content.items()):
        raise CannotRun(f"{path} is no profile", "name a file that profile -o or cProfile wrote")
    return content


def _is_entry(key: object, value: object) -> bool:
    if not (isinstance(key, tuple) and [type(part) for part in key] == [str, int, str]):
        return False
    if not (isinstance(value, tuple) and len(value) == 5 and isinstance(value[4], dict)):
        return False
    return all(isinstance(part, int) for part in value[:2]) and all(isinstance(p, int | float) for p in value[2:4])
