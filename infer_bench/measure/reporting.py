"""A report is saved whatever happens: of a run that is broken off, as far as it went."""

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from infer_bench.report.common import Report

R = TypeVar("R", bound=Report[Any])

SAVING_SHARE = 0.03
"""So much of a run may go into reports that are saved on the way: writing all rounds may take longer than one more."""


class PartialSaves(Generic[R]):
    """Saves what is known at the first call, and later when building and saving it again is worth the time it takes."""

    def __init__(
        self, build: Callable[[], R], save: Callable[[R], None] | None, clock: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        self._build, self._save, self._clock = build, save, clock
        self._next_ns: int | None = None

    def __call__(self) -> None:
        """Save a report, if it is time; without anybody to save it none is built."""
        if self._save is None or (self._next_ns is not None and self._clock() < self._next_ns):
            return
        begin_ns = self._clock()
        self._save(self._build())
        end_ns = self._clock()
        self._next_ns = end_ns + round((end_ns - begin_ns) / SAVING_SHARE)


def run_to_report(run: Callable[[], None], build: Callable[[bool], R], save: Callable[[R], None] | None) -> R:
    """Call `run`, then `build` with whether it came to its end; `save` gets that report before any error goes on.

    Of a run that is broken off before it has measured anything there is nothing to save: what was saved earlier may be
    all that there is.
    """
    complete = False
    try:
        run()
        complete = True
    finally:
        report = build(complete)
        if save and (complete or report.has_measurements):
            save(report)
    return report
