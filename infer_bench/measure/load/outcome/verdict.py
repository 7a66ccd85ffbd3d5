"""What a load comes to, and the exit code. Pure."""

from collections.abc import Sequence

from infer_bench.gates.rules import EXIT_CODES
from infer_bench.report.common import Verdict
from infer_bench.report.load import LatencyLimit, LoadResult, SearchOutcome
from infer_bench.stats.load.digits import write_beside
from infer_bench.stats.percentiles import minimum_samples

_MOST_OUTPUTS = 3


def conclude(results: Sequence[LoadResult]) -> Verdict:
    """`failed` where nothing was answered right, `inconclusive` where that cannot be told, else by the limits."""
    failures = [reason for result in results for reason in _list_failures(result)]
    is_search = bool(results) and results[0].search is not None  # whose highest rates may well be more than it bears
    if not results or (failures and not (is_search and len(failures) < len(results))):
        return Verdict("failed", EXIT_CODES["failed"], tuple(failures or ["nothing was measured"]))
    differences = tuple(map(_describe_difference, filter(_differs, results)))
    if differences:
        return Verdict("different", EXIT_CODES["different"], differences)
    if results[0].search is not None:
        return _conclude_search(results[0].search, results)
    limits = [(limit, result) for result in results for limit in result.limits]
    broken = tuple(_describe_broken(limit) for limit, _ in limits if limit.status == "broken")
    if broken:
        return Verdict("regressed", EXIT_CODES["regressed"], broken)
    reasons = tuple(f"{reason.message} ({reason.hint})" for result in results for reason in result.invalid_reasons)
    if reasons:
        return Verdict("inconclusive", EXIT_CODES["inconclusive"], reasons)
    undecided = tuple(_describe_undecided(*pair) for pair in limits if pair[0].status == "undecided")
    return Verdict("inconclusive", EXIT_CODES["inconclusive"], undecided) if undecided else Verdict("pass", 0)


def _differs(result: LoadResult) -> bool:
    return result.comparison is not None and result.comparison.different > 0


def _describe_difference(result: LoadResult) -> str:
    comparison = result.comparison
    assert comparison is not None
    worst = "" if comparison.max_abs_delta is None else f", by {comparison.max_abs_delta:.2g} at the most"
    count, names = f"{comparison.different:,} of {comparison.answers:,}", ", ".join(comparison.outputs[:_MOST_OUTPUTS])
    where = f" in {names}{', …' if len(comparison.outputs) > _MOST_OUTPUTS else ''}" if names else ""
    return f"{count} answers are not what {comparison.model} predicts{where}{worst}"


def _conclude_search(search: SearchOutcome, results: Sequence[LoadResult]) -> Verdict:
    """A pass where both bounds are known; what the generator cannot judge is not known of the service."""
    limits = " and ".join(limit.text for limit in results[0].limits)
    if search.end == "nothing-holds":
        lowest = min(result.rate_asked or 0.0 for result in results)
        return Verdict("regressed", EXIT_CODES["regressed"], (f"{limits} is broken at {lowest:,.6g}/s already",))
    if search.end == "precision" and search.low is not None:
        return Verdict("pass", EXIT_CODES["pass"])
    least = "nothing is known to hold" if search.low is None else f"{limits} holds at {search.low:,.6g}/s"
    why = {
        "generator": "the generator was at its limit above (give it a core of its own)",
        "trials": f"{search.trials} trials did not agree",
        "rate": "no higher rate was tried",
    }
    return Verdict(
        "inconclusive", EXIT_CODES["inconclusive"], (f"{least}: {why.get(search.end, 'the bounds are not known')}",)
    )


def _list_failures(result: LoadResult) -> list[str]:
    if result.samples > sum(result.errors.values()):
        return []
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in result.errors.items())
    return [f"not one of {result.samples:,} requests was answered right: {kinds}"]


def _describe_broken(limit: LatencyLimit) -> str:
    return f"{limit.metric} is {_describe_value(limit)}, the limit is {limit.text}"


def _describe_value(limit: LatencyLimit) -> str:
    if limit.value_ns is None:
        return "a request without a right answer"
    return f"{write_beside(limit.value_ns / 1e6, limit.limit_ns / 1e6, 4)} ms"


def _describe_undecided(limit: LatencyLimit, result: LoadResult) -> str:
    from infer_bench.gates.limits import share_of

    if limit.is_close:
        return f"{_describe_broken(limit)}: too close for {result.samples:,} requests (a longer --duration)"
    needs = minimum_samples(share_of(limit.metric) or 0.5)
    return f"{limit.metric} takes {needs:,} requests (a longer --duration)"
