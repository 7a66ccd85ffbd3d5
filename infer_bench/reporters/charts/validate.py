"""Charts of a comparison, of its first candidate: how far values lie apart, and how many rows the causes explain."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from infer_bench.report.common import Report
from infer_bench.report.validate import ValidateResult
from infer_bench.reporters.charts.base import ROW, Chart, clean, color_of, new_figure, use_counts
from infer_bench.reporters.charts.marks import Values, add_legend, shorten
from infer_bench.reporters.text import numbers

EXACT = "exact"
MOST_LABELS = 10
"""Powers of ten with a label below the bars."""


def draw_differences(report: Report[Any]) -> Chart | None:
    """Values by |Δ|, a decade a bar, with the tolerance: the first group's (the user's rows) beside all others'."""
    result = _first(report)
    if result is None:
        return None
    counts = {clean(group.name): group.histogram for group in result.groups if group.histogram}
    if not counts:
        return None
    decades = _decades(counts, result.atol)
    figure, (axis,) = new_figure(3.4)
    values, series = Values(), _join_others(counts)
    width = 0.9 / len(series)
    for place, (name, histogram) in enumerate(series.items()):
        heights = [histogram.get(EXACT, 0), *(histogram.get(str(d), 0) for d in decades)]
        lefts = np.arange(len(heights)) - 0.45 + place * width
        bars = axis.bar(lefts, heights, width=width, align="edge", color=color_of(2 * place), label=shorten(name))
        values.add_bars(
            bars, [f"{name}, {where}: {n:,}" for where, n in zip(_name_bars(decades), heights, strict=True)]
        )
    _label_decades(axis, decades)
    axis.set_yscale("symlog", linthresh=1)
    use_counts(axis)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("|Δ| of a value")
    axis.set_ylabel("values")
    _mark_tolerance(axis, result.atol, decades)
    add_legend(figure, axis)
    return Chart("differences", "How far predictions lie apart", _text(counts, result), figure, values)


def _join_others(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The first group, and all others in one: beside each other, since heights on a logarithmic axis do not add up."""
    (name, first), *others = counts.items()
    if not others:
        return {name: first}
    total: dict[str, int] = {}
    for key, count in (item for _, histogram in others for item in histogram.items()):
        total[key] = total.get(key, 0) + count
    names = [other for other, _ in others]
    return {name: first, names[0] if len(names) == 1 else "all other rows": total}


def _name_bars(decades: list[int]) -> list[str]:
    return ["equal", *(f"|Δ| from 1e{d} to 1e{d + 1}" for d in decades)]


def draw_causes(report: Report[Any]) -> Chart | None:
    """The rows that the causes explain, together where they were found together, and those that nothing explains."""
    result = _first(report)
    if result is None or not result.causes:
        return None
    counts = _count_explained(result)
    figure, (axis,) = new_figure(1.1 + ROW * len(counts))
    colors = [color_of(0)] * len(counts)
    if result.not_explained:
        colors[-1] = color_of(1)
    bars = axis.barh(range(len(counts)), [count for _, count in counts], height=0.6, color=colors)
    values = Values()
    values.add_bars(bars, [f"{name}: {count:,} rows" for name, count in counts])
    axis.margins(x=0.1)
    axis.bar_label(bars, [f"{count:,}" for _, count in counts], padding=3, fontsize="small")
    axis.set_yticks(range(len(counts)), [shorten(name) for name, _ in counts])
    axis.invert_yaxis()
    axis.set_xlabel("rows")
    text = "; ".join(f"{name}: {count:,} rows" for name, count in counts)
    return Chart("causes", "Causes", text, figure, values)


def _count_explained(result: ValidateResult) -> list[tuple[str, int]]:
    """Names and rows. Causes that were found jointly each count what all of them explain: they share a bar."""
    together: dict[int, list[str]] = {}
    for cause in result.causes:
        together.setdefault(cause.rows_explained, []).append(clean(cause.name))
    counts = [(" + ".join(dict.fromkeys(names)), rows) for rows, names in together.items()]
    return [*counts, ("not explained", result.not_explained)] if result.not_explained else counts


KINDS = {"differences": draw_differences, "causes": draw_causes}


def _first(report: Report[Any]) -> ValidateResult | None:
    return next((result for result in report.results if result.groups), None)


def _decades(counts: Mapping[str, Mapping[str, int]], atol: float) -> list[int]:
    """From the smallest decade that holds anything to the largest, that of the tolerance with them."""
    filled = [int(key) for histogram in counts.values() for key in histogram if key.lstrip("-").isdigit()]
    filled += [math.floor(math.log10(atol))] if atol > 0 and filled else []
    return list(range(min(filled), max(filled) + 1)) if filled else []


def _label_decades(axis: Any, decades: list[int]) -> None:
    """`0` under the first bar, and as many powers of ten as have room, each where its bar begins."""
    step = max(1, math.ceil(len(decades) / MOST_LABELS))
    spaced = [d for d in decades if d % step == 0 and (step == 1 or d > decades[0])]
    marks = {0.0: "0"} | {d - decades[0] + 0.5: f"1e{d}" for d in spaced}
    axis.set_xticks(list(marks), list(marks.values()))


def _mark_tolerance(axis: Any, atol: float, decades: list[int]) -> None:
    """A line where the tolerance lies between the bars, whose left edges are powers of ten."""
    if not decades or atol <= 0:
        return
    place = np.log10(atol) - decades[0] + 0.5
    if -0.5 <= place <= len(decades) + 0.5:
        axis.axvline(place, color=color_of(1), linewidth=1.6, linestyle="--", label=f"tolerance {numbers.limit(atol)}")


def _text(counts: Mapping[str, Mapping[str, int]], result: ValidateResult) -> str:
    worst = max((group.max_abs_delta for group in result.groups), default=0.0)
    exact = sum(histogram.get(EXACT, 0) for histogram in counts.values())
    total = sum(sum(histogram.values()) for histogram in counts.values())
    text = f"{exact:,} of {total:,} values are equal; the largest difference is {numbers.delta(worst)}"
    return f"{text}, tolerance {numbers.limit(result.atol)}"
