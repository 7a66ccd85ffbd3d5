"""What stdout is: a terminal of some width, or a pipe."""

import os
import sys


def read_terminal() -> tuple[int | None, bool]:
    """(width, color) for stdout: in a pipe or a file as wide as needed and plain; `NO_COLOR` is honoured.

    A terminal that does not know its width (of a container, say) gets as much as needed too.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return None, False
    return os.get_terminal_size(sys.stdout.fileno()).columns or None, not os.environ.get("NO_COLOR")
