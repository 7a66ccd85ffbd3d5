"""Two profiles side by side: what got faster and slower, by phase and by function. Pure."""

from collections.abc import Iterable

from infer_bench.measure.profile.function_table import FunctionTable
from infer_bench.model import PHASES
from infer_bench.report.profile import Change, ProfileDiff, ProfileResult, TypicalRequest

ResultAndTable = tuple[ProfileResult, FunctionTable]


def compare(before: ResultAndTable, after: ResultAndTable, top: int) -> ProfileDiff:
    """What changed from `before` to `after`; the `top` functions whose own time changed most.

    Functions are compared a request where both profiles say how many they hold, else over the whole run.
    """
    (old, old_table), (new, new_table) = before, after
    each = bool(old_table.requests and new_table.requests)
    functions = _compare_functions(old_table, new_table, each=each)
    return ProfileDiff(
        before=old.candidate,
        after=new.candidate,
        request=_compare_requests(old.typical, new.typical),
        phases=_largest_first(_compare_phases(old.typical, new.typical)),
        functions=_largest_first(functions)[:top],
        before_ns=round(old_table.own_ns / (old_table.requests if each else 1)),
        per="request" if each else "run",
    )


def _largest_first(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda c: (-abs(c.after_ns - c.before_ns), c.name)))


def _compare_requests(old: TypicalRequest | None, new: TypicalRequest | None) -> Change | None:
    return Change("request", old.request_ns, new.request_ns) if old and new else None


def _compare_phases(old: TypicalRequest | None, new: TypicalRequest | None) -> list[Change]:
    if not old or not new:
        return []
    return [Change(name, getattr(old, f"{name}_ns"), getattr(new, f"{name}_ns")) for name in PHASES]


def _compare_functions(old: FunctionTable, new: FunctionTable, *, each: bool) -> list[Change]:
    """By file and name: a function whose line moved between the two is still the same one."""
    before, after = (_own_ns_by_name(table, table.requests if each else 1) for table in (old, new))
    names = dict.fromkeys([*before, *after])
    changes = [Change(name, round(before.get(name, 0)), round(after.get(name, 0))) for name in names]
    return [change for change in changes if change.before_ns != change.after_ns]


def _own_ns_by_name(table: FunctionTable, requests: int) -> dict[str, float]:
    own_ns: dict[str, float] = {}
    for (file, _, function), entry in table.entries.items():
        name = function if file == "~" else f"{file}({function})"
        own_ns[name] = own_ns.get(name, 0.0) + entry[2] * 1e9 / max(1, requests)
    return own_ns
