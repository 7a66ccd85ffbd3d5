"""The chart of several runs: each candidate's p50 from run to run."""

from infer_bench.reporters.charts.base import Chart, clean, color_of, marker_of, new_figure, use_durations
from infer_bench.reporters.history.history import History
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name

MOST_LINES = 8


def draw_trend(history: History) -> Chart | None:
    """A line a candidate over the runs, of the first eight; a run that is not comparable is a hollow mark."""
    places = {run.file: place for place, run in enumerate(history.runs)}
    figure, (axes,) = new_figure(3.8)
    texts = []
    for index, (name, entries) in enumerate(list(history.entries().items())[:MOST_LINES]):
        points = [(e, e.result.request.p50_ns) for e in entries if e.result.request and e.result.request.p50_ns]
        if not points:
            continue
        color = color_of(index)
        xs, ys = [places[entry.run.file] for entry, _ in points], [p50 for _, p50 in points]
        axes.plot(xs, ys, color=color, label=clean(name), linewidth=1.4)
        for x, (entry, p50) in zip(xs, points, strict=True):
            fill = color if entry.run.comparable else "white"
            axes.plot([x], [p50], marker_of(index), color=color, markerfacecolor=fill)
        texts.append(f"{name}: {numbers.duration(ys[0])} to {numbers.duration(ys[-1])}")
    if not texts:
        return None
    axes.set_xticks(list(places.values()), [clean(file_name(file)) for file in places], rotation=30, ha="right")
    axes.set_ylim(bottom=0)
    use_durations(axes)
    axes.legend(fontsize="small", frameon=False)
    return Chart("trend", "p50 of the request, run by run", "; ".join(texts), figure)
