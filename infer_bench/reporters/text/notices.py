"""Notices as lines of a terminal and of markdown: warnings in full, notes counted."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from infer_bench.report.common import NoticeLevel, Report
from infer_bench.reporters.text.layout import clean, style, wrap
from infer_bench.reporters.text.markdown import escape, write_note

Collect = Callable[[Report[Any]], Iterable[tuple[str, str]]]
"""What makes a text and a hint of each notice of a report."""


def draw_notices(report: Report[Any], collect: Collect, width: int | None, color: bool) -> list[str]:
    """`note:` and a text, `hint:` and what to do about it, of each warning; then one line that counts the notes."""
    lines: list[str] = []
    for text, hint in collect(select_notices(report, "warning")):
        lines += [style(line, "yellow", color) for line in wrap(clean(text), width, first="note: ", rest="      ")]
        lines += wrap(clean(hint), width, first="hint: ", rest="      ") if hint else []
    count = len(list(collect(select_notices(report, "note"))))
    if count:
        text = f"{count} notes: --notes shows them" if count > 1 else "1 note: --notes shows it"
        lines += [style(line, "dim", color) for line in wrap(text, width)]
    return lines


def write_notices(report: Report[Any], collect: Collect) -> list[str]:
    """A quotation for each warning, and the notes folded into one block, in GitHub's markdown."""
    blocks = [write_note(text, hint) for text, hint in collect(select_notices(report, "warning"))]
    notes = [
        f"- {escape(f'{text}: {hint}' if hint else text)}" for text, hint in collect(select_notices(report, "note"))
    ]
    if notes:
        count = f"{len(notes)} note{'s' if len(notes) > 1 else ''}"
        blocks.append("\n".join([f"<details><summary>{count}</summary>", "", *notes, "", "</details>"]))
    return blocks


def spell_out_notes(report: Report[Any]) -> Report[Any]:
    """The report with every note as a warning, so that each is shown in full."""
    return replace(report, notices=tuple(replace(notice, level="warning") for notice in report.notices))


def list_plainly(report: Report[Any]) -> list[tuple[str, str]]:
    """Each notice's message and hint, once."""
    return list(dict.fromkeys((notice.message, notice.hint) for notice in report.notices))


def select_notices(report: Report[Any], level: NoticeLevel) -> Report[Any]:
    """The report with the notices of one level alone."""
    return replace(report, notices=tuple(notice for notice in report.notices if notice.level == level))
