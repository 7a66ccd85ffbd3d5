"""What a conversion wrote and what comparing it showed, as lines of text."""

from typing import Any

from infer_bench.report.common import ModelInfo, Report
from infer_bench.report.convert import ConvertResult
from infer_bench.reporters.bench.columns import describe
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.layout import clean, measure_width, pad, wrap
from infer_bench.reporters.text.paths import file_name
from infer_bench.reporters.text.rounding import describe_errors, find_worst


def draw_conversion(report: Report[Any], width: int | None) -> list[str]:
    """Source, file, what it was compared on and how far the predictions lie apart, then notes."""
    rows = [row for result in report.results for row in _list_rows(result)]
    column = max((measure_width(name) for name, _ in rows), default=0) + 3
    blank = " " * column
    text = [part for name, value in rows for part in wrap(clean(value), width, first=pad(name, column), rest=blank)]
    notes = [part for n in report.notices for part in wrap(clean(n.message), width, first="note: ", rest="      ")]
    return [*text, *([""] if notes else []), *notes]


def _list_rows(result: ConvertResult) -> list[tuple[str, str]]:
    source, rows = result.source, [(clean(file_name(result.source.path)), describe(result.source))]
    if result.output is not None:
        text = f"{describe_route(result)}   {describe_size(source, result.output)}"
        rows.append((clean(file_name(result.output.path)), text))
    total = sum(group.rows for group in result.groups)
    what = "requests" if source.inputs is not None else "rows"
    kinds = ", ".join(f"{_name_group(group.name)} {numbers.count(group.rows)}" for group in result.groups)
    rows.append(("checked", f"{numbers.count(total)} {what}: {kinds}"))
    rows.append(("max |Δ|", f"{_format_delta(result)}   labels: {_count_labels(result)}"))
    if (rounding := find_worst(group.rounding for group in result.groups)) is not None:
        measure = "" if rounding.method == "noise" else "against float64 "
        rows.append(("error", f"{measure}(RMS): {describe_errors(rounding, 'the original')}"))
    refusals = sum(group.refused for group in result.groups)
    if refusals:
        answered = sum(group.answered_though_refused for group in result.groups)
        refusal = f"{numbers.count(refusals)} rows that the original library refuses: the file answers "
        rows.append(("refused", refusal + (f"{numbers.count(answered)} of them" if answered else "NaN")))
    if result.failed:
        rows.append(("no file", result.failed))
    return rows


def _name_group(name: str) -> str:
    """Shapes of a network's input are set off from the numbers of requests behind them."""
    return f"{name}:" if " " in name else name


def describe_route(result: ConvertResult) -> str:
    """How the file was written, and what it takes."""
    return f"{result.route}, {result.input_dtype} input" if result.input_dtype else result.route


def describe_size(source: ModelInfo, output: ModelInfo) -> str:
    """The file's size, and how much that is more or less than the original's: `0.28 MB (−74 %)`."""
    change = output.bytes / source.bytes - 1 if source.bytes else 0.0
    return f"{numbers.size(output.bytes)} ({'+' if change > 0 else '−'}{abs(change) * 100:.0f} %)"


def _format_delta(result: ConvertResult) -> str:
    absolute = max((group.max_abs_delta for group in result.groups), default=0.0)
    relative = max((group.max_relative_delta for group in result.groups), default=0.0)
    share = f" ({numbers.delta(relative)} of the answer)" if absolute > 2 * relative else ""
    return f"{numbers.delta(absolute)}{share}{describe_criterion(result)}"


def describe_criterion(result: ConvertResult) -> str:
    """What the numbers had to meet, to be put behind them; empty where the errors say it."""
    if result.criterion == "rounding":
        return ""
    if result.criterion == "relative":
        return f", tolerance {numbers.delta(result.tolerance)}"
    share = f" + {numbers.limit(result.rtol)} of the answer" if result.rtol else ""
    return f", tolerance {numbers.limit(result.tolerance)}{share}, as given"


def _count_labels(result: ConvertResult) -> str:
    changes = sum(group.label_changes for group in result.groups)
    return f"{numbers.count(changes)} differ"
