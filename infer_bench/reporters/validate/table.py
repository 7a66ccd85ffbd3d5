"""The terminal's view of a comparison: a line a group of rows, then why, what mends it and the worst rows."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.validate import ValidateResult
from infer_bench.reporters.bench import notices as bench_notices
from infer_bench.reporters.text.grid import Grid, Row, fit, records
from infer_bench.reporters.text.layout import clean, join_blocks, pad, style, width_of, wrap
from infer_bench.reporters.validate import columns as validate_columns

_ROOM = 20


def lines(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole report as lines of at most `width` columns."""
    blocks: list[Sequence[str]] = []
    for result in report.results:
        blocks += _result(report, result, width, color)
    blocks.append(bench_notices.lines(report, width, color))
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
        yield _told(result, width, color)


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
    found = grid.body(row) if grid else records(titles, row, width)
    return [style(line, row.look, color) for line in found]


def _told(result: ValidateResult, width: int | None, color: bool) -> list[str]:
    said: list[str] = []
    for i, text in enumerate(validate_columns.why(result)):
        said += wrap(clean(text), width, first="Why     " if not i else "        ", rest="        ")
    for label, text in (("First", validate_columns.first(result)), ("Fix", validate_columns.fix(result))):
        said += wrap(clean(text), width, first=pad(label, 8), rest="        ") if text else []
    if result.different:
        for i, line in enumerate(result.worst[: validate_columns.SHOWN_WORST]):
            said += wrap(
                clean(validate_columns.worst(line)), width, first="Worst   " if not i else "        ", rest="        "
            )
        said += _histogram(result, width)
    said += wrap(validate_columns.passing(result), width)
    return said


def _histogram(result: ValidateResult, width: int | None) -> list[str]:
    narrow = width is not None and width < 2 * _ROOM
    found = validate_columns.histogram(result, None if width is None else width - (0 if narrow else 8))
    names = max((width_of(name) for name, _, _ in found), default=0)
    made = [f"{pad(name, names, right=True)} {bar} {number}" for name, bar, number in found]
    if narrow:
        return ["|Δ|", *made] if made else []
    return [("|Δ|     " if not i else "        ") + line for i, line in enumerate(made)]


def _verdict(report: Report[Any], width: int | None, color: bool) -> list[str]:
    verdict = report.verdict
    if verdict is None:
        return [style("The comparison was not finished.", "red", color)]
    look = "green" if verdict.status == "pass" else "red"
    said = "; ".join(verdict.reasons) or "same answers"
    return [style(line, look, color) for line in wrap(clean(f"{verdict.status}: {said}"), width, rest="  ")]
