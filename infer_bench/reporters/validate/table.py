"""The terminal's view of a comparison: a line a group of rows, then why, what mends it and the worst rows."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.validate import ValidateResult
from infer_bench.reporters.bench.columns import notices
from infer_bench.reporters.text.grid import Grid, Row, fit, records
from infer_bench.reporters.text.layout import clean, join_blocks, pad, style, width_of, wrap
from infer_bench.reporters.text.notices import draw_notices
from infer_bench.reporters.validate import columns as validate_columns

_ROOM = 20
_LABEL = 8
"""Columns of the labels at the left."""


def lines(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole report as lines of at most `width` columns."""
    blocks: list[Sequence[str]] = []
    for result in report.results:
        blocks += _result(report, result, width, color)
    blocks.append(draw_notices(notices(report), width, color))
    blocks.append(_verdict(report, width, color))
    return join_blocks(blocks)


def _result(report: Report[Any], result: ValidateResult, width: int | None, color: bool) -> Iterable[Sequence[str]]:
    head = wrap(clean(validate_columns.heading(result)), width, rest="  ")
    about = wrap(clean(validate_columns.conditions(report, result)), width, rest="  ") if result.groups else []
    yield [*(style(line, "bold", color) for line in head), *about]
    if result.failed:
        yield [style(line, "red", color) for line in wrap(clean(f"cannot be compared: {result.failed}"), width)]
    if result.groups:
        yield _table(report, result, width, color)
        yield _explain(result, width, color)


def _table(report: Report[Any], result: ValidateResult, width: int | None, color: bool) -> list[str]:
    titles = validate_columns.columns(report, [result])
    rows = [row for group in result.groups for row in _rows(group)]
    grid = fit(titles, rows, ["rows"], width)
    head = grid.head("rows") if grid else []
    return [
        *(style(line, "bold", color) for line in head),
        *(line for row in rows for line in _body(grid, titles, row, width, color)),
    ]


def _rows(group: Any) -> list[Row]:
    own = Row(clean(group.name), cells=validate_columns.cells(group), look="red" if group.failing else "")
    outputs = [
        Row(clean(name), cells=cells, look="dim", depth=1) for name, cells in validate_columns.output_lines(group)
    ]
    return [own, *outputs]


def _body(grid: Grid | None, titles: dict[str, str], row: Row, width: int | None, color: bool) -> list[str]:
    text = grid.body(row) if grid else records(titles, row, width)
    return [style(line, row.look, color) for line in text]


def _explain(result: ValidateResult, width: int | None, color: bool) -> list[str]:
    lines = _label("Why", validate_columns.why(result), width)
    lines += _label("First", [validate_columns.first(result)], width)
    lines += _label("Fix", [validate_columns.fix(result)], width)
    if result.different:
        worst_rows = map(validate_columns.worst, result.worst[: validate_columns.SHOWN_WORST])
        lines += _label("Worst", worst_rows, width) + _histogram(result, width)
    return lines + wrap(validate_columns.passing(result), width)


def _label(label: str, texts: Iterable[str], width: int | None) -> list[str]:
    """The texts that there are, one below the other behind the label."""
    lines: list[str] = []
    for text in filter(None, texts):
        lines += wrap(clean(text), width, first=pad("" if lines else label, _LABEL), rest=" " * _LABEL)
    return lines


def _histogram(result: ValidateResult, width: int | None) -> list[str]:
    narrow = width is not None and width < 2 * _ROOM
    bars = validate_columns.histogram(result, None if width is None else width - (0 if narrow else _LABEL))
    names = max((width_of(name) for name, _, _ in bars), default=0)
    drawing = [f"{pad(name, names, right=True)} {bar} {number}" for name, bar, number in bars]
    if narrow:
        return ["|Δ|", *drawing] if drawing else []
    return [pad("" if i else "|Δ|", _LABEL) + line for i, line in enumerate(drawing)]


def _verdict(report: Report[Any], width: int | None, color: bool) -> list[str]:
    verdict = report.verdict
    if verdict is None:
        return [style("The comparison was not finished.", "red", color)]
    look = "green" if verdict.status == "pass" else "red"
    reasons = "; ".join(verdict.reasons) or "same answers"
    return [style(line, look, color) for line in wrap(clean(f"{verdict.status}: {reasons}"), width, rest="  ")]
