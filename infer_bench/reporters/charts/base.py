"""What a chart is: a figure with a title and a description, drawn from a report."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infer_bench.errors import MissingDependency
from infer_bench.report.common import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1f24"
"""The colour of text and axes: in a page it becomes the page's own."""
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56a0d3", "#7a5195", "#707070")
"""Okabe and Ito's palette, told apart by the colour-blind, with its yellow darkened to be read on white."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
"""A shape a series beside its colour: nothing is told by colour alone."""
WIDTH, ROW = 8.0, 0.42
"""Inches: a chart's width, and the height of a bar or a line of it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn figure. `title` and `description` say in words what it shows, for whoever does not see it.

    `values` are texts by the identifier of the mark, line or bar that they are shown for when it is pointed at.
    """

    kind: str
    title: str
    description: str
    figure: "Figure"
    values: Mapping[str, str] = field(default_factory=dict)


_NOT_TEXT = re.compile("[^\\t\\n\\r\\x20-\\u2029\\u202f-\\u2065\\u206a-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
Drawer = Callable[[Report[Any]], Chart | None]
"""Draws one kind of chart; None where the report holds nothing for it."""


def require_figure() -> type["Figure"]:
    """The library's figure. Raises `MissingDependency`."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependency("matplotlib", "charts") from None
    return Figure


def new_figure(height: float, columns: int = 1, widths: tuple[float, ...] = ()) -> tuple["Figure", list["Axes"]]:
    """An empty figure `height` inches high, with `columns` axes side by side. Raises `MissingDependency`."""
    Figure = require_figure()
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False, width_ratios=widths or None)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, axis="both", alpha=0.25, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, list(axes)


def clean(text: str) -> str:
    """Text without what no document may hold (control characters, lone surrogates) and what turns the text after it.

    Each such character is U+FFFD. With an override of the direction a file could seem to have another ending.
    """
    return _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)


def color_of(place: int) -> str:
    """The colour of the series at `place`."""
    return COLORS[place % len(COLORS)]


def marker_of(place: int) -> str:
    """The shape of the series at `place`."""
    return MARKERS[place % len(MARKERS)]


def use_durations(axis: "Axes", which: str = "y") -> None:
    """Label an axis of nanoseconds with durations: `50 µs`, `2 ms`; a logarithmic one at 1, 2 and 5 of each decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ticks = axis.yaxis if which == "y" else axis.xaxis
    if ticks.get_scale() == "log":
        ticks.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ticks.set_major_formatter(FuncFormatter(lambda value, _: tick_duration(value)))
    ticks.set_minor_formatter(NullFormatter())


def use_counts(axis: "Axes") -> None:
    """Label an axis of counts with whole numbers, a logarithmic one at 1, 2 and 5 of each decade: `1,000`."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if axis.get_yscale() == "log":
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_minor_formatter(NullFormatter())

    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def tick_duration(nanoseconds: float) -> str:
    """A tick's duration in the largest unit that it fills: `250 µs`."""
    if nanoseconds <= 0:
        return "0"
    for limit, factor, unit in ((1e3, 1.0, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms"), (float("inf"), 1e9, "s")):
        if nanoseconds < limit * 0.9995:
            return f"{nanoseconds / factor:.4g} {unit}"
    raise AssertionError("every duration is below infinity")
