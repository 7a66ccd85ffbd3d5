"""The chart of speed beside agreement: how long a request takes, and how far its answers lie from the reference's."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench.groups import BatchGroup, group_results, take_typical
from infer_bench.reporters.charts.base import Chart, clean, new_figure, use_durations
from infer_bench.reporters.charts.marks import Values, add_legend, mark_of, shorten
from infer_bench.reporters.text import numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[str, int, float, BenchResult]


def draw_deltas(report: Report[Any]) -> Chart | None:
    """A mark a candidate: its request's time, and its max |Δ|; hollow where it predicts other classes or no number.

    Of the first comparison that has two candidates of known difference, at its smallest batch size.
    """
    points = next((points for group in _list_groups(report) if len(points := _list_points(group)) > 1), None)
    if points is None:
        return None
    figure, (axis,) = new_figure(3.2)
    values = Values()
    floor = _find_floor([delta for _, _, delta, _ in points])
    for place, (name, time, delta, result) in enumerate(points):
        look = mark_of(place) | ({"markerfacecolor": "none"} if _answers_otherwise(result) else {})
        values.plot_points(
            axis, [time], [delta or floor], [_say(name, time, delta, result)], markersize=9, label=shorten(name), **look
        )
    axis.set_xscale("log")
    _use_deltas(axis, [delta for _, _, delta, _ in points], floor)
    _use_times(axis, [time for _, time, _, _ in points])
    axis.set_xlabel("time of a request")
    axis.set_ylabel("max |Δ|")
    add_legend(figure, axis)
    texts = (_say(*point) for point in points)
    return Chart("deltas", "Speed, and how far the answers are apart", "; ".join(texts), figure, values)


def _list_groups(report: Report[Any]) -> Sequence[BatchGroup]:
    return [groups[0] for groups in group_results(report.results, report.settings)]


def _list_points(group: BatchGroup) -> list[Point]:
    """Name, time in ns, max |Δ|, of whoever has both; the reference is none from itself."""
    points = []
    for result in group.results:
        delta = 0.0 if result is group.reference else result.max_abs_delta
        if result.failed or result.request is None or delta is None or not math.isfinite(delta):
            continue
        points.append((clean(group.name_row(result)), take_typical(result.request), delta, result))
    return points


def _answers_otherwise(result: BenchResult) -> bool:
    return bool(result.label_changes or result.non_finite_mismatches)


def _say(name: str, time: int, delta: float, result: BenchResult) -> str:
    apart = "equal answers" if delta == 0 else f"max |Δ| {numbers.delta(delta)}"
    labels = f", {numbers.plural(result.label_changes, 'other label')}" if result.label_changes else ""
    return f"{name}: {numbers.duration(time)}, {apart}{labels}"


def _find_floor(deltas: Sequence[float]) -> float:
    """Where no difference at all stands on a logarithmic axis: two decades below the smallest."""
    least = min((delta for delta in deltas if delta > 0), default=1.0)
    return max(10.0 ** (math.floor(math.log10(least)) - 2), 1e-323)


def _use_deltas(axis: "Axes", deltas: Sequence[float], floor: float) -> None:
    """Powers of ten, `0` at the floor."""
    largest = max((delta for delta in deltas if delta > 0), default=0.0)
    axis.set_yscale("log")
    if not largest:
        axis.set_yticks([floor], ["0"])
        axis.set_ylim(floor / 10, floor * 10)
        axis.minorticks_off()
        return
    first, last = round(math.log10(floor)) + 2, math.ceil(math.log10(largest))
    step = max(1, math.ceil((last - first + 1) / 7))
    decades = range(first, last + 1, step)
    zero = [floor] if 0 in deltas else []
    axis.set_yticks([*zero, *(10.0**d for d in decades)], [*("0" for _ in zero), *(f"1e{d}" for d in decades)])
    axis.set_ylim((floor if zero else 10.0**first) / 3, 10.0**last * 3)
    axis.minorticks_off()


def _use_times(axis: "Axes", times: Sequence[int]) -> None:
    """Room for a tick at both ends, which times that are close to one another would lack."""
    axis.set_xlim(min(times) / 1.6, max(times) * 1.6)
    use_durations(axis, "x")
