"""Where one candidate overtakes another as batches grow: who leads, and between which sizes the lead changes hands."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infer_bench.report.bench import BenchResult
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.text import numbers

Bounds = tuple[float, float, float]
"""Low, middle and high of a duration, ns."""


@dataclass(frozen=True, slots=True)
class Crossover:
    """`before` leads at batch size `last` and `after` from `first` on; nobody is shown to lead in between.

    They are equally fast at about `batch`, and `low` to `high` are the sizes at which their 95 % intervals overlap.
    Between two sizes that were measured a batch's time is taken as a fixed part and one a row. `batch` is None where
    the middles do not cross between the sizes.
    """

    before: str
    after: str
    last: int
    first: int
    batch: float | None
    low: float
    high: float


def find_crossovers(groups: Sequence[BatchGroup]) -> list[Crossover]:
    """Every change of the lead that the intervals show, by batch size."""
    leaders = [(place, leader) for place, group in enumerate(groups) if (leader := find_leader(group)) is not None]
    changes = [(one, other) for one, other in itertools.pairwise(leaders) if one[1] != other[1]]
    return [_locate(groups[start : end + 1], before, after) for (start, before), (end, after) in changes]


def name_size(batch: float) -> str:
    """A batch size between two that were measured: whole, of two digits."""
    return numbers.count(int(float(f"{batch:.2g}")) if batch >= 10 else round(batch))


def find_leader(group: BatchGroup) -> str | None:
    """The fastest candidate; None where it is alone, or not shown to be faster than another one."""
    rated = sorted(list_rated(group), key=lambda result: -(result.rows_per_s or 0))
    if len(rated) < 2 or not all(_is_faster(rated[0], other) for other in rated[1:]):
        return None
    return group.name_row(rated[0])


def list_rated(group: BatchGroup) -> list[BenchResult]:
    """The results that were measured and predict what the reference does."""
    return [
        result
        for result in group.results
        if result.rows_per_s and not result.failed and not (result.label_changes or result.non_finite_mismatches)
    ]


def count_processes(result: BenchResult) -> int:
    """The processes that gave samples."""
    return sum(any(r.request_ns for r in process.rounds) for process in result.processes)


def _is_faster(one: BenchResult, other: BenchResult) -> bool:
    """Whether it is shown: by their pairs, as the table has it, where one was compared with the other.

    Else where their intervals do not overlap. Without an interval over processes nothing is shown.
    """
    if min(map(count_processes, (one, other))) < 2:
        return False
    if (low := _read_speedup(one, other)) is not None:
        return low > 1
    if (high := _read_speedup(other, one, high=True)) is not None:
        return high < 1
    bounds = _read_bounds(one), _read_bounds(other)
    return bounds[0] is not None and bounds[1] is not None and bounds[0][2] < bounds[1][0]


def _read_speedup(one: BenchResult, other: BenchResult, *, high: bool = False) -> float | None:
    """A bound of how many times faster `one` is; None where it was compared with something else."""
    speedup = one.speedup
    if speedup is None:
        return None
    against = speedup.against, speedup.against_model or one.model.path
    if against != (other.candidate, other.model.path):
        return None
    return speedup.high if high else speedup.low


def _read_bounds(result: BenchResult) -> Bounds | None:
    """The median request with its interval."""
    request = result.request
    if request is None or request.p50_ns is None or "p50" not in request.intervals:
        return None
    low, high = request.intervals["p50"]
    return low, request.p50_ns, high


def _locate(groups: Sequence[BatchGroup], before: str, after: str) -> Crossover:
    """The crossover between the first and the last of the groups, whose leaders these are."""
    bounds = [(group.batch, *pair) for group in groups if (pair := _pair_bounds(group, before, after)) is not None]
    middles = [(batch, other[1] - one[1]) for batch, one, other in bounds]
    lows = [(batch, other[0] - one[2]) for batch, one, other in bounds]
    highs = [(batch, other[2] - one[0]) for batch, one, other in bounds]
    return Crossover(
        before,
        after,
        groups[0].batch,
        groups[-1].batch,
        next(_find_roots(middles), None),
        next(_find_roots(lows), float(groups[0].batch)),
        max(_find_roots(highs), default=float(groups[-1].batch)),
    )


def _pair_bounds(group: BatchGroup, before: str, after: str) -> tuple[Bounds, Bounds] | None:
    bounds = {group.name_row(result): _read_bounds(result) for result in group.results if not result.failed}
    one, other = bounds.get(before), bounds.get(after)
    return None if one is None or other is None else (one, other)


def _find_roots(points: Sequence[tuple[int, float]]) -> Iterator[float]:
    """Where lines through the points fall to zero, the smallest batch first."""
    for (batch, value), (next_batch, next_value) in itertools.pairwise(points):
        if value > 0 >= next_value:
            yield batch + (next_batch - batch) * value / (value - next_value)
