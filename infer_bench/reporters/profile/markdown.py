"""A profile as GitHub's markdown: a heading a candidate, a table a section."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.profile import ProfileResult
from infer_bench.reporters.profile import columns as profile_columns
from infer_bench.reporters.profile.columns import Section
from infer_bench.reporters.profile.sentences import about_report, closing
from infer_bench.reporters.text.markdown import bullets, escape, note, table_row


def render(report: Report[Any]) -> str:
    """The whole text."""
    blocks = [block for row in report.results for block in _row(report, row)]
    blocks += [f"- {escape(text)}" for text in about_report(report)]
    blocks += [note(text, hint) for text, hint in profile_columns.notices(report)]
    if report.verdict and report.verdict.reasons:
        blocks.append(f"**{report.verdict.status}** {escape('; '.join(report.verdict.reasons))}")
    return "\n\n".join(blocks or ["Nothing was profiled."]) + "\n"


def _row(report: Report[Any], row: ProfileResult) -> Iterable[str]:
    title, conditions = profile_columns.heading(report, row)
    yield f"### {escape(row.candidate)}: {escape(title)}"
    about = ", ".join(part for part in (conditions, profile_columns.start(row)) if part)
    if about:
        yield escape(about)
    phases = profile_columns.phases(row, with_steps=bool(report.settings.get("split")))
    for section in [*([phases] if phases else []), *profile_columns.sections(row)]:
        yield _table(section)
    if closing_sentences := closing(report, row):
        yield bullets(closing_sentences)


def _table(section: Section) -> str:
    head = (section.title or "phase", *section.head[1:])
    rows = [table_row(head), "|" + ":--|" * section.left + "--:|" * (len(head) - section.left)]
    # Leading spaces are lost in a cell: an arrow shows that a step belongs to the phase above it.
    body = ((f"↳ {row[0].strip()}" if row[0].startswith(" ") else row[0], *row[1:]) for row in section.rows)
    return "\n".join([*rows, *(table_row(row) for row in body)])
