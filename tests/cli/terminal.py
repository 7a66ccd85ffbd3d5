"""What a process shows on a pseudo-terminal."""

import contextlib
import os


def shown_on(terminal: int) -> bytes:
    """All that comes until the other side is closed, which Linux reports as an error."""
    found = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            found += part
    return found
