"""The chart of several runs: each candidate's p50 from run to run."""

from infer_bench.reporters.charts.base import Chart, color_of, new_figure, use_durations
from infer_bench.reporters.charts.marks import Values, add_legend, look_of, mark_of, shorten
from infer_bench.reporters.history.history import History
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name

MOST_LINES = 8
WIDE_RANGE = 10.0
"""Medians of which the largest is so many times the smallest stand on a logarithmic axis."""


def draw_trend(history: History) -> Chart | None:
    """A line a candidate over the runs, of the first eight; a run that is not comparable is a hollow mark."""
    places = {run.file: place for place, run in enumerate(history.runs)}
    figure, (axes,) = new_figure(3.8)
    texts, values, medians = [], Values(), list[int]()
    lines = history.entries()
    for index, (name, entries) in enumerate(list(lines.items())[:MOST_LINES]):
        points = [(e, e.result.request.p50_ns) for e in entries if e.result.request and e.result.request.p50_ns]
        if not points:
            continue
        color = color_of(index)
        xs, ys = [places[entry.run.file] for entry, _ in points], [p50 for _, p50 in points]
        axes.plot(xs, ys, label=shorten(name), linewidth=1.4, **look_of(index))
        for x, (entry, p50) in zip(xs, points, strict=True):
            fill = color if entry.run.comparable else "none"
            text = f"{file_name(entry.run.file)}, {name}: {numbers.duration(p50)}"
            values.plot_points(axes, [x], [p50], [text], **mark_of(index) | {"markerfacecolor": fill})
        change = f" to {numbers.duration(ys[-1])}" if len(ys) > 1 else ""
        texts.append(f"{name}: {numbers.duration(ys[0])}{change}")
        medians += ys
    if not texts:
        return None
    axes.set_xticks(list(places.values()), [shorten(file_name(file), 32) for file in places], rotation=30, ha="right")
    if max(medians) > WIDE_RANGE * min(medians):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    use_durations(axes)
    add_legend(figure, axes)
    if len(lines) > MOST_LINES:
        texts.append(f"not drawn: {len(lines) - MOST_LINES} more of the tables' candidates")
    if not all(run.comparable for run in history.runs):
        texts.append("hollow: not comparable with the first run")
    return Chart("trend", "p50 of the request, run by run", "; ".join(texts), figure, values)
