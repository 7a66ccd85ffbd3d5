"""What more layouts could still decide, and the budget that they would take. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace

from infer_bench.gates.limits import MORE_BUDGET
from infer_bench.gates.unnamed_limits import may_narrow
from infer_bench.report.gate import Check

HOPE = 3
"""A verdict that takes more than three times the layouts that there is time for will not come."""


def may_be_decided(check: Check, layouts: int | None = None) -> bool:
    """Whether more layouts could still decide a check: of no more than `layouts`, which a budget holds, where known.

    How many it takes is known roughly, so it is left alone only where it is far more. One that passed at a limit which
    more layouts would narrow goes on.
    """
    if may_narrow(check):
        return True
    if check.outcome != "inconclusive" or check.final:
        return False
    if layouts is None or not check.layouts:
        return True
    return check.layouts_needed is not None and check.layouts_needed <= HOPE * layouts


def name_budget(check: Check, seconds: float | None) -> Check:
    """The check with the budget that would decide it, in place of the advice to give more; None where none would."""
    advice = "no budget would decide it" if seconds is None else f"about --budget {_write_budget(seconds)} would decide"
    return replace(check, reason=check.reason.replace(MORE_BUDGET, advice))


def _write_budget(seconds: float) -> str:
    """A round number above: `20s`, `90s`, `5m`."""
    if seconds <= 120:
        return f"{max(10, math.ceil(seconds / 10) * 10)}s"
    return f"{math.ceil(seconds / 60)}m"


def is_settled(checks: Sequence[Check], layouts: int) -> bool:
    """Whether the verdict is known, and what is undecided has had as long again to show.

    A regression found makes the verdict certain; the other metrics are told with it where they soon can be.
    """
    decided = [check.layouts for check in checks if check.outcome == "regressed" and check.metric != "size"]
    return bool(decided) and layouts >= 2 * min(decided)
