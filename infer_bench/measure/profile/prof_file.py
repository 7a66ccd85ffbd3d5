"""The `.prof` file: a true pstats dump, with the tool's report behind it.

`pstats.Stats` and everything built on it (snakeviz, gprof2dot, tuna) load one marshalled table from the front of the
file and do not look further. So the report stands after it in the same file: it cannot be lost or mixed up with
another profile's as a second file can, and the two are replaced in one step.
"""

import marshal
from pathlib import Path

from infer_bench.errors import CannotRun
from infer_bench.measure.profile.function_table import Entry, Function, FunctionTable
from infer_bench.measure.profile.pstats_reader import Reader
from infer_bench.report.profile import ProfileReport
from infer_bench.report.serialize import dump, load_report

ENDINGS = (".prof", ".pstats", ".profile")
MARK = b"\ninfer-bench report\n"
_HINT = "name a file that profile -o or cProfile wrote"


def pack(table: FunctionTable, report: ProfileReport) -> bytes:
    """The bytes of a `.prof` file."""
    return marshal.dumps(dict(table.entries)) + MARK + dump(report)


def unpack(path: str) -> tuple[FunctionTable, ProfileReport | None]:
    """What a `.prof` file holds: the functions, and the report when infer-bench wrote it.

    Raises `CannotRun` for a file that is missing or no profile.
    """
    front, mark, behind = _read_file(path).partition(MARK)
    entries = _read_entries(front, path)
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
    return head in (b"{", b"\xfb") and (path.endswith(ENDINGS) or MARK in _read_file(path))


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise CannotRun(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _read_entries(front: bytes, path: str) -> dict[Function, Entry]:
    try:
        entries = Reader(front).value()
    except (ValueError, TypeError) as error:
        raise CannotRun(f"{path} is no profile: {error}", _HINT) from None
    if not isinstance(entries, dict) or not all(_is_entry(key, value) for key, value in entries.items()):
        raise CannotRun(f"{path} is no profile", _HINT)
    return entries


def _is_entry(key: object, value: object) -> bool:
    if not (isinstance(key, tuple) and [type(part) for part in key] == [str, int, str]):
        return False
    if not (isinstance(value, tuple) and len(value) == 5 and isinstance(value[4], dict)):
        return False
    return all(isinstance(part, int) for part in value[:2]) and all(isinstance(p, int | float) for p in value[2:4])
