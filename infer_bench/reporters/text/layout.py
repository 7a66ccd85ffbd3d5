"""Text in columns: widths as a terminal counts them (a wide character takes two), wrapping, and colour."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

__all__ = ["clean", "join_blocks", "justify", "measure_width", "pad", "style", "wrap"]

_STYLES = {"bold": "1", "dim": "2", "red": "1;31", "green": "32", "yellow": "33"}
_UNIT = re.compile(
    r"(?<=\d) (?=(?:%|ns|µs|ms|s|[kMGT]?B|rows?|requests?|rounds?|threads?|trees?|features?|inputs?)(?!\w))"
)
_GLUE = "\u00a0"
_HARMFUL = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """One line without control characters, so that a name or a message cannot steer the terminal."""
    flat = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(_show_character(char) for char in flat)


def _show_character(char: str) -> str:
    if char.isascii() and char.isprintable():
        return char
    harmful = unicodedata.category(char) in _HARMFUL or char in _BIDI
    return char.encode("unicode_escape").decode() if harmful else char


def measure_width(text: str) -> int:
    """The terminal columns that `text` takes."""
    return cell_len(text)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `width` columns; a longer one is kept whole. `right`: aligned to the right."""
    fill = " " * max(0, width - measure_width(text))
    return fill + text if right else text + fill


def justify(left: str, right: str, width: int) -> str:
    """`left` at the left edge and `right` at the right one."""
    return pad(left, width - measure_width(right)) + right


def join_blocks(blocks: Iterable[Sequence[str]]) -> list[str]:
    """The lines of the blocks that have any, an empty line between two blocks."""
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if lines and block else block
    return lines


def wrap(text: str, width: int | None, *, first: str = "", rest: str = "") -> list[str]:
    """`text` in lines of at most `width` columns (None: one line), led by `first`, then by `rest`.

    Lines break at spaces, but not between a number and its unit; a word that is wider than a line is cut, never
    dropped.
    """
    if width is None or measure_width(first + text) <= width:
        return [(first + text).rstrip()]
    lines, line = [], first
    empty = True
    words = [word for word in _UNIT.sub(_GLUE, text).split(" ") if word]
    for word in _cut_words(words, max(1, width - max(measure_width(first), measure_width(rest)))):
        if not empty and measure_width(line) + 1 + measure_width(word) > width:
            lines.append(line)
            line, empty = rest, True
        line += word if empty else " " + word
        empty = False
    return [line.replace(_GLUE, " ").rstrip() for line in [*lines, line]]


def _cut_words(words: Iterable[str], width: int) -> Iterable[str]:
    for word in words:
        piece = ""
        for char in word:
            if piece and measure_width(piece + char) > width:
                yield piece
                piece = ""
            piece += char
        yield piece


def style(text: str, name: str, color: bool) -> str:
    """`text` between the ANSI codes of bold, dim, red, green or yellow; unchanged without colour."""
    return f"\x1b[{_STYLES[name]}m{text}\x1b[0m" if color and name and text.strip() else text
