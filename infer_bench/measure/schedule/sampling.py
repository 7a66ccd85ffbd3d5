"""How many samples and calls a block holds. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from infer_bench.measure.schedule.budget import LEAST_ROUNDS
from infer_bench.measure.settings import DEFAULT_ROUNDS
from infer_bench.stats.percentiles import minimum_samples
from infer_bench.workers.timing.runner import GROUPED_NS, SAMPLE_NS, SHORT_NS

BLOCK_NS = 10_000_000
"""A block shorter than this is at the mercy of the system's scheduler."""
BLOCK_SAMPLES = 10
"""Of a gate."""
SLOW_BLOCK_NS = 100_000_000
"""Slow requests get the ten samples only while a block stays below this."""
TAIL_SAMPLES = tuple(
    (-(-minimum_samples(share) // DEFAULT_ROUNDS), most_ns)
    for share, most_ns in ((0.99, SLOW_BLOCK_NS // 2), (0.95, SLOW_BLOCK_NS))
)
"""Of a bench: what the p99, and the p95, takes over the usual rounds, each while a block stays below so many ns."""
NEARLY_GROUPED_NS = 2 * GROUPED_NS


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How the blocks of a candidate look at one batch size; the same on each of its layouts.

    With `phases` the requests are stamped between the phases, too; else, with `split`, the phases get calls of their
    own after the block.
    """

    samples: int
    calls: int
    phases: bool
    split: bool = True


def plan_sampling(request_ns: int, scenario: str) -> SamplingPlan:
    """The plan for a request of about `request_ns`.

    A block lasts 10 ms at least; of slow requests it has those that percentiles take. Several calls a sample below
    5 µs; a whole block as one sample offline.
    """
    calls = -(-SAMPLE_NS // request_ns) if request_ns < GROUPED_NS else 1
    sample_ns = request_ns * calls
    samples = _fill_block(sample_ns, max(min(count, most_ns // sample_ns) for count, most_ns in TAIL_SAMPLES))
    if scenario == "offline":
        return SamplingPlan(1, samples * calls, False)
    return SamplingPlan(samples, calls, calls == 1 and request_ns >= SHORT_NS)


def plan_whole_requests(request_ns: int, scenario: str, samples: int, most_ns: int, calls: int = 1) -> SamplingPlan:
    """As `plan_sampling`, with as many `samples` a block as a percentile takes, where a block of `most_ns` holds them.

    Else with as many as it holds, where the fewest rounds of a layout have enough of them together.

    Phases are not timed: a gate judges requests. `calls` are those a sample of the others: a request that is nearly as
    short has as many, since the median of single calls is another number than that of their means.
    """
    if scenario == "offline":
        return SamplingPlan(1, plan_sampling(request_ns, scenario).calls, False, split=False)
    calls = calls if request_ns < NEARLY_GROUPED_NS else 1
    sample_ns = request_ns * calls
    fewest = _fewest_samples(sample_ns)
    fitting = min(samples, most_ns // sample_ns)
    most = max(fewest, fitting) if LEAST_ROUNDS * fitting >= samples else fewest
    return SamplingPlan(most, calls, False, split=False)


def _fewest_samples(sample_ns: int) -> int:
    return _fill_block(sample_ns, min(BLOCK_SAMPLES, SLOW_BLOCK_NS // sample_ns))


def _fill_block(sample_ns: int, samples: int) -> int:
    """So many samples, and more where those are too short for a block."""
    return max(1, -(-BLOCK_NS // sample_ns), samples)


def count_shared_calls(requests_ns: Iterable[int]) -> int:
    """Calls a sample where any request is so short that a sample needs several; else 1."""
    return max((-(-SAMPLE_NS // ns) for ns in requests_ns if ns < GROUPED_NS), default=1)
