"""A comparison as GitHub's markdown."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.validate import ValidateResult
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.text.markdown import escape, write_row
from infer_bench.reporters.text.notices import write_notices
from infer_bench.reporters.validate import columns as validate_columns


def render(report: Report[Any]) -> str:
    """The whole text."""
    blocks = [block for result in report.results for block in _write_result(report, result)]
    blocks += write_notices(report, collect_notices)
    if report.verdict:
        status, _, reasons = validate_columns.write_verdict(report.verdict, report.results).partition(": ")
        blocks.append(f"**{status}**: {escape(reasons)}")
    return "\n\n".join(blocks or ["Nothing was compared."]) + "\n"


def _write_result(report: Report[Any], result: ValidateResult) -> Iterable[str]:
    yield f"### {escape(validate_columns.write_heading(result))}"
    if result.failed:
        yield f"**Cannot be compared:** {escape(result.failed)}"
    if not result.groups:
        return
    yield escape(validate_columns.describe_conditions(report, result))
    yield "\n".join(_write_table(report, result))
    points = [f"**Why** {escape(text)}" for text in validate_columns.explain_difference(result)]
    points += (
        [f"**First** {escape(validate_columns.locate_first(result))}"] if validate_columns.locate_first(result) else []
    )
    points += [f"**Fix** `{validate_columns.find_fix(result)}`"] if validate_columns.find_fix(result) else []
    worst = result.worst[: validate_columns.SHOWN_WORST] if result.different else ()
    points += [f"**Worst** {escape(validate_columns.describe_row(line))}" for line in worst]
    points += [escape(validate_columns.describe_rounding(result)), escape(validate_columns.describe_passing(result))]
    yield "\n".join(f"- {line}" for line in points if line)


def _write_table(report: Report[Any], result: ValidateResult) -> Iterable[str]:
    titles = validate_columns.select_columns(report, [result])
    yield write_row([validate_columns.name_rows(result), *titles.values()])
    yield "|:--|" + "--:|" * len(titles)
    for group in result.groups:
        values = validate_columns.fill_columns(group)
        yield write_row([group.name, *(values.get(key, "") for key in titles)])
        for name, cells in validate_columns.fill_output_lines(group):
            yield write_row([f"↳ {name}", *(cells.get(key, "") for key in titles)])
