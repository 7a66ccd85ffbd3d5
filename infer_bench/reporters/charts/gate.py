"""The chart of a gate: for each metric the ratio of every pair of layouts, its bounds, and the limit."""

import re
from typing import Any

import numpy as np

from infer_bench.report.bench import Process
from infer_bench.report.common import Report
from infer_bench.report.gate import Check
from infer_bench.reporters.charts.base import ROW, Chart, clean, color_of, new_figure
from infer_bench.reporters.charts.marks import Values, add_legend, shorten
from infer_bench.reporters.gate.groups import CheckGroup, group_checks
from infer_bench.stats.percentiles import quantile
from infer_bench.stats.speedup import layout_logs
from infer_bench.typing import Floats, Samples

_PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")


def draw_ratios(report: Report[Any]) -> Chart | None:
    """A line a metric: points are pairs of layouts, the bar is what the verdict was made by, the mark is the limit."""
    checks = _compared(report)
    if not checks:
        return None
    figure, (axis,) = new_figure(1.4 + ROW * len(checks))
    paired = report.gate is not None and report.gate.mode in ("sessions", "forks", "processes")
    values = Values()
    for place, (group, check) in enumerate(checks):
        _draw_check(axis, place, check, pair_ratios(group, check.metric) if paired else np.zeros(0), values)
    _explain_marks(axis, paired=paired)
    axis.axvline(1.0, color="#808080", linewidth=1)
    axis.set_yticks(range(len(checks)), [shorten(_label(group, check, checks)) for group, check in checks])
    axis.set_ylim(-0.6, len(checks) - 0.4)
    axis.invert_yaxis()
    axis.set_xlabel("new / old: beyond 1 is slower or larger")
    add_legend(figure, axis)
    text = "; ".join(_text(check) for _, check in checks)
    return Chart("ratios", "Ratios against the limit", text, figure, values)


KINDS = {"ratios": draw_ratios}


def _compared(report: Report[Any]) -> list[tuple[CheckGroup, Check]]:
    if report.gate is None:
        return []
    return [
        (group, check)
        for group in group_checks(report)
        for check in group.checks
        if check.kind == "regression" and check.ratio is not None
    ]


def _explain_marks(axis: Any, *, paired: bool) -> None:
    """Marks of the legend alone, which are drawn nowhere."""
    if paired:
        axis.plot([], [], "o", markersize=4, color=color_of(7), label="pair of layouts")
    axis.plot([], [], linewidth=3, color=color_of(7), label="bounds of the verdict")
    axis.plot([], [], "D", color=color_of(7), label="ratio")
    axis.plot([], [], "|", color=color_of(1), markersize=12, markeredgewidth=2, label="limit")


def _draw_check(axis: Any, place: int, check: Check, ratios: Floats, values: Values) -> None:
    bad = check.outcome in ("regressed", "different", "failed")
    color = color_of(1) if bad else color_of(2) if check.outcome == "pass" else color_of(7)
    if len(ratios):
        spread = np.linspace(-0.18, 0.18, len(ratios))
        texts = [f"{check.metric}: {ratio:.3f}" for ratio in ratios]
        values.plot_points(axis, ratios, place + spread, texts, marker="o", markersize=4, color=color, alpha=0.55)
    bounds = [bound for bound in (check.low, check.ratio, check.high) if bound is not None]
    axis.plot(bounds, [place] * len(bounds), color=color, linewidth=3, solid_capstyle="butt")
    (middle,) = axis.plot(check.ratio, place, marker="D", color=color, markersize=7)
    values.add(middle, _text(check))
    (limit,) = axis.plot(1 + check.limit, place, marker="|", color=color_of(1), markersize=22, markeredgewidth=2)
    values.add(limit, f"limit of {check.metric}: {1 + check.limit:g}")


def pair_ratios(group: CheckGroup, metric: str) -> Floats:
    """New over old (layouts,), as the gate takes them; empty for what is no percentile of the request."""
    share = _PERCENTILE.fullmatch(metric)
    if group.result is None or group.baseline is None or share is None:
        return np.zeros(0)
    old, new = ({p.index: p for p in result.processes} for result in (group.baseline, group.result))
    pairs = [(old[index], new[index]) for index in sorted(old.keys() & new.keys())]
    logs = layout_logs(
        [_samples(one) for one, _ in pairs],
        [_samples(other) for _, other in pairs],
        quantile(float(share[1])),
        ([one.floor_ns for one, _ in pairs], [other.floor_ns for _, other in pairs]),
        (group.baseline.calls_per_sample, group.result.calls_per_sample),
    )
    return np.exp(logs)


def _samples(process: Process) -> list[Samples]:
    return [np.asarray(r.request_ns, dtype=np.int64) for r in process.rounds]


def _label(group: CheckGroup, check: Check, checks: list[tuple[CheckGroup, Check]]) -> str:
    several = len({id(other) for other, _ in checks}) > 1
    return clean(f"{check.metric}, {group.name}" if several else check.metric)


def _text(check: Check) -> str:
    return f"{check.metric} {check.ratio:.3f}{_say_bounds(check)}, limit {1 + check.limit:g}: {check.outcome}"


def _say_bounds(check: Check) -> str:
    """Both bounds, or the one that the layouts are enough for."""
    if check.low is not None and check.high is not None:
        return f" ({check.low:.3f} to {check.high:.3f})"
    low = "" if check.low is None else f" ({check.low:.3f} at least)"
    return low if check.high is None else f" ({check.high:.3f} at most)"
