"""What a run is going to do and about how long it takes, in a line for the user. Pure."""

import math
from collections.abc import Mapping

from infer_bench.measure.schedule.budget import LAYOUTS
from infer_bench.measure.settings import DEFAULT_ROUNDS, Settings
from infer_bench.report.gate import GateMode
from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.outlook import expected_sight

ROUND_NS = 25_000_000
"""Of one candidate: a block of 10 ms, its phases, and what lies between two blocks."""
SPREADS: Mapping[str, Mapping[str, float]] = {
    "sessions": {"p50": 0.005, "p95": 0.02},
    "forks": {"p50": 0.005, "p95": 0.02},
    "processes": {"p50": 0.009, "p95": 0.03},
}
"""What the ratios of layouts usually differ by on a quiet machine: the standard deviation of their logs (measured)."""
_KINDS = {
    "sessions": "sessions reloaded in one worker",
    "forks": "pairs of forked processes",
    "processes": "pairs of fresh processes",
    "absolute": "fresh processes",
}


def describe_bench(candidates: int, settings: Settings, used_ns: int, start_ns: int) -> str:
    """`used_ns` have passed, and a start took `start_ns`: `3 candidates × 3 processes × 20 rounds, about 20 s`."""
    processes, batches = settings.processes, len(settings.batches)
    who = f"{_count(candidates, 'candidate')} × {_count(processes, 'process', 'processes')}"
    if settings.budget_s is not None:
        return f"{who} at the most, as many rounds as fit, {settings.budget_s:g} s in all"
    rounds = -(-(settings.rounds or DEFAULT_ROUNDS) // processes)
    blocks_ns = min(settings.limit_s * 1e9, candidates * processes * rounds * batches * ROUND_NS)
    total_s = (used_ns + candidates * processes * start_ns + blocks_ns) / 1e9
    return f"{who} × {_count(rounds, 'round')}, about {_round(total_s)} s"


def describe_gate(
    mode: GateMode, pairs: int, settings: Settings, shares: Mapping[str, float], errors: Errors, start_ns: int
) -> str:
    """What is compared and how, for how long at the most, and which slow-downs that usually shows."""
    budget_s = settings.limit_s
    layouts = LAYOUTS if mode in ("sessions", "forks") else min(LAYOUTS, int(budget_s * 1e9 / max(1, 2 * start_ns)))
    own = Errors(errors.alpha / max(1, len(shares)), errors.beta)
    sights = {m: expected_sight(sd, layouts, own) for m, sd in SPREADS.get(mode, {}).items() if m in shares}
    texts = [f"+{math.expm1(sight) * 100:.1g} % at {metric}" for metric, sight in sights.items() if sight]
    shows = f"; on a quiet machine that shows {', '.join(texts)}" if texts else ""
    what = f"{_count(pairs, 'comparison')} in {_KINDS[mode]}"
    return f"{what}, {budget_s:g} s at the most, less where it is told before{shows}"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def _round(seconds: float) -> int:
    return max(1, round(seconds)) if seconds < 10 else round(seconds / 5) * 5
