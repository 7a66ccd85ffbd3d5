"""A report's notices as lines of a terminal."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.bench.columns import notices
from infer_bench.reporters.text.layout import clean, style, wrap


def lines(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """`note:` and what was found, `hint:` and what to do about it."""
    made: list[str] = []
    for text, hint in notices(report):
        made += [style(line, "yellow", color) for line in wrap(clean(text), width, first="note: ", rest="      ")]
        made += wrap(clean(hint), width, first="hint: ", rest="      ") if hint else []
    return made
