"""Two profiles side by side: what got faster and slower, by phase and by function. Pure."""

from collections.abc import Iterable

from infer_bench.measure.profile.prof_file import Recorded
from infer_bench.model import PHASES
from infer_bench.report.profile import Change, ProfileDiff, ProfileResult, TypicalRequest


def compare(before: tuple[ProfileResult, Recorded], after: tuple[ProfileResult, Recorded], top: int) -> ProfileDiff:
    """What changed from `before` to `after`; the `top` functions whose own time changed most.

    Functions are compared a request where both profiles say how many they hold, else over the whole run.
    """
    (old, old_table), (new, new_table) = before, after
    each = bool(old_table.requests and new_table.requests)
    functions = _functions(old_table, new_table, each=each)
    return ProfileDiff(
        before=old.candidate,
        after=new.candidate,
        request=_request(old.typical, new.typical),
        phases=_sorted(_phases(old.typical, new.typical)),
        functions=_sorted(functions)[:top],
        before_ns=round(old_table.own_ns / (old_table.requests if each else 1)),
        per="request" if each else "run",
    )


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda c: (-abs(c.after_ns - c.before_ns), c.name)))


def _request(old: TypicalRequest | None, new: TypicalRequest | None) -> Change | None:
    return Change("request", old.request_ns, new.request_ns) if old and new else None


def _phases(old: TypicalRequest | None, new: TypicalRequest | None) -> list[Change]:
    if not old or not new:
        return []
    return [Change(name, getattr(old, f"{name}_ns"), getattr(new, f"{name}_ns")) for name in PHASES]


def _functions(old: Recorded, new: Recorded, *, each: bool) -> list[Change]:
    """By file and name: a function whose line moved between the two is still the same one."""
    sides = (_own(old, old.requests if each else 1), _own(new, new.requests if each else 1))
    names = dict.fromkeys([*sides[0], *sides[1]])
    changes = [Change(name, round(sides[0].get(name, 0)), round(sides[1].get(name, 0))) for name in names]
    return [change for change in changes if change.before_ns != change.after_ns]


def _own(recorded: Recorded, requests: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for (file, _, name), entry in recorded.table.items():
        shown = name if file == "~" else f"{file}({name})"
        found[shown] = found.get(shown, 0.0) + entry[2] * 1e9 / max(1, requests)
    return found
