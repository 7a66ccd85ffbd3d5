"""Says where a run took longer than its budget, and on what."""

from infer_bench.measure.schedule.budget import Budget
from infer_bench.report.common import Notice

ALLOWANCE = 1.2
"""So much of its budget a run may take before that is said of it."""


def note_overrun(budget: Budget | None, budget_s: float | None) -> tuple[Notice, ...]:
    """Where a run with a budget of `budget_s` has used far more: how long it took, and what of it the starts did."""
    if budget is None or budget_s is None or not budget.bounds_all or budget.used_ns <= ALLOWANCE * budget_s * 1e9:
        return ()
    text = f"the run took {budget.used_ns / 1e9:.0f} s with a budget of {budget_s:g} s"
    if budget.started_ns is not None:
        rest = "" if budget.started_ns >= budget_s * 1e9 else ", and the least that is measured of each the rest"
        text = f"{text}: starting took {budget.started_ns / 1e9:.0f} s{rest}"
    return (Notice("over-budget", text, "give a larger --budget"),)
