"""The terminal's view of a comparison: a line a group of rows, then why, what mends it and the worst rows."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.validate import ValidateResult
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.text.grid import Grid, Row, draw_record, fit
from infer_bench.reporters.text.layout import clean, join_blocks, measure_width, pad, style, wrap
from infer_bench.reporters.text.notices import draw_notices
from infer_bench.reporters.validate import columns as validate_columns

_ROOM = 20
_LABEL = 8
"""Columns of the labels at the left."""


def draw_comparison(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole report as lines of at most `width` columns."""
    blocks: list[Sequence[str]] = []
    for result in report.results:
        blocks += _draw_result(report, result, width, color)
    blocks.append(draw_notices(report, collect_notices, width, color))
    blocks.append(_draw_verdict(report, width, color))
    return join_blocks(blocks)


def _draw_result(
    report: Report[Any], result: ValidateResult, width: int | None, color: bool
) -> Iterable[Sequence[str]]:
    head = wrap(clean(validate_columns.write_heading(result)), width, rest="  ")
    about = wrap(clean(validate_columns.describe_conditions(report, result)), width, rest="  ") if result.groups else []
    yield [*(style(line, "bold", color) for line in head), *about]
    if result.failed:
        yield [style(line, "red", color) for line in wrap(clean(f"cannot be compared: {result.failed}"), width)]
    if result.groups:
        yield _draw_table(report, result, width, color)
        yield _explain(result, width, color)


def _draw_table(report: Report[Any], result: ValidateResult, width: int | None, color: bool) -> list[str]:
    titles = validate_columns.select_columns(report, [result])
    rows = [row for group in result.groups for row in _list_rows(group)]
    what = validate_columns.name_rows(result)
    grid = fit(titles, rows, [what], width)
    head = grid.head(what) if grid else []
    return [
        *(style(line, "bold", color) for line in head),
        *(line for row in rows for line in _draw_row(grid, titles, row, width, color)),
    ]


def _list_rows(group: Any) -> list[Row]:
    own = Row(clean(group.name), cells=validate_columns.fill_columns(group), look="red" if group.failing else "")
    outputs = [
        Row(clean(name), cells=cells, look="dim", depth=1) for name, cells in validate_columns.fill_output_lines(group)
    ]
    return [own, *outputs]


def _draw_row(grid: Grid | None, titles: dict[str, str], row: Row, width: int | None, color: bool) -> list[str]:
    text = grid.body(row) if grid else draw_record(titles, row, width)
    return [style(line, row.look, color) for line in text]


def _explain(result: ValidateResult, width: int | None, color: bool) -> list[str]:
    lines = _draw_labelled("Why", validate_columns.explain_difference(result), width)
    lines += _draw_labelled("First", [validate_columns.locate_first(result)], width)
    lines += _draw_labelled("Fix", [validate_columns.find_fix(result)], width)
    if result.different:
        worst_rows = map(validate_columns.describe_row, result.worst[: validate_columns.SHOWN_WORST])
        lines += _draw_labelled("Worst", worst_rows, width) + _draw_histogram(result, width)
    for text in filter(None, (validate_columns.describe_rounding(result), validate_columns.describe_passing(result))):
        lines += wrap(text, width)
    return lines


def _draw_labelled(label: str, texts: Iterable[str], width: int | None) -> list[str]:
    """The texts that there are, one below the other behind the label."""
    lines: list[str] = []
    for text in filter(None, texts):
        lines += wrap(clean(text), width, first=pad("" if lines else label, _LABEL), rest=" " * _LABEL)
    return lines


def _draw_histogram(result: ValidateResult, width: int | None) -> list[str]:
    narrow = width is not None and width < 2 * _ROOM
    bars = validate_columns.draw_histogram(result, None if width is None else width - (0 if narrow else _LABEL))
    names = max((measure_width(name) for name, _, _ in bars), default=0)
    drawing = [f"{pad(name, names, right=True)} {bar} {number}" for name, bar, number in bars]
    if narrow:
        return ["|Δ|", *drawing] if drawing else []
    return [pad("" if i else "|Δ|", _LABEL) + line for i, line in enumerate(drawing)]


def _draw_verdict(report: Report[Any], width: int | None, color: bool) -> list[str]:
    verdict = report.verdict
    if verdict is None:
        return [style("The comparison was not finished.", "red", color)]
    look = "green" if verdict.status == "pass" else "red"
    text = validate_columns.write_verdict(verdict, report.results)
    return [style(line, look, color) for line in wrap(clean(text), width, rest="  ")]
