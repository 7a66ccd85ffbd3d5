"""The terminal's view of a fleet: a line a model and job, why some did not pass, and the verdict."""

from collections.abc import Iterator
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.fleet import FleetResult
from infer_bench.reporters.fleet import columns
from infer_bench.reporters.text.grid import Row, draw_record, fit
from infer_bench.reporters.text.layout import clean, join_blocks, style, wrap
from infer_bench.reporters.text.notices import draw_notices, list_plainly


def draw_fleet(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole report as lines of at most `width` columns."""
    reasons = [line for result in report.results for line in _explain(result, width, color)]
    notices = draw_notices(report, list_plainly, width, color)
    return join_blocks([list(_draw_table(report, width, color)), reasons, notices, _draw_verdict(report, width, color)])


def _draw_table(report: Report[Any], width: int | None, color: bool) -> Iterator[str]:
    titles = columns.select_columns(report.results)
    rows = [
        Row(clean(result.model), cells=columns.fill_columns(result), look="red" if result.verdict.exit_code else "")
        for result in report.results
    ]
    if not rows:
        return
    grid = fit(titles, rows, ["model"], width)
    for line in grid.head("model") if grid else []:
        yield style(line, "bold", color)
    for row in rows:
        for line in grid.body(row) if grid else draw_record(titles, row, width):
            yield style(line, row.look, color)


def _explain(result: FleetResult, width: int | None, color: bool) -> list[str]:
    if not result.verdict.exit_code:
        return []
    text = clean(f"{result.model}, {result.job}: {columns.explain(result) or result.verdict.status}")
    return [style(line, "red", color) for line in wrap(text, width, rest="  ")]


def _draw_verdict(report: Report[Any], width: int | None, color: bool) -> list[str]:
    verdict = report.verdict
    status = "" if verdict is None else f"{verdict.status}: "
    look = "" if verdict is None else "red" if verdict.exit_code else "green"
    return [style(line, look, color) for line in wrap(f"{status}{columns.summarise(report)}.", width, rest="  ")]
