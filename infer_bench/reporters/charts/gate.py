"""The chart of a gate: for each metric the ratio of every pair of layouts, its bounds, and the limit."""

from typing import Any

import numpy as np

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.report.gate import Check
from infer_bench.reporters.charts.base import ROW, Chart, clean, color_of, new_figure
from infer_bench.reporters.gate.groups import CheckGroup, group_checks
from infer_bench.typing import Floats


def draw_ratios(report: Report[Any]) -> Chart | None:
    """A line a metric: points are pairs of layouts, the bar is what the verdict was made by, the mark is the limit."""
    checks = _compared(report)
    if not checks:
        return None
    figure, (axis,) = new_figure(1.4 + ROW * len(checks))
    for place, (block, check) in enumerate(checks):
        _draw_check(axis, place, check, _pair_ratios(block, check.metric))
    axis.axvline(1.0, color="#808080", linewidth=1)
    axis.set_yticks(range(len(checks)), [_label(block, check, checks) for block, check in checks])
    axis.invert_yaxis()
    axis.set_xlabel("new / old: beyond 1 is slower or larger")
    return Chart("ratios", "Ratios against the limit", "; ".join(_text(check) for _, check in checks), figure)


KINDS = {"ratios": draw_ratios}


def _compared(report: Report[Any]) -> list[tuple[CheckGroup, Check]]:
    if report.gate is None:
        return []
    return [
        (block, check)
        for block in group_checks(report)
        for check in block.checks
        if check.kind == "regression" and check.ratio is not None
    ]


def _draw_check(axis: Any, place: int, check: Check, ratios: Floats) -> None:
    bad = check.outcome in ("regressed", "different", "failed")
    color = color_of(1) if bad else color_of(2) if check.outcome == "pass" else color_of(7)
    if len(ratios):
        spread = np.linspace(-0.18, 0.18, len(ratios))
        axis.scatter(ratios, place + spread, s=14, color=color, alpha=0.55, linewidths=0)
    if check.low is not None and check.high is not None:
        axis.plot([check.low, check.high], [place, place], color=color, linewidth=3, solid_capstyle="butt")
    axis.plot(check.ratio, place, marker="D", color=color, markersize=7)
    axis.plot(1 + check.limit, place, marker="|", color=color_of(1), markersize=22, markeredgewidth=2)


def _pair_ratios(block: CheckGroup, metric: str) -> Floats:
    """New over old, of the layouts that both have; empty for what is not a percentile of the request."""
    if block.result is None or block.baseline is None or not metric.startswith("p"):
        return np.zeros(0)
    share = float(metric[1:]) / 100
    new, old = (_by_layout(result, share) for result in (block.result, block.baseline))
    return np.array([new[index] / old[index] for index in sorted(new.keys() & old.keys())])


def _by_layout(result: BenchResult, share: float) -> dict[int, float]:
    """The median over a layout's rounds of the quantile in each."""
    return {
        process.index: float(np.median([np.quantile(r.request_ns, share) for r in process.rounds if r.request_ns]))
        for process in result.processes
        if any(r.request_ns for r in process.rounds)
    }


def _label(block: CheckGroup, check: Check, checks: list[tuple[CheckGroup, Check]]) -> str:
    several = len({id(b) for b, _ in checks}) > 1
    return clean(f"{check.metric}, {block.name}" if several else check.metric)


def _text(check: Check) -> str:
    bounds = f" ({check.low:.3f} to {check.high:.3f})" if check.low is not None and check.high is not None else ""
    return f"{check.metric} {check.ratio:.3f}{bounds}, limit {1 + check.limit:g}: {check.outcome}"
