"""A profile as GitHub's markdown: a heading a candidate, a table a section."""

from collections.abc import Callable, Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.profile import ProfileResult
from infer_bench.reporters.profile import columns as cells
from infer_bench.reporters.profile.columns import Section
from infer_bench.reporters.profile.sentences import about_report, closing

Escape = Callable[[str], str]


def blocks(report: Report[Any], escape: Escape) -> list[str]:
    """The text's blocks, to be set apart by empty lines. `escape` makes a text harmless."""
    found = [block for row in report.results for block in _row(report, row, escape)]
    found += [f"- {escape(text)}" for text in about_report(report)]
    found += [f"> **Note:** {'<br>'.join(map(escape, filter(None, note)))}" for note in cells.notices(report)]
    if report.verdict and report.verdict.reasons:
        found.append(f"**{report.verdict.status}** {escape('; '.join(report.verdict.reasons))}")
    return found or ["Nothing was profiled."]


def _row(report: Report[Any], row: ProfileResult, escape: Escape) -> Iterable[str]:
    title, conditions = cells.heading(report, row)
    yield f"### {escape(row.candidate)}: {escape(title)}"
    about = ", ".join(part for part in (conditions, cells.start(row)) if part)
    if about:
        yield escape(about)
    phases = cells.phases(row, split=bool(report.settings.get("split")))
    for section in [*([phases] if phases else []), *cells.sections(row)]:
        yield _table(section, escape)
    said = closing(report, row)
    if said:
        yield "\n".join(f"- {escape(text)}" for text in said)


def _table(section: Section, escape: Escape) -> str:
    head = (section.title or "phase", *section.head[1:])
    rows = [_line(head, escape), "|" + ":--|" * section.left + "--:|" * (len(head) - section.left)]
    # Leading spaces are lost in a cell: an arrow shows that a step belongs to the phase above it.
    shown = ((f"↳ {row[0].strip()}" if row[0].startswith(" ") else row[0], *row[1:]) for row in section.rows)
    return "\n".join([*rows, *(_line(row, escape) for row in shown)])


def _line(texts: Iterable[str], escape: Escape) -> str:
    return "| " + " | ".join(map(escape, texts)) + " |"
