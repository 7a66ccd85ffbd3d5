"""What is known so far, written while a comparison goes on, so that a kill leaves a report that can be read."""

import time
from collections.abc import Callable

from infer_bench.progress import Progress

EVERY_S = 5.0
"""So many seconds lie between two writes at the least: a report is made and written in a few hundredths of one."""


class PartialReports:
    """Progress that another shows; `write` is called at the first update, and then every few seconds."""

    def __init__(
        self, progress: Progress, write: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._progress, self._write, self._clock = progress, write, clock
        self._next_write_s = -float("inf")

    def update(self, share: float, message: str) -> None:
        """Show it, and write when it is time."""
        self._progress.update(share, message)
        if self._clock() >= self._next_write_s:
            self._write()
            self._next_write_s = self._clock() + EVERY_S

    def announce(self, plan: str, *, always: bool) -> None:
        """Pass it on."""
        self._progress.announce(plan, always=always)
