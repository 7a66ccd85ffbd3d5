"""The page of a profile: phases, functions, operators, memory, and what changed."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.profile import ProfileResult
from infer_bench.reporters.html.page import Cell, Page, Section, Table, Tone, describe_run, tone_of
from infer_bench.reporters.profile import columns
from infer_bench.reporters.profile.sentences import describe_report, write_closing
from infer_bench.reporters.text.notices import list_plainly
from infer_bench.reporters.text.paths import file_name


def build_profile_page(report: Report[Any]) -> Page:
    """What the page of a profile shows."""
    sections = tuple(_build_section(report, row) for row in report.results)
    first = next((text for section in sections for text, _ in section.sentences), "")
    about: tuple[tuple[str, Tone], ...] = tuple((text, "plain") for text in describe_report(report))
    headings = [columns.write_heading(report, row)[0] for row in report.results]
    return Page(
        title="Profile",
        subject=", ".join(_name_subject(row) for row in report.results),
        finding=first or "; ".join(headings) or "Nothing was profiled.",
        tone=tone_of(report.verdict.status) if report.verdict else "plain",
        sections=(*sections, Section("About this run", sentences=about)) if about else sections,
        notices=tuple(list_plainly(report)),
        facts=describe_run(report),
    )


def _name_subject(row: ProfileResult) -> str:
    return row.candidate if row.model is None else f"{file_name(row.model.path)}, {row.candidate}"


def _build_section(report: Report[Any], row: ProfileResult) -> Section:
    title, conditions = columns.write_heading(report, row)
    phases = columns.tabulate_phases(row, with_steps=True)
    sections = [*([phases] if phases else []), *columns.tabulate_others(row)]
    return Section(
        f"{row.candidate}: {title}",
        ", ".join(part for part in (conditions, columns.describe_start(row)) if part),
        tuple(_build_table(section) for section in sections),
        tuple((text, "plain") for text in write_closing(report, row)),
    )


def _build_table(section: columns.Section) -> Table:
    bars = section.bars or (None,) * len(section.rows)
    rows = tuple(
        (*map(Cell, _indent(texts)[:-1]), Cell(texts[-1], bar=bar))
        for texts, bar in zip(section.rows, bars, strict=True)
    )
    head = section.head if any(section.head) else ("phase", "what", "time", "share")[: len(section.head)]
    head = tuple(text or "name" for text in head)
    return Table(section.title or "phases of a typical request", head, rows, section.left)


def _indent(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Leading spaces are lost in a page: an arrow shows that a step belongs to the phase above it."""
    return (f"↳ {texts[0].strip()}", *texts[1:]) if texts[0].startswith(" ") else texts
