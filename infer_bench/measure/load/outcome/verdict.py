"""What a load comes to, and the exit code. Pure."""

from collections.abc import Sequence

from infer_bench.report.common import Verdict
from infer_bench.report.load import LatencyLimit, LoadResult
from infer_bench.stats.percentiles import minimum_samples


def conclude(results: Sequence[LoadResult]) -> Verdict:
    """`failed` where nothing was answered right, `inconclusive` where that cannot be told, else by the limits."""
    failures = [reason for result in results for reason in _list_failures(result)]
    if failures or not results:
        return Verdict("failed", 6, tuple(failures or ["nothing was measured"]))
    limits = [limit for result in results for limit in result.limits]
    broken = tuple(_describe_broken(limit) for limit in limits if limit.status == "broken")
    if broken:
        return Verdict("regressed", 1, broken)
    reasons = tuple(f"{reason.message} ({reason.hint})" for result in results for reason in result.invalid_reasons)
    if reasons:
        return Verdict("inconclusive", 3, reasons)
    undecided = tuple(_describe_undecided(limit) for limit in limits if limit.status == "undecided")
    return Verdict("inconclusive", 3, undecided) if undecided else Verdict("pass", 0)


def _list_failures(result: LoadResult) -> list[str]:
    if result.samples > sum(result.errors.values()):
        return []
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in result.errors.items())
    return [f"not one of {result.samples:,} requests was answered right: {kinds}"]


def _describe_broken(limit: LatencyLimit) -> str:
    value = "a request without a right answer" if limit.value_ns is None else f"{limit.value_ns / 1e6:,.4g} ms"
    return f"{limit.metric} is {value}, the limit is {limit.text}"


def _describe_undecided(limit: LatencyLimit) -> str:
    from infer_bench.gates.limits import share_of

    needs = minimum_samples(share_of(limit.metric) or 0.5)
    return f"{limit.metric} takes {needs:,} requests (a longer --duration)"
