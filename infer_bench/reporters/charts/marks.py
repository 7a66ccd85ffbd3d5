"""What can be pointed at in a chart, with the value it stands for; names that fit, and the legend above the axes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from infer_bench.reporters.charts.base import WIDTH, clean, color_of, marker_of
from infer_bench.typing import Floats

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST_NAME = 48
MOST_POINTS = 240
"""Points of a chart that show their values: more would make the page large."""
LEGEND_CHARACTERS, LEGEND_LINE = 14.0, 0.19
"""Characters of a legend's text an inch, and the inches that a line of it is high."""
DASHES = ("-", "--", ":", "-.")

Points = Sequence[float] | Floats
"""Places on an axis."""


class Values(dict[str, str]):
    """Texts by the identifier of what they are shown for."""

    def add(self, artist: "Artist", text: str) -> None:
        """Show `text` where `artist` is pointed at."""
        identifier = f"value{len(self)}"
        artist.set_gid(identifier)
        self[identifier] = clean(text)

    def add_bars(self, bars: Any, texts: Sequence[str]) -> None:
        """The same for each of a container's bars."""
        for bar, text in zip(bars, texts, strict=True):
            self.add(bar, text)

    def plot_points(self, axis: "Axes", xs: Points, ys: Points, texts: Sequence[str], **look: Any) -> None:
        """A mark a point; beyond `MOST_POINTS` without values."""
        if len(self) + len(xs) > MOST_POINTS:
            axis.plot(xs, ys, linestyle="none", **look)
            return
        for x, y, text in zip(xs, ys, texts, strict=True):
            (mark,) = axis.plot([x], [y], linestyle="none", **look)
            self.add(mark, text)


def look_of(place: int) -> dict[str, Any]:
    """The line of the series at `place`, of another dash where colours begin again."""
    return {"color": color_of(place), "linestyle": DASHES[place // 8 % len(DASHES)]}


def mark_of(place: int) -> dict[str, Any]:
    """The mark of the series at `place`; the shapes do not begin again together with the colours."""
    return {"color": color_of(place), "marker": marker_of(place + place // 8)}


def shorten(name: str, limit: int = LONGEST_NAME) -> str:
    """A name of at most `limit` characters: what is left out stands in its middle, where names differ least."""
    name = clean(name)
    if len(name) <= limit:
        return name
    tail = (limit - 1) // 2
    return f"{name[: limit - 1 - tail]}…{name[len(name) - tail :]}"


def add_legend(figure: "Figure", axis: "Axes", *others: "Axes") -> None:
    """One legend above the axes, in as many columns as there is room for; the figure grows by its lines."""
    pairs = [axes.get_legend_handles_labels() for axes in (axis, *others)]
    handles = [handle for found, _ in pairs for handle in found]
    labels = [label for _, texts in pairs for label in texts]
    if not labels:
        return
    room = max(1, math.floor(WIDTH / (max(map(len, labels)) / LEGEND_CHARACTERS + 0.65)))
    columns = min(room, len(labels), 4)
    figure.set_figheight(figure.get_figheight() + LEGEND_LINE * (math.ceil(len(labels) / columns) - 1))
    figure.legend(handles, labels, ncols=columns, fontsize="small", frameon=False, loc="outside upper left")
