"""Which candidate is the cheapest that holds the limit."""

from infer_bench.report.bench import BenchResult, Capacity
from infer_bench.reporters.bench.columns import differs, format_cost
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.bench.sentences.sentence import enumerate_names, name_result, say_batch
from infer_bench.reporters.text import numbers


def describe_capacity(group: BatchGroup) -> str:
    """Who holds the limit at most requests a second a core, and so at the lowest price; empty where it was not asked.

    Candidates that predict something else than the reference do not count.
    """
    rated = [(result, result.capacity) for result in group.results if result.capacity is not None]
    if not rated:
        return ""
    limit = rated[0][1].limit
    holding = sorted(
        ((capacity.rate_per_core, result, capacity) for result, capacity in rated if _counts(result, capacity)),
        key=lambda entry: -(entry[0] or 0.0),
    )
    if not holding:
        return f"No candidate holds {limit}{say_batch(group)}, not even a request at a time."
    _, best, capacity = holding[0]
    text = f"{name_result(best, group)} holds {limit} at {_describe(capacity)}"
    alike = [name_result(result, group) for _, result, other in holding[1:] if not _is_above(capacity, other)]
    if alike:
        return f"{text}{say_batch(group)}; that {enumerate_names(alike)} costs more is not shown."
    return f"{text}{say_batch(group)}: {'the cheapest' if len(holding) > 1 else 'the only one'}."


def _counts(result: BenchResult, capacity: Capacity) -> bool:
    return capacity.rate_per_core is not None and not differs(result)


def _is_above(one: Capacity, other: Capacity) -> bool:
    """Whether each process of one held the limit at more than each of the other."""
    return one.low is not None and other.high is not None and one.low > other.high


def _describe(capacity: Capacity) -> str:
    rate = f"{numbers.rate(capacity.rate_per_core)} requests/s a core"
    return rate if capacity.cost_per_million is None else f"{rate}, {format_cost(capacity)} a million"
