"""A report is saved whatever happens: of a run that is broken off, as far as it went."""

from collections.abc import Callable
from typing import Any, TypeVar

from infer_bench.report.common import Report

R = TypeVar("R", bound=Report[Any])


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
