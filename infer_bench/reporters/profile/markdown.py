"""A profile as GitHub's markdown: a heading a candidate, a table a section."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.profile import ProfileResult
from infer_bench.reporters.profile import columns as profile_columns
from infer_bench.reporters.profile.columns import Section
from infer_bench.reporters.profile.sentences import describe_report, write_closing
from infer_bench.reporters.text.markdown import escape, write_bullets, write_row
from infer_bench.reporters.text.notices import list_plainly, write_notices


def render(report: Report[Any]) -> str:
    """The whole text."""
    blocks = [block for row in report.results for block in _write_row(report, row)]
    blocks += [f"- {escape(text)}" for text in describe_report(report)]
    blocks += write_notices(report, list_plainly)
    if report.verdict and report.verdict.reasons:
        blocks.append(f"**{report.verdict.status}** {escape('; '.join(report.verdict.reasons))}")
    return "\n\n".join(blocks or ["Nothing was profiled."]) + "\n"


def _write_row(report: Report[Any], row: ProfileResult) -> Iterable[str]:
    title, conditions = profile_columns.write_heading(report, row)
    yield f"### {escape(row.candidate)}: {escape(title)}"
    about = ", ".join(part for part in (conditions, profile_columns.describe_start(row)) if part)
    if about:
        yield escape(about)
    phases = profile_columns.tabulate_phases(row, with_steps=bool(report.settings.get("split")))
    for section in [*([phases] if phases else []), *profile_columns.tabulate_others(row)]:
        yield _write_table(section)
    if closing_sentences := write_closing(report, row):
        yield write_bullets(closing_sentences)


def _write_table(section: Section) -> str:
    head = (section.title or "phase", *section.head[1:])
    rows = [write_row(head), "|" + ":--|" * section.left + "--:|" * (len(head) - section.left)]
    # Leading spaces are lost in a cell: an arrow shows that a step belongs to the phase above it.
    body = ((f"↳ {row[0].strip()}" if row[0].startswith(" ") else row[0], *row[1:]) for row in section.rows)
    return "\n".join([*rows, *(write_row(row) for row in body)])
