"""Charts of a bench: how the request is distributed, what it is made of, and throughput against batch size."""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from infer_bench.model import PHASES
from infer_bench.report.bench import BenchResult, Process
from infer_bench.report.common import Report
from infer_bench.reporters.bench.crossover import find_crossovers, list_rated, name_size
from infer_bench.reporters.bench.groups import (
    BatchGroup,
    group_results,
    name_candidate,
    name_models,
    take_typical,
)
from infer_bench.reporters.bench.sentences.sweep import describe_sweep
from infer_bench.reporters.charts.base import (
    INK,
    ROW,
    Chart,
    clean,
    color_of,
    new_figure,
    use_counts,
    use_durations,
)
from infer_bench.reporters.charts.deltas import draw_deltas
from infer_bench.reporters.charts.marks import Values, add_legend, look_of, mark_of, shorten
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name
from infer_bench.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVE_POINTS = 48
TAIL_SAMPLES = 5
"""A quantile is drawn where so many samples lie beyond it: fewer are noise."""
NEAREST_RANK: Literal["inverted_cdf"] = "inverted_cdf"
"""What numpy calls the percentile that the tables show: a value that was measured, nothing interpolated."""
WIDE_RANGE = 3.0
"""Values of which the largest is so many times the smallest stand on a logarithmic axis."""
MOST_TICKS = 15
LABELLED = (0.5, 0.9, 0.99, 0.999, 0.9999)


def draw_latency(report: Report[Any]) -> Chart | None:
    """The request's percentile curve of each candidate, and beside it the median of each layout, at the first batch."""
    results = _first_batch(report)
    curves = [(label, _corrected_samples(r)) for label, r in zip(_labels(results), results, strict=True)]
    if not curves:
        return None
    figure, (left, right) = new_figure(3.8, 2, (3.0, 2.0))
    values = Values()
    for place, (name, samples) in enumerate(curves):
        _draw_curve(left, place, name, samples, values)
    _use_percentiles(left, max(len(samples) for _, samples in curves))
    left.set_title("percentiles of the request")
    _draw_layouts(right, results, values)
    add_legend(figure, left)
    texts = [f"{name}: {_describe_middle(result)}" for (name, _), result in zip(curves, results, strict=True)]
    return Chart("latency", f"Latency of {_what(results[0].batch)}", "; ".join(texts), figure, values)


def _draw_curve(axis: "Axes", place: int, name: str, samples: Floats, values: Values) -> None:
    """A line, with a mark at each percentile that the axis names."""
    quantiles = _curve(len(samples))
    times = np.quantile(samples, quantiles, method=NEAREST_RANK)
    axis.plot(1 / (1 - quantiles), times, label=shorten(name), linewidth=1.8, **look_of(place))
    shares = _list_labelled(len(samples))
    marks = [float(np.quantile(samples, share, method=NEAREST_RANK)) for share in shares]
    texts = [f"{name}: p{100 * s:g} {numbers.duration(round(m))}" for s, m in zip(shares, marks, strict=True)]
    values.plot_points(axis, [1 / (1 - share) for share in shares], marks, texts, markersize=4, **mark_of(place))


def draw_phases(report: Report[Any]) -> Chart | None:
    """A bar a candidate, of its phases' typical times, at the first batch size."""
    results = [result for result in _first_batch(report) if result.phases is not None]
    if not results:
        return None
    figure, (axis,) = new_figure(1.1 + ROW * len(results))
    places = np.arange(len(results))
    start, names, values = np.zeros(len(results)), _labels(results), Values()
    for number, phase in enumerate(PHASES):
        times = np.array([max(0, take_typical(getattr(result.phases, phase))) for result in results], dtype=np.float64)
        bars = axis.barh(places, times, left=start, color=color_of(number), label=phase, height=0.6)
        texts = [f"{name}: {phase} {numbers.duration(round(t))}" for name, t in zip(names, times, strict=True)]
        values.add_bars(bars, texts)
        start += times
    axis.set_yticks(places, [shorten(name) for name in names])
    axis.invert_yaxis()
    axis.set_xlim(left=0)
    use_durations(axis, "x")
    add_legend(figure, axis)
    text = "; ".join(itertools.starmap(_phase_text, zip(names, results, strict=True)))
    return Chart("phases", "Phases of a request", text, figure, values)


def draw_throughput(report: Report[Any]) -> Chart | None:
    """Rows a second against batch size, a line a candidate; marked where another one takes the lead."""
    groups = _by_batch(report)
    series = _series(groups)
    if len(groups) < 2 or not series:
        return None
    figure, (axis,) = new_figure(3.6)
    values = Values()
    for place, (name, points) in enumerate(series.items()):
        batches, rates = zip(*points, strict=True)
        axis.plot(batches, rates, label=shorten(name), linewidth=1.8, **look_of(place))
        texts = [f"{name}: {numbers.rate(rate)} rows/s at batch {batch:,}" for batch, rate in points]
        values.plot_points(axis, batches, rates, texts, **mark_of(place))
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks([g.batch for g in groups], [f"{g.batch:,}" for g in groups])
    axis.minorticks_off()
    axis.set_xlabel("batch size")
    axis.set_ylabel("rows per second")
    use_counts(axis)
    _mark_crossovers(axis, groups)
    add_legend(figure, axis)
    models = ", ".join(clean(file_name(info.path)) for info in groups[0].models)
    title = f"Throughput of {models} against batch size"
    return Chart("throughput", title, describe_sweep(groups) or _excuse(groups), figure, values)


def _mark_crossovers(axis: "Axes", groups: Sequence[BatchGroup]) -> None:
    """A band over the sizes at which neither is shown to be faster, and a line where they are equally fast."""
    for crossover in find_crossovers(groups):
        axis.axvspan(crossover.low, crossover.high, alpha=0.15, color="#808080", linewidth=0)
        if crossover.batch is not None:
            axis.axvline(crossover.batch, color=INK, linewidth=1, linestyle="--")
            text = f" {name_size(crossover.batch)}"
            axis.annotate(text, (crossover.batch, 1), xycoords=("data", "axes fraction"), va="top", fontsize="small")


KINDS = {"latency": draw_latency, "phases": draw_phases, "throughput": draw_throughput, "deltas": draw_deltas}


def _describe_middle(result: BenchResult) -> str:
    """The middle of the request as the tables have it: the chart must not say another number."""
    assert result.request is not None
    name = "mean" if result.request.p50_ns is None else "p50"
    return f"{name} {numbers.duration(take_typical(result.request))}"


def _excuse(groups: Sequence[BatchGroup]) -> str:
    """Why nothing is said of who leads."""
    if max(len(list_rated(group)) for group in groups) < 2:
        return "one candidate"
    return "no candidate is shown to lead: one process gives no interval"


def _what(batch: int) -> str:
    return "one request" if batch == 1 else f"a batch of {batch:,}"


def _by_batch(report: Report[Any]) -> Sequence[BatchGroup]:
    """The groups of the first model that has a measurement."""
    for groups in group_results(report.results, report.settings):
        if any(_has_samples(result) for g in groups for result in g.results):
            return groups
    return ()


def _first_batch(report: Report[Any]) -> list[BenchResult]:
    """What was measured of all models at the smallest batch size."""
    results = [result for result in report.results if _has_samples(result)]
    smallest = min((result.batch for result in results), default=0)
    return [result for result in results if result.batch == smallest]


def _labels(results: Sequence[BenchResult]) -> list[str]:
    """A name a candidate, with its model where there are several; said where a sample is the mean of several calls."""
    models = name_models(result.model.path for result in results)
    return [clean(_label(result, models[result.model.path] if len(models) > 1 else "")) for result in results]


def _label(result: BenchResult, model: str) -> str:
    name = f"{model}, {name_candidate(result)}" if model else name_candidate(result)
    means = result.request is not None and result.request.unit == "batch-mean"
    return f"{name} (means of several calls)" if means else name


def _has_samples(result: BenchResult) -> bool:
    measured = not result.failed and result.request is not None
    return measured and any(_was_measured(process) for process in result.processes)


def _was_measured(process: Process) -> bool:
    return any(r.request_ns for r in process.rounds)


def _corrected_samples(result: BenchResult) -> Floats:
    """One call each, in ns, the loop's floor taken off: all processes pooled, sorted."""
    parts = [_process_samples(process) for process in result.processes if _was_measured(process)]
    return np.sort(np.concatenate(parts))


def _process_samples(process: Process) -> Floats:
    parts = [
        np.asarray(r.request_ns, dtype=np.float64) / max(1, r.calls_per_sample)
        - process.floor_ns / max(1, r.calls_per_sample)
        for r in process.rounds
    ]
    return np.maximum(np.concatenate(parts), 1.0)


def _curve(samples: int) -> Floats:
    """Quantiles evenly spaced in nines, up to the last that `samples` carry."""
    most = max(0.5, 1 - TAIL_SAMPLES / max(1, samples))
    return 1 - np.geomspace(1.0, 1 - most, CURVE_POINTS)


def _list_labelled(samples: int) -> list[float]:
    """The percentiles that are marked, as far as `samples` carry them: of ten samples and fewer not even the p50."""
    return [share for share in LABELLED if share <= 1 - TAIL_SAMPLES / max(1, samples)]


def _use_percentiles(axis: Any, samples: int) -> None:
    shares = _list_labelled(samples) or [0.5]
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks([1 / (1 - share) for share in shares], [f"p{100 * share:g}" for share in shares])
    axis.minorticks_off()
    use_durations(axis)


def _draw_layouts(axis: Any, results: Sequence[BenchResult], shown: Values) -> None:
    """A point a layout (a process, or a session loaded anew): how far one placement in memory is from another."""
    medians = [
        [float(np.median(_process_samples(p))) for p in result.processes if _was_measured(p)] for result in results
    ]
    for place, values in enumerate(medians):
        spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(1)
        texts = [f"candidate {place + 1}: {numbers.duration(round(value))}" for value in values]
        shown.plot_points(axis, place + spread, values, texts, markersize=5, alpha=0.8, **mark_of(place))
    if max(map(max, medians)) > WIDE_RANGE * min(map(min, medians)):
        axis.set_yscale("log")
    places = range(0, len(results), math.ceil(len(results) / MOST_TICKS))
    axis.set_xticks(places, [str(place + 1) for place in places])
    axis.set_xlim(-0.5, len(results) - 0.5)
    axis.set_xlabel("candidate, in the order of the legend")
    axis.set_title("median of each layout")
    use_durations(axis)


def _phase_text(name: str, result: BenchResult) -> str:
    times = [f"{phase} {numbers.duration(take_typical(getattr(result.phases, phase)))}" for phase in PHASES]
    return f"{name}: {', '.join(times)}"


def _series(groups: Sequence[BatchGroup]) -> dict[str, list[tuple[int, float]]]:
    series: dict[str, list[tuple[int, float]]] = {}
    for g in groups:
        for result in g.results:
            if result.rows_per_s is not None and not result.failed:
                series.setdefault(clean(g.name_row(result)), []).append((g.batch, result.rows_per_s))
    return series
