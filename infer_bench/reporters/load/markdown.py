"""A load as GitHub's markdown."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.load import LoadResult
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.load import columns
from infer_bench.reporters.text.markdown import escape, write_bullets, write_row
from infer_bench.reporters.text.notices import write_notices


def render(report: Report[Any], *, phases: bool) -> str:
    """The whole text; `phases` adds the time from sending."""
    if columns.is_search(report):
        blocks = list(_write_search(report))
    else:
        blocks = [block for result in report.results for block in _write_result(report, result, phases)]
    blocks += write_notices(report, collect_notices)
    if text := columns.conclude(report):
        blocks.append(f"**{escape(text)}**")
    return "\n\n".join(blocks or ["Nothing was measured."]) + "\n"


def _write_search(report: Report[Any]) -> Iterable[str]:
    """A table with a row a trial."""
    first, titles = report.results[0], columns.select_columns(report)
    yield f"### {escape(columns.name_target(report, first))}"
    yield escape(columns.describe_conditions(report, first))
    lines = [write_row([columns.name_first(first), *titles.values()]), "|:--|" + "--:|" * len(titles)]
    for result in report.results:
        cells = columns.fill_columns(result)
        lines.append(write_row([columns.name_rate(result), *(cells.get(key, "") for key in titles)]))
    yield "\n".join(lines)
    yield write_bullets(columns.describe_report(report))


def _write_result(report: Report[Any], result: LoadResult, phases: bool) -> Iterable[str]:
    yield f"### {escape(columns.name_target(report, result))}"
    yield escape(columns.describe_conditions(report, result))
    yield "\n".join(_write_table(result, phases))
    invalid = [f"**{escape(text)}** ({escape(hint)})" for text, hint in columns.describe_invalid(result)]
    if invalid:
        yield "\n".join(f"- {line}" for line in invalid)
    if bullets := write_bullets(columns.list_sentences(result)):
        yield bullets


def _write_table(result: LoadResult, phases: bool) -> Iterable[str]:
    yield write_row([columns.name_first(result), *columns.TITLES.values()])
    yield "|:--|" + "--:|" * len(columns.TITLES)
    cells = columns.fill_columns(result)
    yield write_row([columns.name_rate(result), *(cells.get(key, "") for key in columns.TITLES)])
    for name, part in columns.fill_parts(result):
        if phases or name != "from sending":
            yield write_row([f"↳ {name}", *(part.get(key, "") for key in columns.TITLES)])
