"""What is written to stdout, whatever its encoding and its reader. Imports little, since help waits for it."""

import contextlib
import os
import sys

from infer_bench.errors import OutputError

_PLAIN = str.maketrans("µ×–·…Δ│─⇄→←✓✗≥≤", "ux-..d|-<>-+x><")


def write_stdout(text: str) -> bool:
    """Write `text` to stdout; False when the reader has closed the pipe, which is no error.

    Characters that stdout's encoding lacks are written as the nearest it has (`us` for `µs`).

    Raises:
        OutputError: stdout is closed or its disk is full.
    """
    if sys.stdout is None:
        raise OutputError("cannot write to stdout: it is closed")
    try:
        sys.stdout.write(_make_encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8"))
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return False
    except (OSError, ValueError) as error:
        _abandon_stdout()
        raise OutputError(f"cannot write to stdout: {getattr(error, 'strerror', None) or error}") from None
    return True


def _make_encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _abandon_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush cannot fail a second time."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
