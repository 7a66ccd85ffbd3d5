"""A fleet as GitHub's markdown."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.fleet import columns
from infer_bench.reporters.text.markdown import escape, write_bullets, write_row
from infer_bench.reporters.text.notices import list_plainly, write_notices


def render(report: Report[Any]) -> str:
    """The table, why some did not pass, notes, and the verdict."""
    titles = columns.select_columns(report.results)
    table = [write_row(["model", *titles.values()]), "|:--|" + "--:|" * len(titles)]
    for result in report.results:
        cells = columns.fill_columns(result)
        table.append(write_row([result.model, *(cells.get(key, "") for key in titles)]))
    bad = [result for result in report.results if result.verdict.exit_code]
    reasons = [f"{result.model}, {result.job}: {columns.explain(result) or result.verdict.status}" for result in bad]
    notes = write_notices(report, list_plainly)
    status = f"**{report.verdict.status}**: " if report.verdict else ""
    blocks = ["\n".join(table), write_bullets(reasons), *notes, f"{status}{escape(columns.summarise(report))}."]
    return "\n\n".join(block for block in blocks if block) + "\n"
