"""What a gate found, in the columns that every reporter of text shares. Pure."""

from dataclasses import dataclass, replace

from infer_bench.report.gate import Check, Gate
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.gate.groups import CheckGroup
from infer_bench.reporters.text import numbers, ratios

__all__ = [
    "CheckLine",
    "describe_check",
    "describe_observation",
    "describe_outcome",
    "fill_line",
    "fill_lines",
    "format_bound",
    "format_value",
    "name_metric",
    "write_titles",
]

_TITLES = {
    "max_abs_delta": "max |Δ|",
    "rss": "memory",
    "size": "file",
    "cold_start": "cold start",
}
_MORE = {"ns": "slower", "bytes": "larger", "": "more"}
_LOOKS = {"pass": "", "regressed": "red", "different": "red", "failed": "red", "inconclusive": "yellow"}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A line of a gate's table: what was measured, the baseline's and the candidate's value, and what was concluded."""

    metric: str
    baseline: str
    value: str
    ratio: str
    interval: str
    outcome: str
    look: str = ""


def write_titles(gate: Gate) -> CheckLine:
    """The titles of the columns: which value is which, and that the ratio is not that of the two values."""
    pairs = "all pairs" if gate.mode == "stored" else "pairs"
    return CheckLine("", "baseline", "candidate", f"ratio (median of {pairs})", "", "outcome")


def fill_lines(group: CheckGroup) -> list[CheckLine]:
    """A line a check, then the largest difference of the predictions, which is shown even where it was not judged."""
    table = [fill_line(check, group) for check in group.checks]
    for place, check in enumerate(group.checks):  # what is allowed is said once
        if any(_says_the_same(check, other) for other in group.checks[:place]):
            table[place] = replace(table[place], outcome=check.outcome)
    if not any(_is_distance(check) for check in group.checks):
        table += _fill_delta(group)
    return table


def _says_the_same(check: Check, other: Check) -> bool:
    """Whether both would be told in the same words."""
    if check.outcome == "failed":
        return (check.outcome, check.reason) == (other.outcome, other.reason)
    names = ("kind", "outcome", "limit", "limit_asked", "unit")
    is_judged = check.kind == "regression" and check.outcome in ("pass", "regressed")
    return is_judged and all(getattr(check, name) == getattr(other, name) for name in names)


def fill_line(check: Check, group: CheckGroup | None) -> CheckLine:
    """The line of one check; `group` tells whether its times are means of several calls."""
    ratio, interval = "", ""
    if check.kind == "regression" and check.ratio is not None:
        ratio, interval = ratios.measured_ratio(check.ratio, check.low, check.high)
    elif check.kind != "regression":
        ratio = f"limit {format_bound(check)}"
    mark = "*" if check.unit == "ns" and _is_batch_mean(check, group) else ""
    base, own = (format_value(check, number) for number in (check.baseline, check.value))
    return CheckLine(
        name_metric(check),
        base + mark if base else "",
        own + mark if own else "",
        ratio,
        interval,
        describe_outcome(check),
        _LOOKS.get(check.outcome, "dim"),
    )


def _is_batch_mean(check: Check, group: CheckGroup | None) -> bool:
    request = group.result.request if group and group.result else None
    return check.metric.startswith("p") and request is not None and request.unit == "batch-mean"


def name_metric(check: Check) -> str:
    """The metric as a table names it: `p50`, `memory`, `max |Δ|`."""
    return _TITLES.get(check.metric, check.metric)


def format_value(check: Check, number: float | None) -> str:
    """A value of a check in its unit; empty where there is none."""
    if number is None:
        return ""
    if check.unit == "bytes":
        return numbers.size(round(number))
    if check.unit == "ns":
        return numbers.duration(number)
    return numbers.delta(number) if _is_distance(check) else numbers.number(_drop_fraction(number))


def _is_distance(check: Check) -> bool:
    return check.kind == "delta" and name_metric(check) == "max |Δ|"


def _drop_fraction(number: float) -> float | int:
    return int(number) if abs(number) < 2**53 and number == int(number) else number


def format_bound(check: Check) -> str:
    """The limit of a check of a value, in its unit."""
    if check.unit:
        return format_value(check, check.limit)
    return numbers.limit(check.limit) if _is_distance(check) else numbers.number(_drop_fraction(check.limit))


def describe_outcome(check: Check) -> str:
    """What was concluded, and by which limit or for which reason."""
    if check.outcome == "inconclusive":
        return f"inconclusive: {'; '.join(part for part in (describe_observation(check), check.reason) if part)}"
    if check.outcome in ("advisory", "failed"):
        return ": ".join(part for part in (check.outcome, check.reason) if part)
    if check.kind != "regression":
        why = "over the limit" if check.outcome == "regressed" else check.reason
        return f"{check.outcome}: {why}" if why else check.outcome
    allowance = ratios.allowance(check.limit)
    if check.outcome == "regressed":
        return f"regressed: more than {allowance} {_MORE[check.unit]}"
    if check.outcome != "pass":
        return check.outcome
    return f"pass: within {allowance}{'' if check.limit_asked is None else f'; {check.reason}'}"


def describe_observation(check: Check) -> str:
    """What was seen where nothing could be concluded: `+4.3 % seen, 5 % allowed, 4 of 9 layouts beyond`."""
    parts = []
    if check.kind == "limit" and check.low is not None and check.high is not None:
        parts.append(f"{format_value(check, check.low)} to {format_value(check, check.high)} seen")
    if check.kind == "regression":
        parts += [f"{ratios.change(check.ratio - 1)} seen"] if check.ratio is not None else []
        parts.append(f"{ratios.allowance(check.limit)} allowed")
    if check.layouts:
        parts.append(f"{numbers.count(check.beyond)} of {numbers.plural(check.layouts, 'layout')} beyond")
    return ", ".join(parts)


def _fill_delta(group: CheckGroup) -> list[CheckLine]:
    result = group.result
    if result is None:
        return []
    if not bench_columns.has_numbers(result):
        has_failed = any(check.outcome == "failed" for check in group.checks)
        return (
            [] if has_failed else [CheckLine("request", "", "", "", "", bench_columns.explain_failure(result), "red")]
        )
    if result.delta_note == "reference":
        return []
    if result.max_abs_delta is None:
        note = f"not compared: {result.delta_note}" if result.delta_note else "not compared"
        return [CheckLine("max |Δ|", "", numbers.MISSING, "", "", note, "dim")]
    changes = _describe_changes(group)
    look = "red" if bench_columns.differs(result) else "dim"
    return [CheckLine("max |Δ|", "", numbers.delta(result.max_abs_delta), "", "", changes, look)]


def _describe_changes(group: CheckGroup) -> str:
    """Answers of another label, or a number on one side only; `same labels` where there are labels and all agree."""
    result = group.result
    assert result is not None
    rows = f" of {numbers.plural(result.delta_rows, 'row')}" if result.delta_rows else ""
    changes = []
    if result.label_changes:
        changes.append(f"DIFFERENT: another label in {numbers.count(result.label_changes)}{rows}")
    if result.non_finite_mismatches:
        predictions = numbers.plural(result.non_finite_mismatches, "answer")
        changes.append(f"DIFFERENT: {predictions} NaN or infinite on one side only")
    return "; ".join(changes) or ("same labels" if result.label_changes == 0 else "")


def describe_check(check: Check) -> str:
    """A check on one line, where there is no table: `p50 24.9 µs → 27.4 µs, 1.10× (1.095–1.106), regressed: …`."""
    base, own = (format_value(check, number) for number in (check.baseline, check.value))
    line = fill_line(check, None)
    ratio = " ".join(part for part in (line.ratio, line.interval) if part)
    values = " → ".join(part for part in (base, own) if part)
    return ", ".join(
        part for part in (f"{name_metric(check)} {values}".rstrip(), ratio, describe_outcome(check)) if part
    )
