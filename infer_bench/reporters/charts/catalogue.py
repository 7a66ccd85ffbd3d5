"""Which charts a report has: the kinds of its command, and drawing one or all of them."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from infer_bench.errors import UsageError
from infer_bench.report.common import Report
from infer_bench.reporters.charts import bench, gate, load, profile, validate
from infer_bench.reporters.charts.base import Chart, Drawer, require_figure
from infer_bench.reporters.charts.files import render_png, render_svg, style
from infer_bench.reporters.charts.history import draw_trend
from infer_bench.reporters.history.history import History

ENDINGS = (".svg", ".png")
_KINDS: Mapping[str, Mapping[str, Drawer]] = {
    "bench": bench.KINDS,
    "gate": {**gate.KINDS, **bench.KINDS},
    "load": load.KINDS,
    "validate": validate.KINDS,
    "profile": profile.KINDS,
}


def kinds(report: Report[Any]) -> Mapping[str, Drawer]:
    """The charts that a report may have, the most telling first; none for a command without numbers to draw."""
    return _KINDS.get("gate" if report.gate is not None else report.command, {})


def draw_charts(report: Report[Any]) -> Iterator[Chart]:
    """Every chart that the report holds numbers for. Raises `MissingDependency` without matplotlib."""
    for draw in kinds(report).values():
        with _drawing():
            chart = draw(report)
        if chart is not None:
            yield chart


def render_chart(report: Report[Any], ending: str, kind: str | None = None) -> bytes:
    """A chart as the bytes of a file with that ending (`.svg`, `.png`); the first kind that the report has, or `kind`.

    Raises:
        UsageError: no such ending or kind, or the report holds nothing for it.
        MissingDependency: matplotlib is not installed.
    """
    if ending not in ENDINGS:
        raise UsageError(f"a chart is no {ending or 'file without an ending'}", f"name it with {' or '.join(ENDINGS)}")
    chart = draw_chart(report, kind)
    return render_svg(chart).encode() if ending == ".svg" else render_png(chart)


def draw_history(history: History) -> Iterator[Chart]:
    """The trend of several runs, where they hold numbers for it. Raises `MissingDependency` without matplotlib."""
    with _drawing():
        chart = draw_trend(history)
    if chart is not None:
        yield chart


def draw_chart(report: Report[Any], kind: str | None = None) -> Chart:
    """The first chart that the report has, or that of `kind`. Raises as `render_chart` does."""
    chart = _first_chart(report) if kind is None else _chart_of(report, kind)
    if chart is None:
        which = f"the chart {kind!r}" if kind else "a chart"
        others = ", ".join(other.kind for other in draw_charts(report))
        hint = f"it has: {others}" if others else "measure something first"
        raise UsageError(f"this report of {report.command} holds nothing for {which}", hint)
    return chart


def check_chart(command: str, ending: str) -> None:
    """See that a chart can be drawn of `command`'s reports. Raises as `render_chart` does, before there is one."""
    if ending not in ENDINGS:
        raise UsageError(f"a chart is no {ending or 'file without an ending'}", f"name it with {' or '.join(ENDINGS)}")
    if command not in _KINDS:
        raise UsageError(f"there is no chart of a report of {command}", f"there are of: {', '.join(sorted(_KINDS))}")
    require_figure()


def _first_chart(report: Report[Any]) -> Chart | None:
    return next(draw_charts(report), None)


def _chart_of(report: Report[Any], kind: str) -> Chart | None:
    drawers = kinds(report)
    if kind not in drawers:
        names = ", ".join(drawers) or "none"
        raise UsageError(f"a report of {report.command} has no chart {kind!r}", f"it has: {names}")
    with _drawing():
        return drawers[kind](report)


@contextlib.contextmanager
def _drawing() -> Iterator[None]:
    """The style to draw in; without matplotlib none, so that the drawer says what is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        yield
        return
    with style():
        yield
