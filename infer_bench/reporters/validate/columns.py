"""What a comparison found, in the columns and sentences that every reporter of text shares. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from infer_bench.report.common import Report, Verdict
from infer_bench.report.validate import LABEL, Cause, ComparedModel, ValidateGroup, ValidateResult, WorstRow
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name
from infer_bench.reporters.text.rounding import describe_errors, find_worst, format_multiple
from infer_bench.reporters.validate import tensors

SHOWN_WORST = 3
_BARS = 20
_DECADES = 8


def write_heading(result: ValidateResult) -> str:
    """Both sides, with what each library was fed."""
    return f"{_name_side(result.reference)} against {_name_side(result.candidate)}"


def _name_side(side: ComparedModel) -> str:
    return f"{side.title} ({side.engine}{', fed ' + side.fed if side.fed else ''})"


def write_verdict(verdict: Verdict, results: Sequence[ValidateResult]) -> str:
    """`different: …` or `pass: same answers`; a part of a comparison may have nothing to compare."""
    nothing = not any(result.groups for result in results)
    same = "nothing was compared, for this part has no rows" if nothing else "same answers"
    return f"{verdict.status}: {'; '.join(verdict.reasons) or same}"


def describe_conditions(report: Report[Any], result: ValidateResult) -> str:
    """What was compared on, what the numbers mean, and the tolerance."""
    data = sum(group.rows for group in result.groups if group.name == "data")
    stacked = sum(group.rows for group in result.groups if group.name == "stacked")
    probes = sum(group.rows for group in result.groups if group.name not in ("data", "stacked"))
    source = file_name(str(report.settings.get("data") or ""))
    network = tensors.are_tensors(result.groups)
    part = f" (part {report.part.index} of {report.part.of})" if report.part else ""
    rows = [f"{numbers.plural(data, 'request' if network else 'row')} of {source}{part}"] if data else []
    rows += [numbers.plural(probes, "drawn request" if network else "probe")] if probes else []
    rows += [f"{stacked} stacked"] if stacked else []
    parts = [" + ".join(rows), result.output_meaning, "" if _is_labels(result) else _format_tolerance(result)]
    threshold = report.settings.get("threshold")
    parts += [f"threshold {threshold:g}"] if threshold is not None else []
    return " · ".join(part for part in parts if part)


def _is_labels(result: ValidateResult) -> bool:
    """Whether labels alone were compared."""
    return result.output_meaning == LABEL


def _format_tolerance(result: ValidateResult) -> str:
    if result.by_rounding:
        return "tolerance: what float32 rounds"
    if tensors.are_exact(result.groups):
        return "compared exactly"
    atol = numbers.limit(result.atol)
    return f"tolerance {_add_relative(atol, result)}"


def select_columns(report: Report[Any], results: Sequence[ValidateResult]) -> dict[str, str]:
    """The columns that say something: key → title."""
    groups = [group for result in results for group in result.groups]
    deltas = {"max": "max |Δ|", "mean": "mean |Δ|", "p999": "p99.9"}
    titles = {"n": "n"} if results and all(map(_is_labels, results)) else {"n": "n", **deltas}
    titles = dict(tensors.TITLES) if tensors.are_tensors(groups) else titles
    if report.settings.get("threshold") is not None:
        titles["flips"] = "flips"
    if any(group.label_changes is not None for group in groups):
        titles["labels"] = "labels"
    if any(group.non_finite_mismatches for group in groups):
        titles["nonfinite"] = "NaN/inf"
    if any(_count_refused(group) for group in groups if _judge_group(group) != "refused"):
        titles["refused"] = "refused"
    if any(result.output_meaning == "score" for result in results):
        titles["rank"] = "rank ρ"
    if any(group.rounding for group in groups):
        titles["rounding"] = "error"
    return {**titles, "verdict": ""}


def fill_columns(group: ValidateGroup) -> dict[str, str]:
    """One group's line."""
    if _judge_group(group) == "refused":
        return {"n": numbers.count(group.rows), "verdict": "refused"}
    return {
        "n": numbers.count(group.rows),
        "max": numbers.delta(group.max_abs_delta),
        "mean": numbers.delta(group.mean_abs_delta),
        "p999": numbers.delta(group.p999_abs_delta),
        "flips": numbers.count(group.flips),
        "labels": numbers.MISSING if group.label_changes is None else numbers.count(group.label_changes),
        "nonfinite": numbers.count(group.non_finite_mismatches),
        "refused": numbers.count(_count_refused(group)),
        "rank": numbers.correlation(group.rank_correlation),
        "rounding": format_multiple(group.rounding),
        "verdict": _judge_group(group),
    }


def _judge_group(group: ValidateGroup) -> str:
    if group.failing:
        return "DIFFERENT"
    return "refused" if group.rows and _count_refused(group) == group.rows else "ok"


def _count_refused(group: ValidateGroup) -> int:
    """Rows that a side refuses, or both."""
    return group.refusals + group.refused_by_both + group.answered_though_refused


def fill_output_lines(group: ValidateGroup) -> list[tuple[str, Mapping[str, str]]]:
    """The outputs of a group that differs and has several, the worst first; of a network all."""
    if tensors.are_tensors([group]):
        return tensors.fill_lines(group)
    if len(group.outputs) < 2 or not group.failing:
        return []
    worst = sorted(group.outputs, key=lambda output: -output.max_abs_delta)[:SHOWN_WORST]
    return [
        (
            output.output,
            {
                "max": numbers.delta(output.max_abs_delta),
                "mean": numbers.delta(output.mean_abs_delta),
                "p999": numbers.delta(output.p999_abs_delta),
            },
        )
        for output in worst
        if output.max_abs_delta
    ]


def explain_difference(result: ValidateResult) -> list[str]:
    """The causes, each with the first decision that came out otherwise; or that there is none."""
    if not result.different:
        return []
    noun = name_rows(result).removesuffix("s")
    lines = [_describe_cause(cause, noun) for cause in result.causes]
    lines += [line for group in result.groups for line in tensors.explain(group)]
    if result.why:
        lines.append(f"{result.why[0].upper()}{result.why[1:]}.")
    return lines or ["Not explained."]


def _describe_cause(cause: Cause, noun: str) -> str:
    examined = numbers.plural(cause.rows_examined, f"differing {noun}")
    share = f"Explains {numbers.count(cause.rows_explained)} of {examined}"
    return f"{cause.name}: {cause.detail}. {share} looked at."


def locate_first(result: ValidateResult) -> str:
    """The first decision that comes out otherwise; empty where none was found."""
    cause = next((cause for cause in result.causes if cause.tree is not None), None)
    if cause is None or cause.row is None:
        return ""
    where = f"row {numbers.count(cause.row)} of {cause.group}"
    value = "missing" if cause.value is None else repr(cause.value)
    return f"{where}, {cause.feature} = {value}, tree {cause.tree}, split {cause.split}"


def find_fix(result: ValidateResult) -> str:
    """What mends it; empty where nothing is known to."""
    return next((cause.fix for cause in result.causes if cause.fix), "")


def describe_rounding(result: ValidateResult) -> str:
    """Both sides' errors against float64 in the group where the candidate's is the most multiples; else empty."""
    worst = find_worst(group.rounding for group in result.groups)
    if worst is None:
        return ""
    against = "against float64 " if worst.method == "float64" else ""
    return f"Error {against}(RMS): {describe_errors(worst, 'of the reference')}."


def describe_passing(result: ValidateResult) -> str:
    """The tolerance that would pass."""
    if not result.groups or (_is_labels(result) and not result.different):
        return ""
    if result.smallest_passing_atol is None:
        return "No tolerance would pass: " + "; ".join(_count_obstacles(result)) + "."
    smallest = _add_relative(numbers.tolerance(result.smallest_passing_atol), result)
    return f"Smallest tolerance that would pass: {smallest}"


def _add_relative(atol: str, result: ValidateResult) -> str:
    """The absolute tolerance with the relative one beside it, where there is one."""
    return f"{atol} + {numbers.limit(result.rtol)} of the answer" if result.rtol else atol


def _count_obstacles(result: ValidateResult) -> list[str]:
    totals = {
        "label": sum(group.label_changes or 0 for group in result.groups),
        "flip": sum(group.flips for group in result.groups),
        "answer finite on one side only": sum(group.non_finite_mismatches for group in result.groups),
        "row answered by one side only": sum(group.refusals for group in result.groups),
    }
    totals |= tensors.count_obstacles(result.groups)
    nouns = tensors.OBSTACLES | {
        "label": ("label changes", "labels change"),
        "flip": ("row flips", "rows flip"),
        "answer finite on one side only": (
            "row is NaN or infinite on one side",
            "rows are NaN or infinite on one side",
        ),
        "row answered by one side only": ("row is answered by one side only", "rows are answered by one side only"),
    }
    return [f"{numbers.count(n)} {nouns[key][0 if n == 1 else 1]}" for key, n in totals.items() if n]


def name_rows(result: ValidateResult) -> str:
    """What is compared one by one."""
    return "requests" if tensors.are_tensors(result.groups) else "rows"


def name_place(line: WorstRow) -> str:
    """The output, and of a tensor the place in it: `boxes[0, 17, 3]`."""
    return f"{line.output}[{', '.join(map(str, line.place))}]" if line.place else line.output


def describe_row(line: WorstRow) -> str:
    """One of the rows that differ most."""
    ours, theirs = (numbers.prediction(value) for value in (line.reference, line.candidate))
    output = f" {name_place(line)}" if line.place or line.output not in ("", "output", "prediction") else ""
    row, gap = "request" if line.place else "row", numbers.delta(line.abs_delta)
    return f"{row} {numbers.count(line.row)} of {line.group}:{output} {ours} against {theirs}, |Δ| {gap}"


def draw_histogram(result: ValidateResult, width: int | None = None) -> list[tuple[str, str, str]]:
    """|Δ| over all rows: (range, bar, count), exact agreement first, then the largest decades.

    The bars leave room for the rest in `width` columns.
    """
    counts: dict[int | None, int] = {}
    for group in result.groups:
        for key, number in group.histogram.items():
            decade = None if key == "exact" else int(key)
            counts[decade] = counts.get(decade, 0) + number
    decades = sorted(d for d in counts if d is not None)
    if not decades:
        return []
    largest = decades[-_DECADES:]
    lines = [("exact", counts[None])] if None in counts else []
    below = sum(counts[d] for d in decades if d < largest[0])
    lines += [(f"< 1e{largest[0]}", below)] if below else []
    lines += [(f"1e{d}", counts[d]) for d in largest]
    most = max(number for _, number in lines)
    text = max(len(name) for name, _ in lines) + len(numbers.count(most)) + 2
    bars = _BARS if width is None else max(1, min(_BARS, width - text))
    return [(name, numbers.bar(number / most, bars), numbers.count(number)) for name, number in lines]
