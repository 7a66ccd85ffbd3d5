"""What stdout is: a terminal of some width, or a pipe."""

import contextlib
import os
import sys
from typing import TextIO

DEFAULT_WIDTH = 80


def read_terminal() -> tuple[int | None, bool]:
    """(width, color) for stdout: in a pipe or a file as wide as needed and plain.

    `NO_COLOR` and `TERM=dumb` make a terminal plain too. One that does not know its width (of a container, say) gets
    as much as needed.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return None, False
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return os.get_terminal_size(sys.stdout.fileno()).columns or None, not is_plain


def find_width(*streams: TextIO | None) -> int:
    """The columns of the first of these that is a terminal, else of stdout, stderr or stdin; 80 where none is one.

    What is piped into a pager or through `head` is read on the terminal that stderr still is. `COLUMNS` counts first.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    for stream in (*streams, sys.stdout, sys.stderr, sys.stdin):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if stream is not None and (width := os.get_terminal_size(stream.fileno()).columns):
                return width
    return DEFAULT_WIDTH
