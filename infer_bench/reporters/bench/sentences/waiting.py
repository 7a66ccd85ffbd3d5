"""What a busy machine does to a speed-up: a long request is interrupted where a short one fits between two others."""

from infer_bench.report.bench import BenchResult, Round, count_waiting_ns

_MOST_QUEUED = 0.2
"""Share of its time that a candidate may wait for a CPU before its times are too long to be divided."""


def estimate_speedup_without_waiting(result: BenchResult, reference: BenchResult) -> float | None:
    """How many times as long a reference's request runs as a candidate's, on average; None where hardly any waited.

    Runs: its wall time less that in which the worker's thread waited for a CPU. None also where that is not known.
    """
    sides = [[r for process in side.processes for r in process.rounds] for side in (reference, result)]
    if max(map(_find_queued_share, sides)) <= _MOST_QUEUED:
        return None
    theirs, ours = map(_estimate_running_ns, sides)
    return theirs / ours if theirs > 0 and ours > 0 else None


def _find_queued_share(rounds: list[Round]) -> float:
    """Nothing of a round counts whose wait is not known."""
    return sum(map(count_waiting_ns, rounds)) / max(1, sum(r.wall_ns for r in rounds))


def _estimate_running_ns(rounds: list[Round]) -> float:
    """Of one row's share of a block, so that both sides are alike in it; 0 where nothing is known."""
    known_rounds = [r for r in rounds if r.queued_ns is not None and r.rows]
    rows = sum(r.rows for r in known_rounds)
    return sum(r.wall_ns - count_waiting_ns(r) for r in known_rounds) / rows if rows else 0.0
