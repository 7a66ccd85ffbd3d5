"""The terminal's view of a load: a line a rate, the server's own times below it, and whether it is to be believed."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.load import LoadResult
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.load import columns
from infer_bench.reporters.text.grid import Row, draw_record, fit
from infer_bench.reporters.text.layout import clean, join_blocks, style, wrap
from infer_bench.reporters.text.notices import draw_notices


def draw_load(report: Report[Any], width: int | None, color: bool, *, phases: bool) -> list[str]:
    """The whole report as lines of at most `width` columns; `phases` adds the time from sending."""
    blocks: list[Sequence[str]] = []
    for _, results in groupby(report.results, key=lambda one: (one.target, one.protocol, one.loop)):
        blocks += _draw_target(report, list(results), width, color, phases)
    blocks.append(draw_notices(report, collect_notices, width, color))
    blocks.append(_draw_verdict(report, width, color))
    return join_blocks(blocks or [["Nothing was measured."]])


def _draw_target(
    report: Report[Any], results: Sequence[LoadResult], width: int | None, color: bool, phases: bool
) -> Iterable[Sequence[str]]:
    head = wrap(clean(columns.name_target(report, results[0])), width, rest="  ")
    about = wrap(clean(columns.describe_conditions(report, results[0])), width, rest="  ")
    yield [*(style(line, "bold", color) for line in head), *about]
    yield list(_draw_table(report, results, width, color, phases))
    yield [line for text in columns.describe_report(report) for line in wrap(clean(text), width)]
    if columns.is_search(report):
        return
    for result in results:
        yield [line for text in columns.list_sentences(result) for line in wrap(clean(text), width)]
    yield list(_draw_invalid(results, width, color))


def _draw_table(
    report: Report[Any], results: Sequence[LoadResult], width: int | None, color: bool, phases: bool
) -> Iterator[str]:
    title, titles = columns.name_first(results[0]), columns.select_columns(report)
    with_parts = not columns.is_search(report)
    rows = [row for result in results for row in _list_rows(result, phases, with_parts)]
    grid = fit(titles, rows, [title], width)
    for line in grid.head(title) if grid else []:
        yield style(line, "bold", color)
    for row in rows:
        for line in grid.body(row) if grid else draw_record(titles, row, width):
            yield style(line, row.look, color)


def _list_rows(result: LoadResult, phases: bool, with_parts: bool) -> Iterator[Row]:
    look = "" if result.valid else "red"
    yield Row(columns.name_rate(result), cells=columns.fill_columns(result), look=look)
    for name, cells in columns.fill_parts(result) if with_parts else ():
        if phases or name != "from sending":
            yield Row(name, cells=cells, look="dim", depth=1)


def _draw_invalid(results: Sequence[LoadResult], width: int | None, color: bool) -> Iterator[str]:
    for result in results:
        for text, hint in columns.describe_invalid(result):
            yield from (style(line, "red", color) for line in wrap(clean(text), width, rest="  "))
            yield from wrap(clean(hint), width, first="hint: ", rest="      ")


def _draw_verdict(report: Report[Any], width: int | None, color: bool) -> list[str]:
    text = columns.conclude(report)
    is_good = report.verdict is not None and report.verdict.status == "pass"
    return (
        [style(line, "green" if is_good else "red", color) for line in wrap(clean(text), width, rest="  ")]
        if text
        else []
    )
