"""The icicle of a profile: who calls whom, a box as wide as the time that it takes."""

from typing import TYPE_CHECKING, Any

from infer_bench.report.common import Report
from infer_bench.report.profile import CallFrame
from infer_bench.reporters.charts.base import COLORS, INK, WIDTH, Chart, clean, new_figure
from infer_bench.reporters.charts.marks import Values
from infer_bench.reporters.profile.columns import name_function

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE = 0.24
"""Inches: the height of a box."""
CHARACTERS = 17.5
"""Characters of a label an inch."""
LEAST_CHARACTERS = 4
MOST_NAMED = 6
"""Packages in the legend, the outermost first."""


def draw_icicle(report: Report[Any]) -> Chart | None:
    """The calls below a request, the outermost on top; a frame's colour is its package's."""
    result = next((result for result in report.results if result.calls), None)
    if result is None:
        return None
    depth = max(frame.depth for frame in result.calls) + 1
    figure, (axis,) = new_figure(1.0 + LINE * depth)
    axis.grid(False)
    whole = sum(frame.total_ns for frame in result.calls if frame.depth == 0)
    colors, values = _color_packages(result.calls), Values()
    for frame in result.calls:
        _draw_frame(axis, frame, whole, colors[_package(frame)], values)
    for package in [name for name in colors if name][:MOST_NAMED]:
        axis.barh(0, 0, color=colors[package], alpha=0.35, label=clean(package))
    axis.set_xlim(0, 100)
    axis.set_ylim(depth, 0)
    axis.spines[:].set_visible(False)
    axis.set_yticks([])
    axis.set_xlabel("% of the profiled time")
    figure.legend(ncols=MOST_NAMED, fontsize="small", frameon=False, loc="outside upper left")
    return Chart("icicle", "Who calls whom", _describe(result.calls, whole), figure, values)


def _draw_frame(axis: "Axes", frame: CallFrame, whole: int, color: str, values: Values) -> None:
    start, width = 100 * frame.start_ns / whole, 100 * frame.total_ns / whole
    bars = axis.barh(
        frame.depth, width, left=start, height=1, align="edge", color=color, alpha=0.35, edgecolor=INK, linewidth=0.4
    )
    values.add_bars(bars, [f"{name_function(frame)}: {width:.1f} %"])
    room = int(width / 100 * (WIDTH * 0.98) * CHARACTERS) - 1
    if room >= LEAST_CHARACTERS:
        label = _shorten(clean(frame.name.strip("<>")), room)
        axis.text(start + 0.3, frame.depth + 0.5, label, va="center", fontsize=7, clip_on=True, color=INK)


def _shorten(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _package(frame: CallFrame) -> str:
    """The package that a function belongs to; of built-in functions one for all."""
    if frame.file in ("~", "", "<built-in>"):
        return ""
    return name_function(frame).replace("\\", "/").partition("/")[0]


def _color_packages(frames: tuple[CallFrame, ...]) -> dict[str, str]:
    packages = dict.fromkeys(_package(frame) for frame in frames)
    named = [package for package in packages if package]
    return {"": COLORS[-1], **{package: COLORS[place % (len(COLORS) - 1)] for place, package in enumerate(named)}}


def _describe(frames: tuple[CallFrame, ...], whole: int) -> str:
    """The way of calls that takes most, from outside in."""
    way: list[CallFrame] = []
    rest = list(frames)
    while rest:
        top = max((frame for frame in rest if frame.depth == len(way)), key=lambda frame: frame.total_ns, default=None)
        if top is None:
            break
        way.append(top)
        end = top.start_ns + top.total_ns
        rest = [frame for frame in rest if frame.depth >= len(way) and top.start_ns <= frame.start_ns < end]
    steps = (f"{clean(frame.name)} {100 * frame.total_ns / whole:.0f} %" for frame in way)
    return f"the calls that take most: {' → '.join(steps)}"
