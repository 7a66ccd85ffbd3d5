"""What a load showed, in the columns and sentences that every reporter of text shares. Pure."""

from collections.abc import Iterator
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.load import AnswerComparison, LatencyLimit, LoadResult, LoadShare, Times
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name

PERCENTILES = {"p50": "p50_ns", "p95": "p95_ns", "p99": "p99_ns", "p99.9": "p999_ns"}
TITLES = {"achieved": "answered", **{name: name for name in PERCENTILES}, "lag": "lag p99", "errors": "errors"}
"""Column keys and titles, that of the rate left out."""
SEARCH_TITLES = {"limits": "limits"}
"""Of a search for a rate, too."""
PRIMARY = "primary"
"""The path of an answer that the first model gave."""
MOST_OUTPUTS = 3
NO_ANSWER = "no answer"
"""A percentile that is a request without a right answer."""


def name_target(report: Report[Any], result: LoadResult) -> str:
    """The address, with the model that was served there."""
    served = report.settings.get("served")
    return f"{file_name(str(served))} at {result.target}" if served else result.target


def describe_comparison(result: LoadResult) -> str:
    """Answers beside a model's predictions; empty where they were not compared."""
    comparison = result.comparison
    if comparison is None:
        return ""
    worst = f", max |Δ| {numbers.delta(comparison.max_abs_delta)}{_describe_left_out(comparison)}"
    if not comparison.different:
        return f"All {numbers.plural(comparison.answers, 'answer')} are what {comparison.model} predicts{worst}."
    share = f"{numbers.count(comparison.different)} of {numbers.plural(comparison.answers, 'answer')}"
    return f"DIFFERENT: {share} are not what {comparison.model} predicts{_name_outputs(comparison)}{worst}."


def _describe_left_out(comparison: AnswerComparison) -> str:
    count = comparison.left_out
    return f"; {numbers.plural(count, 'more answer')} not compared, for want of memory" if count else ""


def _name_outputs(comparison: AnswerComparison) -> str:
    """The outputs of a network that differ; empty for other models."""
    names = comparison.outputs
    return f" in {', '.join(names[:MOST_OUTPUTS])}{', …' if len(names) > MOST_OUTPUTS else ''}" if names else ""


def describe_conditions(report: Report[Any], result: LoadResult) -> str:
    """`predict · open loop, poisson arrivals · 64 connections · 10 s after 2 s of warm-up`."""
    settings = report.settings
    loop = f"{result.loop} loop" + (f", {result.arrivals} arrivals" if result.arrivals else "")
    batch, warmup = settings.get("batch"), settings.get("warmup_s")
    span = _describe_span(report, result) + (f" after {warmup:g} s of warm-up" if warmup else "")
    connections = numbers.plural(result.connections, "connection") if result.loop == "open" else ""
    workers = numbers.plural(len(result.shares), "worker") if result.shares else ""
    parts = [part for part in (result.protocol, loop, workers, connections, span) if part]
    parts += [f"{numbers.count(batch)} rows a request"] if isinstance(batch, int) and batch > 1 else []
    return " · ".join(parts)


def _describe_span(report: Report[Any], result: LoadResult) -> str:
    """How long was measured: `10 s`; of a search, whose trials differ in length, `2–4.7 s a trial`."""
    if not is_search(report):
        return f"{result.duration_ns / 1e9:,.4g} s"
    spans = [trial.duration_ns / 1e9 for trial in report.results]
    return "–".join(dict.fromkeys(f"{span:,.2g}" for span in (min(spans), max(spans)))) + " s a trial"


def name_first(result: LoadResult) -> str:
    """The title of the first column."""
    return "due" if result.loop == "open" else "sent"


def name_rate(result: LoadResult) -> str:
    """The rate that was asked for, or how many requests were on their way: `1,000/s`, `8 at a time`."""
    if result.rate_asked is not None:
        return f"{result.rate_asked:,.6g}/s"
    return f"{numbers.count(result.concurrency or 0)} at a time"


def fill_columns(result: LoadResult) -> dict[str, str]:
    """The line of a result."""
    return {
        "achieved": f"{numbers.rate(result.rate_achieved)}/s",
        **fill_percentiles(result.latency),
        "lag": numbers.MISSING if result.lag is None else format_percentile(result.lag, "p99"),
        "errors": numbers.count(sum(result.errors.values())),
        "limits": _judge_limits(result),
    }


def _judge_limits(result: LoadResult) -> str:
    statuses = [limit.status for limit in result.limits]
    return next((status for status in ("broken", "undecided", "holds") if status in statuses), "")


def select_columns(report: Report[Any]) -> dict[str, str]:
    """The columns of a report: key → title."""
    return TITLES | SEARCH_TITLES if is_search(report) else TITLES


def fill_percentiles(times: Times) -> dict[str, str]:
    """The columns of the percentiles."""
    return {name: format_percentile(times, name) for name in PERCENTILES}


def format_percentile(times: Times, name: str) -> str:
    """A percentile, what it needs, or that it is a request without a right answer."""
    value = getattr(times, PERCENTILES[name])
    if value is not None:
        return numbers.duration(value)
    return numbers.needs(times.needs[name]) if name in times.needs else NO_ANSWER


def fill_parts(result: LoadResult) -> Iterator[tuple[str, dict[str, str]]]:
    """Lines below a result: its intervals, the time from sending, the server's own, and what each worker sent."""
    if result.latency.intervals:
        yield "95 % at least", {name: numbers.duration(low) for name, (low, _) in result.latency.intervals.items()}
        yield "95 % at most", {name: _format_end(high) for name, (_, high) in result.latency.intervals.items()}
    yield "from sending", fill_percentiles(result.service)
    for phase, times in result.phases.items():
        yield f"server's {phase}", fill_percentiles(times)
    for share in result.shares:
        yield f"worker {_name_worker(share)}", fill_share(share)


def _format_end(high_ns: int | None) -> str:
    return "?" if high_ns is None else numbers.duration(high_ns)


def fill_share(share: LoadShare) -> dict[str, str]:
    """The line of a worker: how many requests fell to it, and what became of them."""
    if share.latency is None or share.lag is None:
        return {"achieved": "no report"}
    lag, errors = format_percentile(share.lag, "p99"), numbers.count(share.errors)
    return {
        "achieved": f"{numbers.count(share.requests)}",
        **fill_percentiles(share.latency),
        "lag": lag,
        "errors": errors,
    }


def _name_worker(share: LoadShare) -> str:
    return share.worker.rpartition("//")[2]


def describe_clocks(result: LoadResult) -> str:
    """How far the start of the workers may be apart; empty where they have one clock, or none reported."""
    within_ns = max((share.clock_ns or 0 for share in result.shares), default=0)
    if not within_ns:
        return ""
    spread = " Evenly spaced requests may be as far from their places." if result.arrivals == "constant" else ""
    return f"The workers' clocks are known to within {numbers.duration(within_ns)}.{spread}"


def describe_invalid(result: LoadResult) -> Iterator[tuple[str, str]]:
    """Why the numbers are not the server's alone, each with what to do."""
    for reason in result.invalid_reasons:
        yield f"INVALID at {name_rate(result)}: {reason.message}", reason.hint


def describe_errors(result: LoadResult) -> str:
    """Requests without a right answer, by kind; empty without any."""
    total = sum(result.errors.values())
    if not total:
        return ""
    kinds = ", ".join(f"{kind} {numbers.count(count)}" for kind, count in result.errors.items())
    share = f"{numbers.count(total)} of {numbers.plural(result.samples, 'request')}"
    return f"{share} at {name_rate(result)} got no right answer: {kinds}. They count as slower than every answer."


def describe_paths(result: LoadResult) -> str:
    """That some answers came from another model than the first; empty where none did."""
    others = {path: count for path, count in result.paths.items() if path != PRIMARY}
    if not others:
        return ""
    kinds = ", ".join(f"{path} {numbers.count(count)}" for path, count in others.items())
    answers = numbers.plural(sum(result.paths.values()), "answer")
    return f"Of {answers} at {name_rate(result)} not all came from the first model: {kinds}."


def describe_shortfall(result: LoadResult) -> str:
    """That fewer requests were answered a second than were due; empty where it kept up."""
    if result.rate_asked is None or result.rate_achieved >= 0.98 * result.rate_asked:
        return ""
    return f"Of {name_rate(result)} asked for, {numbers.rate(result.rate_achieved)}/s were answered right in time."


def describe_limit(limit: LatencyLimit) -> str:
    """`p99<20ms holds: p99 is 12.3 ms`."""
    if limit.status == "undecided":
        value = "" if limit.value_ns is None else f" ({limit.metric} is {_write_beside(limit, limit.value_ns)})"
        return f"{limit.text} is undecided{value}"
    value = NO_ANSWER if limit.value_ns is None else _write_beside(limit, limit.value_ns)
    return f"{limit.text} {'holds' if limit.status == 'holds' else 'is broken'}: {limit.metric} is {value}"


def _write_beside(limit: LatencyLimit, value_ns: int) -> str:
    return numbers.duration_beside(value_ns, limit.limit_ns)


def describe_report(report: Report[Any]) -> list[str]:
    """What follows from all results together."""
    if not is_search(report):
        return []
    invalid = sum(not result.valid for result in report.results)
    trials = "trial was" if invalid == 1 else "trials were"
    note = f"{numbers.count(invalid)} {trials} not valid: a limit that holds in spite of the generator's delay, holds."
    return [describe_search(report), *([note] if invalid else [])]


def describe_search(report: Report[Any]) -> str:
    """What a search for a rate came to; empty without one."""
    search = next((result.search for result in report.results if result.search is not None), None)
    if search is None:
        return ""
    limits = " and ".join(limit.text for limit in report.results[0].limits)
    trials = f" ({numbers.plural(search.trials, 'trial')})"
    if search.low is None:
        return f"{limits} holds at no rate that was tried{trials}."
    above = "" if search.high is None else f", and not at {search.high:,.6g}/s"
    return f"{limits} holds up to {search.low:,.6g}/s{above}{trials}."


def is_search(report: Report[Any]) -> bool:
    """Whether the results are trials."""
    return any(result.search is not None for result in report.results)


def list_sentences(result: LoadResult) -> list[str]:
    """What follows from the numbers, but for their validity."""
    lines = [
        describe_comparison(result),
        describe_paths(result),
        describe_shortfall(result),
        describe_errors(result),
        describe_clocks(result),
        *map(describe_limit, result.limits),
    ]
    return [line for line in lines if line]


def conclude(report: Report[Any]) -> str:
    """The verdict in a line, without what stands above it; empty for a pass that rests on no limit."""
    if report.verdict is None:
        return "The load was not finished."
    status = report.verdict.status
    if status == "failed" or (is_search(report) and report.verdict.reasons):
        return f"{status}: {'; '.join(report.verdict.reasons)}"
    if is_search(report):
        return status
    if status == "inconclusive" and not all(result.valid for result in report.results):
        return "inconclusive: the load is not valid"
    has_limits = any(result.limits for result in report.results)
    return status if has_limits or status != "pass" else ""
