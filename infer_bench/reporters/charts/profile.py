"""Charts of a profile: the phases of the request, the functions that took most, the operators of a graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from infer_bench.model import PHASES
from infer_bench.report.common import Report
from infer_bench.report.profile import ProfileResult
from infer_bench.reporters.charts.base import ROW, Chart, clean, color_of, new_figure, use_durations
from infer_bench.reporters.charts.icicle import draw_icicle
from infer_bench.reporters.charts.marks import Values
from infer_bench.reporters.profile.columns import name_function
from infer_bench.reporters.text import numbers

MOST_BARS, MOST_CHARACTERS = 15, 52


def draw_phases(report: Report[Any]) -> Chart | None:
    """A bar a candidate: what its typical request is made of."""
    results = [result for result in report.results if result.typical is not None]
    if not results:
        return None
    figure, (axis,) = new_figure(1.1 + ROW * len(results))
    start, places, values = np.zeros(len(results)), np.arange(len(results)), Values()
    for number, name in enumerate((*PHASES, "unaccounted")):
        times = np.array([_time(result, name) for result in results])
        bars = axis.barh(places, times, left=start, height=0.6, label=name, color=color_of(number if number < 3 else 7))
        values.add_bars(bars, [f"{name} {numbers.duration(round(time))}" for time in times])
        start += times
    axis.set_yticks(places, [_short(result.candidate) for result in results])
    axis.invert_yaxis()
    axis.set_xlim(left=0)
    use_durations(axis, "x")
    figure.legend(ncols=4, fontsize="small", frameon=False, loc="outside upper left")
    texts = [", ".join(f"{name} {numbers.duration(_time(result, name))}" for name in PHASES) for result in results]
    return Chart("phases", "Phases of a request", "; ".join(texts), figure, values)


def draw_functions(report: Report[Any]) -> Chart | None:
    """The functions that took most under the profiler: their own share, and beneath it that of all they call."""
    result = next((result for result in report.results if result.functions), None)
    if result is None:
        return None
    costs, whole = result.functions[:MOST_BARS], max(1, result.profiled_ns)
    labels = [name_function(cost) for cost in costs]
    figure, (axis,) = new_figure(1.1 + 0.3 * len(costs))
    places = range(len(costs))
    cumulative = [min(100.0, 100 * cost.cumulative_ns / whole) for cost in costs]
    own = [100 * cost.own_ns / whole for cost in costs]
    values = Values()
    bars = axis.barh(places, cumulative, height=0.7, color=color_of(5), alpha=0.45, label="with what it calls")
    values.add_bars(bars, [f"{label}: {share:.1f} %" for label, share in zip(labels, cumulative, strict=True)])
    bars = axis.barh(places, own, height=0.7, color=color_of(0), label="own")
    values.add_bars(bars, [f"{label}: {share:.1f} % of its own" for label, share in zip(labels, own, strict=True)])
    axis.set_yticks(places, [_short(label) for label in labels], fontsize="small")
    axis.invert_yaxis()
    axis.set_xlabel("% of the profiled time")
    figure.legend(ncols=2, fontsize="small", frameon=False, loc="outside upper left")
    text = "; ".join(f"{label} {share:.0f} %" for label, share in zip(labels[:5], cumulative, strict=False))
    return Chart("functions", "Where the time goes", text, figure, values)


def draw_operators(report: Report[Any]) -> Chart | None:
    """The operators of an ONNX graph by kind, as shares of the time in operators."""
    result = next((result for result in report.results if result.operators), None)
    if result is None:
        return None
    times: dict[str, int] = {}
    for operator in result.operators:
        times[operator.op_type] = times.get(operator.op_type, 0) + operator.mean_ns
    return _draw_bars("operators", "Operators of the graph", dict(sorted(times.items(), key=lambda item: -item[1])))


def draw_changes(report: Report[Any]) -> Chart | None:
    """Before and after, by phase, of a profile that was compared with another."""
    diff = next((result.diff for result in report.results if result.diff is not None and result.diff.phases), None)
    if diff is None:
        return None
    figure, (axis,) = new_figure(1.3 + 2 * ROW * len(diff.phases))
    places = np.arange(len(diff.phases))
    axis.barh(places - 0.2, [c.before_ns for c in diff.phases], height=0.38, color=color_of(7), label="before")
    axis.barh(places + 0.2, [c.after_ns for c in diff.phases], height=0.38, color=color_of(0), label="after")
    axis.set_yticks(places, [change.name for change in diff.phases])
    axis.invert_yaxis()
    use_durations(axis, "x")
    figure.legend(ncols=2, fontsize="small", frameon=False, loc="outside upper left")
    texts = [
        f"{c.name} {numbers.duration(c.before_ns)} before, {numbers.duration(c.after_ns)} after" for c in diff.phases
    ]
    return Chart("changes", "Before and after", "; ".join(texts), figure)


KINDS = {
    "phases": draw_phases,
    "icicle": draw_icicle,
    "functions": draw_functions,
    "operators": draw_operators,
    "changes": draw_changes,
}


def _draw_bars(kind: str, title: str, times: Mapping[str, int]) -> Chart:
    whole, entries = max(1, sum(times.values())), list(times.items())[:MOST_BARS]
    figure, (axis,) = new_figure(1.1 + 0.3 * len(entries))
    shares = [100 * time / whole for _, time in entries]
    bars = axis.barh(range(len(entries)), shares, height=0.7, color=color_of(0))
    axis.bar_label(bars, [f"{share:.1f} %" for share in shares], padding=3, fontsize="small")
    axis.set_yticks(range(len(entries)), [_short(name) for name, _ in entries], fontsize="small")
    axis.invert_yaxis()
    axis.set_xlabel("% of the time in operators")
    text = "; ".join(f"{name} {share:.0f} %" for (name, _), share in zip(entries, shares, strict=True))
    return Chart(kind, title, text, figure)


def _time(result: ProfileResult, name: str) -> float:
    if name == "unaccounted":
        return float(max(0, result.unaccounted_ns or 0))
    return float(max(0, getattr(result.typical, f"{name}_ns")))


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= MOST_CHARACTERS else f"…{text[1 - MOST_CHARACTERS :]}"
