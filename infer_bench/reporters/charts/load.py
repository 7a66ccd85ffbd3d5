"""Charts of a load: the percentiles against the rate, and the latency by share of requests."""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from infer_bench.report.common import Report
from infer_bench.report.load import LoadResult
from infer_bench.reporters.charts.base import Chart, Drawer, color_of, new_figure, use_durations
from infer_bench.reporters.charts.marks import Values, add_legend, look_of, mark_of
from infer_bench.reporters.load.columns import PERCENTILES, name_rate
from infer_bench.reporters.text import numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_CURVES = ("p50", "p95", "p99")
_MOST_RESULTS = 8


def draw_knee(report: Report[Any]) -> Chart | None:
    """p50, p95 and p99 against the rate, where there are several; a hollow point is of a load that is not valid."""
    results = sorted((r for r in report.results if r.rate_asked is not None), key=lambda r: r.rate_asked or 0.0)
    if len({result.rate_asked for result in results}) < 2:
        return None
    figure, (axis,) = new_figure(3.6)
    values = Values()
    for place, name in enumerate(_CURVES):
        points = _list_points(results, name)
        if not points:
            continue
        axis.plot([x for x, _, _ in points], [y for _, y, _ in points], label=name, linewidth=1.2, **look_of(place))
        for x, y, is_valid in points:
            text = f"{x:,.4g}/s: {name} {numbers.duration(round(y))}{'' if is_valid else ', not valid'}"
            look = mark_of(place) | ({} if is_valid else {"markerfacecolor": "none"})
            values.plot_points(axis, [x], [y], [text], **look)
    bounds = [*_mark_limits(results, axis.axhline, values, _CURVES), *_mark_knee(axis, results, values)]
    axis.set_xscale("log")
    axis.set_yscale("log")
    _label(axis.xaxis, lambda rate: f"{rate:,.4g}")
    axis.set_xlabel("requests due a second")
    axis.set_ylabel("latency")
    use_durations(axis)
    add_legend(figure, axis)
    rates = ", ".join(dict.fromkeys(name_rate(result) for result in results))
    hollow = [] if all(result.valid for result in results) else ["hollow: no valid load"]
    text = "; ".join([f"p50, p95 and p99 at {rates}", *bounds, *hollow])
    return Chart("knee", "Latency against the rate", text, figure, values)


def _mark_limits(
    results: Sequence[LoadResult], draw: Callable[..., Any], values: Values, curves: Sequence[str]
) -> list[str]:
    """A dashed line a limit, in the colour of its percentile among `curves`, or grey; what they say."""
    limits = {limit.text: limit for result in results for limit in result.limits}
    for limit in limits.values():
        own = curves.index(limit.metric) if limit.metric in curves else 7
        values.add(draw(limit.limit_ns, color=color_of(own), linestyle="--", label=f"limit {limit.text}"), limit.text)
    return [f"limit {text}" for text in limits]


def _mark_knee(axis: "Axes", results: Sequence[LoadResult], values: Values) -> list[str]:
    """The highest rate at which the limits held, where there was a search for it."""
    search = next((result.search for result in results if result.search is not None), None)
    if search is None or search.low is None:
        return []
    text = f"the limits hold up to {search.low:,.4g}/s"
    values.add(axis.axvline(search.low, color=color_of(7), linestyle=":", label=text), text)
    return [text]


def _list_points(results: Sequence[LoadResult], name: str) -> list[tuple[float, float, bool]]:
    """Rate, the median over its trials, and whether one of them is valid."""
    by_rate: dict[float, list[LoadResult]] = {}
    for result in results:
        if getattr(result.latency, PERCENTILES[name]) is not None:
            by_rate.setdefault(result.rate_asked or 0.0, []).append(result)
    return [
        (rate, statistics.median(getattr(t.latency, PERCENTILES[name]) for t in trials), any(t.valid for t in trials))
        for rate, trials in by_rate.items()
    ]


def _label(ticks: "Axis", write: Callable[[float], str]) -> None:
    """Label a logarithmic axis at 1, 2 and 5 of each decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ticks.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ticks.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    ticks.set_minor_formatter(NullFormatter())


def draw_latency(report: Report[Any]) -> Chart | None:
    """The share of requests that were slower, against the latency; those without a right answer are slower than all."""
    results = [result for result in report.results if result.histogram.counts][:_MOST_RESULTS]
    if not results:
        return None
    figure, (axis,) = new_figure(3.4)
    values, names = Values(), _name_trials(results)
    for place, result in enumerate(results):
        counts = np.array(result.histogram.counts, dtype=np.float64)
        slower = 1 - np.cumsum(counts) / result.samples
        shown = slower > 0
        lows = np.array(result.histogram.low_ns, dtype=np.float64)
        axis.step(lows[shown], slower[shown], where="post", color=color_of(place), label=names[place])
    bounds = _mark_limits(results, axis.axvline, values, ())
    axis.set_xscale("log")
    axis.set_yscale("log")
    _label(axis.yaxis, lambda share: f"{share * 100:.4g} %")
    axis.set_xlabel("latency")
    axis.set_ylabel("share of requests that took longer")
    use_durations(axis, "x")
    add_legend(figure, axis)
    text = "; ".join([f"How many requests took longer, at {', '.join(names)}", *bounds])
    return Chart("latency", "Latency by share of requests", text, figure, values)


def _name_trials(results: Sequence[LoadResult]) -> list[str]:
    """Each by its rate, and where a rate was tried again by its place too: `400/s`, `400/s (try 2)`."""
    names: list[str] = []
    for place, result in enumerate(results):
        count = [name_rate(other) for other in results[:place]].count(name_rate(result))
        names.append(name_rate(result) + (f" (try {count + 1})" if count else ""))
    return names


def draw_timeline(report: Report[Any]) -> Chart | None:
    """The median and the longest latency over the measured time, and below them the requests without a right answer.

    Of several results, the last one that has them: the highest rate.
    """
    result = next((result for result in reversed(report.results) if len(result.timeline) > 1), None)
    if result is None:
        return None
    seconds = [interval.start_ns / 1e9 for interval in result.timeline]
    errors = [interval.errors for interval in result.timeline]
    figure, (axis,) = new_figure(3.6)
    values = Values()
    for place, (name, key) in enumerate((("p50", "p50_ns"), ("longest", "max_ns"))):
        times = [getattr(interval, key) or math.nan for interval in result.timeline]
        axis.plot(seconds, times, label=name, **look_of(place))
        points = [(s, t, _say_point(s, name, t)) for s, t in zip(seconds, times, strict=True) if t == t]
        if points:
            values.plot_points(axis, *zip(*points, strict=True), markersize=3, **mark_of(place))
    axis.set_yscale("log")
    axis.set_xlabel("seconds")
    axis.set_ylabel("latency from due")
    use_durations(axis)
    add_legend(figure, axis, *([_draw_errors(axis, seconds, errors, values)] if any(errors) else []))
    count = sum(errors)
    text = f"{count:,} of {sum(i.samples for i in result.timeline):,} requests without a right answer"
    return Chart("timeline", f"Latency over time at {name_rate(result)}", text, figure, values)


def _say_point(seconds: float, name: str, time: float) -> str:
    return f"{seconds:.4g} s: {name} {numbers.duration(round(time))}"


def _draw_errors(axis: "Axes", seconds: Sequence[float], errors: Sequence[int], values: Values) -> "Axes":
    """Bars on an axis of their own, at the right."""
    from matplotlib.ticker import MaxNLocator

    other = axis.twinx()
    width = min(after - before for before, after in itertools.pairwise(seconds))
    bars = other.bar(seconds, errors, width=width, align="edge", color=color_of(7), alpha=0.45, label="errors")
    values.add_bars(bars, [f"{s:.4g} s: {numbers.plural(n, 'error')}" for s, n in zip(seconds, errors, strict=True)])
    other.set_ylim(0, 3 * max(errors))
    other.set_ylabel("requests without a right answer")
    other.yaxis.set_major_locator(MaxNLocator(integer=True))
    other.spines[["top"]].set_visible(False)
    return other


KINDS: Mapping[str, Drawer] = {"knee": draw_knee, "latency": draw_latency, "timeline": draw_timeline}
