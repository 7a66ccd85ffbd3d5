"""A report is written whatever happens: of a run that is broken off, too."""

from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")


def run_to_report(run: Callable[[], None], build: Callable[[bool], R], save: Callable[[R], None] | None) -> R:
    """Call `run`, then `build` with whether it came to its end; `save` gets that report before any error goes on."""
    complete = False
    try:
        run()
        complete = True
    finally:
        report = build(complete)
        if save:
            save(report)
    return report
