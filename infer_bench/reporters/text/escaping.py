"""Text that markup shows as it is."""

import re

from infer_bench.reporters.text.layout import clean


def escape(text: str) -> str:
    """Text that markdown shows as it is: no pipe breaks a cell, nothing becomes a tag or emphasis."""
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", clean(text))
