"""Notices as lines of a terminal."""

from collections.abc import Iterable

from infer_bench.reporters.text.layout import clean, style, wrap


def draw_notices(notices: Iterable[tuple[str, str]], width: int | None, color: bool) -> list[str]:
    """`note:` and a text, `hint:` and what to do about it, of each pair of them."""
    lines: list[str] = []
    for text, hint in notices:
        lines += [style(line, "yellow", color) for line in wrap(clean(text), width, first="note: ", rest="      ")]
        lines += wrap(clean(hint), width, first="hint: ", rest="      ") if hint else []
    return lines
