"""The page of a self-test of the gate: false alarms and power, a table a load."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters import selftest
from infer_bench.reporters.html.page import Cell, Page, Section, Table, describe_run, tone_of


def build_selftest_page(report: Report[Any]) -> Page:
    """What the page of a self-test shows."""
    head = ("planted", *selftest.TITLES.values())
    sections = []
    for hogs, results in selftest.group_trials(report).items():
        lines = [selftest.fill_row(result) for result in results]
        rows = tuple((Cell(line.head), *(Cell(line.cells[key]) for key in selftest.TITLES)) for line in lines)
        sections.append(Section(selftest.name_load(hogs), tables=(Table("trials", head, rows),)))
    verdict, sentences = report.verdict, tuple(selftest.list_sentences(report))
    reasons = "; ".join(verdict.reasons) if verdict else ""
    about = Section("About this run", selftest.describe_run(report), sentences=tuple((s, "plain") for s in sentences))
    return Page(
        title="Self-test of the gate",
        finding=": ".join(part for part in (verdict.status, reasons) if part) if verdict else "It was not finished.",
        tone=tone_of(verdict.status) if verdict else "unsure",
        sections=(*sections, about),
        notices=tuple((notice.message, notice.hint) for notice in report.notices),
        facts=describe_run(report),
    )
