"""What belongs together in a gate's report: a candidate at a batch size, its checks, its result and its baseline's."""

from collections.abc import Iterator
from dataclasses import dataclass

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.report.gate import Check, Gate, Side
from infer_bench.reporters.bench.names import name_results
from infer_bench.reporters.text.paths import file_name

__all__ = ["CheckGroup", "find_sides", "group_checks", "require_gate"]


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """One candidate at one batch size. `name` is unique in the report; `side` is None where the gate names none."""

    name: str
    candidate: str
    model: str
    batch: int
    checks: tuple[Check, ...]
    result: BenchResult | None
    baseline: BenchResult | None
    side: Side | None


def require_gate(report: Report[BenchResult]) -> Gate:
    """The gate of a report that has one."""
    assert report.gate is not None
    return report.gate


def group_checks(report: Report[BenchResult]) -> list[CheckGroup]:
    """In the order of the results; a candidate without a result, or without a check, has its group as well."""
    gate = require_gate(report)
    bases = _find_baselines(report, gate)
    result_names = dict(zip(map(id, report.results), name_results(report), strict=True))
    remaining = list(gate.checks)
    groups: list[CheckGroup] = []
    for result in report.results:
        if any(result is base for base in bases):
            continue
        key = (result.candidate, result.model.path, result.batch)
        own = tuple(check for check in remaining if _is_of(check, *key))
        remaining = [check for check in remaining if check not in own]
        side = _find_side(gate, result.candidate, result.model.path)
        groups.append(CheckGroup(result_names[id(result)], *key, own, result, _find_opponent(result, own, bases), side))
    return groups + list(_group_orphans(remaining, gate))


def _find_opponent(result: BenchResult, checks: tuple[Check, ...], bases: list[BenchResult]) -> BenchResult | None:
    """The baseline that the checks name, of the same model where there are several."""
    against = next((check.against for check in checks if check.against), "")
    opponents = [base for base in bases if base.batch == result.batch and against in ("", base.candidate)]
    return max(opponents, key=lambda base: base.model.path == result.model.path, default=None)


def find_sides(report: Report[BenchResult]) -> dict[int, Side]:
    """What each result ran with, by its `id`; nothing where no gate says it."""
    if report.gate is None:
        return {}
    sides = {id(result): report.gate.baseline for result in _find_baselines(report, report.gate)}
    return sides | {id(group.result): group.side for group in group_checks(report) if group.result and group.side}


def _group_orphans(checks: list[Check], gate: Gate) -> Iterator[CheckGroup]:
    """Checks whose candidate has no result."""
    for key in dict.fromkeys((check.candidate, check.model, check.batch) for check in checks):
        own = tuple(check for check in checks if (check.candidate, check.model, check.batch) == key)
        name = f"{file_name(key[1])} {key[0]} batch={key[2]}"
        yield CheckGroup(name, *key, own, None, None, _find_side(gate, key[0], key[1]))


def _find_baselines(report: Report[BenchResult], gate: Gate) -> list[BenchResult]:
    """Results that were not judged, and the first of two of one name: both environments run one candidate."""
    alike: dict[tuple[str, str, int], list[BenchResult]] = {}
    for result in report.results:
        alike.setdefault((result.candidate, result.model.path, result.batch), []).append(result)
    return [results[0] for key, results in alike.items() if len(results) > 1 or _is_baseline(gate, *key)]


def _is_baseline(gate: Gate, candidate: str, model: str, batch: int) -> bool:
    if gate.mode == "absolute" or any(_is_of(check, candidate, model, batch) for check in gate.checks):
        return False
    if candidate == gate.baseline.candidate and _is_same_path(model, gate.baseline.model):
        return True
    is_judged = any(side.candidate == candidate and _is_same_path(model, side.model) for side in gate.sides)
    return not is_judged and any(check.against == candidate for check in gate.checks)


def _find_side(gate: Gate, candidate: str, model: str) -> Side | None:
    exact = (side for side in gate.sides if side.candidate == candidate and _is_same_path(model, side.model))
    return next(exact, next((side for side in gate.sides if side.candidate == candidate), None))


def _is_of(check: Check, candidate: str, model: str, batch: int) -> bool:
    return check.candidate == candidate and check.batch == batch and _is_same_path(model, check.model)


def _is_same_path(path: str, other: str) -> bool:
    """Whether `other` is that path, or its last part alone."""
    return other in (path, file_name(path))
