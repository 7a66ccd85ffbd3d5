"""Why each metric of a gate was judged as it was, in a sentence: what was measured, its bounds, and the limit. Pure."""

from infer_bench.report.gate import Check, Gate
from infer_bench.reporters.gate.columns import fill_line, format_bound, format_value, name_metric
from infer_bench.reporters.text import numbers, ratios

_STATUS = {
    "pass": "passes",
    "regressed": "regressed",
    "inconclusive": "is inconclusive",
    "different": "is different",
    "advisory": "is shown and not judged",
    "failed": "was not judged",
}


def explain_check(check: Check, gate: Gate) -> str:
    """`p50 regressed: 1.10× (1.095–1.106), the median of 9 pairs, where 5 % on top are allowed; 9 of 9 lie beyond`."""
    parts = [_describe_measured(check, gate), _describe_grounds(check), check.reason]
    text = "; ".join(part for part in parts if part)
    return f"{name_metric(check)} {_STATUS[check.outcome]}{': ' if text else ''}{text}."


def _describe_measured(check: Check, gate: Gate) -> str:
    if check.outcome == "failed" or check.value is None:
        return ""
    value, allowed = format_value(check, check.value), f"where {format_bound(check)} is allowed"
    if check.kind == "delta":
        return f"{value} at the most, {allowed}"
    if check.kind == "limit":
        bounds = [format_value(check, bound) for bound in (check.low, check.high) if bound is not None]
        seen = f" ({' to '.join(bounds)})" if len(bounds) == 2 else ""
        return f"{value}{seen}{_name_median(check, gate)}, {allowed}"
    if check.ratio is None:
        return ""
    line = fill_line(check, None)
    share = ratios.allowance(check.limit if check.limit_asked is None else check.limit_asked)
    bounds_text = f" {line.interval}" if line.interval else ""
    return f"{line.ratio} the baseline{bounds_text}{_name_median(check, gate)}, where {share} on top is allowed"


def _name_median(check: Check, gate: Gate) -> str:
    """What the value is the median of; nothing for a file's size, which is known."""
    if check.layouts < 2:
        return ""
    kind = {"sessions": "pair of layouts", "forks": "pair", "processes": "pair"}.get(gate.mode, "process")
    if check.kind == "limit":
        kind = "layout"
    plural = {"pair of layouts": "pairs of layouts", "process": "processes"}.get(kind, f"{kind}s")
    return f", the median of {numbers.plural(check.layouts, kind, plural)}"


def _describe_grounds(check: Check) -> str:
    """What the outcome rests on: the bound on this or that side of the limit, or how many layouts lie beyond it."""
    if check.kind == "delta" or check.outcome in ("advisory", "failed", "different") or check.layouts < 2:
        return ""
    if check.outcome == "pass":
        within = "the upper bound lies within that" if check.limit_asked is None else _describe_wider(check)
        sight = f", and {ratios.at_least(check.would_see)} would have been seen" if check.would_see else ""
        return f"{within}{sight}"
    beyond = f"{numbers.count(check.beyond)} of {numbers.count(check.layouts)}"
    if check.outcome == "regressed" and check.low is not None:
        return f"the lower bound lies beyond that, as do {beyond}"
    return f"{beyond} lie beyond that"


def _describe_wider(check: Check) -> str:
    return f"the upper bound lies within {ratios.allowance(check.limit)}, the least that this sample tells"
