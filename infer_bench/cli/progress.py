"""A line on stderr that says how far a measurement is; nothing when stderr is no terminal."""

import os
import sys
import time
from types import TracebackType
from typing import TextIO

from infer_bench.cli.streams import Interruption
from infer_bench.cli.terminal import find_width

REDRAW_S = 0.1
BAR = 20
WIPE = "\r\x1b[K"


class ProgressLine:
    """Redrawn in place, ten times a second at the most, and wiped at the end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._visible = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._last_draw_s = 0.0

    def update(self, done: float, message: str) -> None:
        """`done` from 0 to 1. Raises `KeyboardInterrupt` when a signal was swallowed."""
        Interruption.raise_swallowed()
        now = time.monotonic()
        if not self._visible or now - self._last_draw_s < REDRAW_S:
            return
        self._last_draw_s = now
        filled = round(min(1.0, max(0.0, done)) * BAR)
        width = find_width(self._stream)
        line = f"{'█' * filled}{'░' * (BAR - filled)} {done:4.0%}  {message}"[: max(0, width - 1)]
        self._write(f"{WIPE}{line}")

    def announce(self, plan: str, *, always: bool) -> None:
        """A line of its own, which stays."""
        if always or self._visible:
            self._write(f"{WIPE if self._visible else ''}plan: {plan}\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, UnicodeEncodeError):
            self._visible = False

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._visible and self._last_draw_s:
            self._write(WIPE)
