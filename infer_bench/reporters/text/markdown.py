"""Pieces of GitHub's markdown, whose texts are shown as they are."""

import re
from collections.abc import Iterable

from infer_bench.reporters.text.layout import clean

__all__ = ["escape", "write_bullets", "write_note", "write_row"]


def escape(text: str) -> str:
    """Text that markdown shows as it is: no pipe breaks a cell, nothing becomes a tag or emphasis."""
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", clean(text))


def write_row(texts: Iterable[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(map(escape, texts))} |"


def write_note(text: str, hint: str = "") -> str:
    """A quotation that begins with `Note:`."""
    return f"> **Note:** {escape(text)}{f'<br>{escape(hint)}' if hint else ''}"


def write_bullets(texts: Iterable[str]) -> str:
    """A list; empty without texts."""
    return "\n".join(f"- {escape(text)}" for text in texts)
