"""What a process shows on a pseudo-terminal."""

import contextlib
import os


def read_all(terminal: int) -> bytes:
    """All that comes until the other side is closed, which Linux reports as an error."""
    output = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            output += part
    return output
