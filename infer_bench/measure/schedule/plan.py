"""What a run is going to do and about how long it takes, in a line for the user. Pure."""

import math
from collections.abc import Mapping

from infer_bench.gates.limits import GateLimits
from infer_bench.gates.unnamed_limits import MOST
from infer_bench.measure.schedule.budget import LEAST_BUDGET_S, LEAST_ROUNDS
from infer_bench.measure.settings import DEFAULT_ROUNDS, Settings
from infer_bench.report.gate import GateMode
from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.outlook import EXACT, expected_sight, layouts_for_sight
from infer_bench.stats.decisions.sign_test import least_layouts, robust_layouts

ROUND_NS = 25_000_000
"""Of one candidate: a block of 10 ms, its phases, and what lies between two blocks."""
SPREADS: Mapping[str, Mapping[str, float]] = {
    "sessions": {"p50": 0.005, "p95": 0.02},
    "forks": {"p50": 0.005, "p95": 0.025},
    "processes": {"p50": 0.009, "p95": 0.03},
}
"""What the ratios of layouts usually differ by on a quiet machine: the standard deviation of their logs (measured)."""
ROUNDS_NS = 2_000_000_000
"""What all rounds of a layout of one pair take, where the budget holds more than the usual number of layouts."""
LAYOUT_NS: Mapping[str, float] = {"sessions": 200_000_000, "forks": 600_000_000}
"""The least that a layout of one pair takes where none starts processes: loading, warming up, the fewest rounds."""
OPENING_SHARE = 0.6
"""Of what making a form takes, for opening it (measured, of a forest in four formats)."""
_KINDS = {
    "sessions": "sessions reloaded in one worker",
    "forks": "pairs of forked processes",
    "processes": "pairs of fresh processes",
    "absolute": "fresh processes",
}


def describe_bench(candidates: int, settings: Settings, used_ns: int, start_ns: int) -> str:
    """`used_ns` have passed, and a start took `start_ns`: `3 candidates × 3 processes × 20 rounds, about 20 s`.

    Where that leaves nothing of a budget, what is measured all the same.
    """
    processes, batches = settings.processes, len(settings.batches)
    who = f"{_count(candidates, 'candidate')} × {_count(processes, 'process', 'processes')}"
    if settings.budget_s is not None and used_ns >= settings.budget_s * 1e9:
        return f"{_count(candidates, 'candidate')} × 1 process × 1 round: {_tell_spent(used_ns, settings.budget_s)}"
    if settings.budget_s is not None:
        scope = "after the forms" if settings.forms else "in all"
        scope += ", but for the first starts" if settings.budget_s < LEAST_BUDGET_S else ""
        return f"{who} at the most, as many rounds as fit, {settings.budget_s:g} s {scope}"
    rounds = -(-(settings.rounds or DEFAULT_ROUNDS) // processes)
    blocks_ns = min(settings.limit_s * 1e9, candidates * processes * rounds * batches * ROUND_NS)
    total_s = (used_ns + candidates * processes * start_ns + blocks_ns) / 1e9
    return f"{who} × {_count(rounds, 'round')}, about {_round(total_s)} s"


def _tell_spent(used_ns: int, budget_s: float) -> str:
    return f"starting took {_round(used_ns / 1e9)} s, and the budget is {budget_s:g} s"


def describe_forms(present: int, missing: int, each_ns: int, budget_s: float | None) -> str:
    """So many files are there, the others take about `each_ns` each, and the model and all of them are opened once.

    As in `2 forms made, 2 more to make and all to open, about 10 s; the budget of 10 s counts from then on`.
    """
    openings = 1 + present + missing
    total_s = _round((missing + openings * OPENING_SHARE) * each_ns / 1e9)
    more = f"{missing} more to make and " if missing else ""
    text = f"{_count(present, 'form')} made, {more}all to open, about {total_s} s"
    return text if budget_s is None else f"{text}; the budget of {budget_s:g} s counts from then on"


def describe_gate(
    mode: GateMode,
    pairs: int,
    settings: Settings,
    limits: GateLimits,
    errors: Errors,
    start_ns: int,
    starts_at_once: int = 1,
    used_ns: int = 0,
) -> str:
    """What is compared and how, for how long at the most, and which slow-down of each metric that usually tells.

    `errors` are those of one check; a process takes about `start_ns` to start, and so many as `starts_at_once` do.
    `used_ns` of the budget have passed.
    """
    budget_s = settings.limit_s
    if used_ns >= budget_s * 1e9:
        return f"{_count(pairs, 'comparison')} in {_KINDS[mode]}, 1 round: {_tell_spent(used_ns, budget_s)}"
    what = f"{_count(pairs, 'comparison')} in {_KINDS[mode]}, {budget_s:g} s at the most, less where it is told before"
    spreads = {metric: sd for metric, sd in SPREADS.get(mode, {}).items() if metric in limits.shares}
    if not spreads:
        return what
    each_ns, least = estimate_layout_ns(mode, pairs, start_ns, starts_at_once), least_layouts(errors.alpha)
    usual, left_ns = robust_layouts(errors.alpha), budget_s * 1e9 - start_ns
    layouts = max(min(usual, int(left_ns / each_ns)), min(EXACT, int(left_ns / (each_ns + pairs * ROUNDS_NS))))
    if layouts < least:
        needed_s = (start_ns + usual * each_ns) / 1e9
        needs = f"which takes {least} layouts, about --budget {_ceil(needed_s)}s"
        return f"{what}: probably too short for a verdict, {needs}"
    sights = {metric: math.expm1(expected_sight(sd, layouts, errors) or 0.0) for metric, sd in spreads.items()}
    texts = [f"{_percent(sight)} at {metric}" for metric, sight in sights.items()]
    notes = [_describe_limit(metric, sights[metric], limits, budget_s / layouts, errors, spreads) for metric in sights]
    return "; ".join([f"{what}; on a quiet machine that tells {', '.join(texts)}", *filter(None, notes)])


def _describe_limit(
    metric: str, sight: float, limits: GateLimits, layout_s: float, errors: Errors, spreads: Mapping[str, float]
) -> str:
    """What comes of a limit that may be out of reach: the budget that it takes, or that another is judged."""
    limit = limits.shares[metric]
    if metric in limits.unnamed and limit < MOST:
        return f"a {metric} that is not told at {limit * 100:g} % is judged at what is, {MOST * 100:g} % at the most"
    if sight <= limit:
        return ""
    needed = layouts_for_sight(spreads[metric], math.log1p(limit), errors)
    takes = "is out of reach" if needed is None else f"takes about --budget {_ceil(needed * layout_s)}s"
    return f"{limit * 100:g} % at {metric} {takes}"


def estimate_layout_ns(mode: GateMode, pairs: int, start_ns: int, starts_at_once: int = 1) -> float:
    """The least that a layout of so many pairs takes, its rounds included."""
    usual_ns, processes = LAYOUT_NS.get(mode), 2 * pairs
    if usual_ns is not None:
        return pairs * usual_ns
    return max(1.0, processes / starts_at_once) * start_ns + processes * LEAST_ROUNDS * ROUND_NS


def _percent(share: float) -> str:
    """Rounded up: `2 %`, `0.6 %`."""
    percent = share * 100
    return f"{math.ceil(percent * 10 - 1e-9) / 10 if percent < 1 else math.ceil(percent - 1e-9):g} %"


def _ceil(seconds: float) -> int:
    return max(1, math.ceil(seconds))


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def _round(seconds: float) -> int:
    return max(1, round(seconds)) if seconds < 10 else round(seconds / 5) * 5
