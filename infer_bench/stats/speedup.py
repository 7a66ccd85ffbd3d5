"""How many times faster one candidate is than another, with an interval whose unit is the pair of processes."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from infer_bench.stats.layout_interval import layout_interval
from infer_bench.stats.percentiles import interval, median, percentile
from infer_bench.stats.summary import Processes
from infer_bench.typing import Samples

_SMALLEST_NS = 0.5
"""What a block's median counts for at least, after correction: half the clock's unit."""


def speedup(
    reference: Processes,
    candidate: Processes,
    reference_floor_ns: int | Sequence[int] = 0,
    candidate_floor_ns: int | Sequence[int] = 0,
    reference_calls: int = 1,
    candidate_calls: int = 1,
) -> tuple[float, float | None, float | None] | None:
    """`(ratio, low, high)`: time of the reference over time of the candidate, with its 95 % interval.

    Both are processes -> rounds -> samples (1-D int64 ns as stamped), process i and round j of the one measured
    beside process i and round j of the other. In each round the ratio of the two blocks' medians, corrected for the
    floor and divided by the calls a sample; over the rounds of a pair the median; over the pairs the median again. Slow
    drift of the machine cancels in the first step, disturbed rounds drop out in the second.

    The interval is `layout_interval` over the pairs, on the log scale, its floor widened by what the pairs' own
    sign-test intervals leave open. A pair with no round in common is left out; low and high are None with fewer
    than two pairs, and the whole is None with none.
    """
    floors = (_each(reference_floor_ns, len(reference)), _each(candidate_floor_ns, len(candidate)))
    pairs = [
        logs
        for ours, theirs, floor, other in zip(reference, candidate, *floors, strict=False)
        if (logs := _round_logs(ours, theirs, (floor, other), (reference_calls, candidate_calls)))
    ]
    if not pairs:
        return None
    centres = [median(logs) for logs in pairs]
    ratio = math.exp(median(centres))
    if len(pairs) < 2:
        return ratio, None, None
    low, high = layout_interval(centres, within=median([_half_width(logs) for logs in pairs]))
    return ratio, math.exp(low), math.exp(high)


def _each(floor_ns: int | Sequence[int], count: int) -> list[float]:
    return [float(floor) for floor in np.broadcast_to(np.asarray(floor_ns), count)]


def _round_logs(
    reference: Sequence[Samples], candidate: Sequence[Samples], floors: tuple[float, float], calls: tuple[int, int]
) -> list[float]:
    """The log of the ratio of each round that both measured."""
    return [
        math.log(_block(ours, floors[0], calls[0]) / _block(theirs, floors[1], calls[1]))
        for ours, theirs in zip(reference, candidate, strict=False)
        if len(ours) and len(theirs)
    ]


def _block(samples: Samples, floor_ns: float, calls: int) -> float:
    """A block's median, ns a call."""
    return max(median(samples) - floor_ns, _SMALLEST_NS) / calls


def _half_width(logs: Sequence[float]) -> float:
    """Half the sign-test interval of the median over rounds; half the range when the rounds are too few for one."""
    ordered = sorted(logs)
    low, high = interval(len(ordered), 0.5) or (1, len(ordered))
    return (ordered[high - 1] - ordered[low - 1]) / 2


def layout_logs(
    reference: Processes,
    candidate: Processes,
    share: float,
    floors: tuple[Sequence[int], Sequence[int]],
    calls: tuple[int, int],
) -> list[float]:
    """The log of candidate over reference at the percentile `share`, one a layout: the median over its rounds.

    Both are layouts -> rounds -> samples as for `speedup`, `floors` and `calls` those of (reference, candidate). A
    layout without a round in common is left out.
    """
    medians = []
    for ours, theirs, floor, other in zip(reference, candidate, *floors, strict=False):
        logs = [
            math.log(block_quantile(b, share, other, calls[1]) / block_quantile(a, share, floor, calls[0]))
            for a, b in zip(ours, theirs, strict=False)
            if len(a) and len(b)
        ]
        if logs:
            medians.append(median(logs))
    return medians


def merge_rounds(layouts: Sequence[Sequence[Samples]], least: int) -> list[list[Samples]]:
    """The rounds of layouts measured side by side, as many in a row taken together as have `least` samples.

    All layouts are merged alike, and what does not fill a last round goes to the one before. Where all rounds together
    have too few they stay as they are.
    """
    count, fewest = min(map(len, layouts)), min((len(block) for rounds in layouts for block in rounds), default=0)
    each = -(-least // max(1, fewest))
    if each == 1 or each > count:
        return [list(rounds) for rounds in layouts]
    cuts = [*range(0, count - each + 1, each), count]
    return [[np.concatenate(rounds[a:b]) for a, b in pairwise(cuts)] for rounds in layouts]


def block_quantile(samples: Samples, share: float, floor_ns: float, calls: int) -> float:
    """A percentile of samples, corrected for the floor, in ns a call: nearest rank, but the usual median at 0.5."""
    value = median(samples) if share == 0.5 else float(percentile(samples, share))
    return max(value - floor_ns, _SMALLEST_NS) / calls
