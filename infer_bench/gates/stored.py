"""A run judged against one that was stored: pure. What may be compared at all is decided in `baseline`.

The unit is the process. Each process gives one value a metric: the percentile of its own samples, as corrected in the
report. The two sets of processes are not paired, since they ran at different times.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from infer_bench.errors import UsageError
from infer_bench.gates.stored_size import ALPHA, BETA, check_stored_size
from infer_bench.report.bench import BenchReport, BenchResult, Process
from infer_bench.report.gate import Check, Gate, Side
from infer_bench.stats.decisions import mann_whitney
from infer_bench.stats.percentiles import minimum_samples, percentile_rank, quantile

LEAST_LIMIT = 0.05
"""Two runs at different times differ by what the machine does in between, which no number of processes shows."""
_POWER_MISS = 0.05
_SMALLEST_NS = 0.5
"""What a corrected percentile counts for at least: half the clock's unit."""


def judge_stored(
    ours: BenchReport,
    baseline: BenchReport,
    limits: Mapping[str, float],
    alpha: float = ALPHA,
    beta: float = BETA,
    advisory: Collection[str] | None = None,
) -> tuple[Check, ...]:
    """One check for each result of `ours` and each metric of `limits` (`p50`, `p99.9` → the share allowed on top).

    `regressed`: the exact one-sided Mann-Whitney test, with the stored values multiplied by 1 + limit, says that ours
    are greater; `alpha` is shared out over all checks that are judged. `pass`: the same test says, at `beta`, that they
    are smaller. `low` and `high` are those tests turned into bounds, `ratio` the Hodges-Lehmann estimate between them.
    The test takes the two distributions to be of one shape on a log scale.

    Metrics in `advisory` are shown and not judged; by default those above the median, since a tail belongs to what else
    runs at the hour, which differs between two runs however many processes each has.

    Raises `UsageError` for a limit below 5 % or a metric that is no percentile.
    """
    check_limits(limits)
    advisory_metrics = [metric for metric in limits if _percent(metric) > 50] if advisory is None else advisory
    by_key = {_key(result): result for result in baseline.results}
    pairs = [(result, by_key.get(_key(result))) for result in ours.results]
    share = alpha / max(1, len(pairs) * sum(1 for metric in limits if metric not in advisory_metrics))
    return tuple(
        _make_advisory(check) if metric in advisory_metrics else check
        for result, other in pairs
        for metric, limit in limits.items()
        for check in [_check_metric(result, other, metric, limit, share, beta)]
    )


def check_storable(report: BenchReport) -> None:
    """Raises `UsageError` for a run, or the plan of one, by which no later run could be judged: too few processes.

    Of a run those count that have the samples which a median takes.
    """
    planned = report.settings.get("processes")
    counts = [len(process_values(result, "p50")) for result in report.results] if report.complete else []
    processes = min(counts, default=planned if isinstance(planned, int) else 1)
    check_stored_size(processes, len(report.results))


def check_limits(limits: Mapping[str, float]) -> None:
    """Raises `UsageError` for limits that a stored baseline cannot carry."""
    for metric, limit in limits.items():
        _percent(metric)
        if not LEAST_LIMIT <= limit < math.inf:
            raise UsageError(
                f"{metric}: a stored baseline can carry a limit of {LEAST_LIMIT:.0%} or more, not {limit:.3g}",
                "run paired for a narrower one: --against OLD_MODEL",
            )


def build_stored_gate(
    ours: BenchReport,
    baseline: BenchReport,
    checks: Sequence[Check],
    alpha: float = ALPHA,
    beta: float = BETA,
    wall_ns: int = 0,
) -> Gate:
    """The `Gate` of a report that was judged against a stored one; `wall_ns` is how long all of it took."""
    processes = [process for result in ours.results for process in result.processes]
    return Gate(
        mode="stored",
        layouts=max((len(result.processes) for result in ours.results), default=0),
        rounds=max((len(process.rounds) for process in processes), default=0),
        alpha=alpha,
        beta=beta,
        measured_ns=sum(process.warmup_ns + sum(r.wall_ns for r in process.rounds) for process in processes),
        wall_ns=wall_ns,
        baseline=_describe(baseline, baseline.results[0]) if baseline.results else Side("", ""),
        sides=tuple(_describe(ours, result) for result in ours.results),
        checks=tuple(checks),
        settings={"stored_at": baseline.created_at, "stored_tool_version": baseline.tool_version},
    )


def process_values(result: BenchResult, metric: str) -> list[float]:
    """The percentile `metric` of each process that has enough samples for it, in ns a call."""
    q = quantile(_percent(metric))
    values = (_percentile(process, q, result) for process in result.processes)
    return [value for value in values if value is not None]


def _describe(report: BenchReport, result: BenchResult) -> Side:
    machine = report.environment
    return Side(result.candidate, result.model.path, machine.python, machine.executable, machine.packages)


def _key(result: BenchResult) -> tuple[str, str, int]:
    """A function of the user's has no hash: its name stands for it."""
    return result.candidate, result.model.sha256 or result.model.path, result.batch


def _percent(metric: str) -> float:
    try:
        percent = float(metric.removeprefix("p"))
    except ValueError:
        percent = math.nan
    if not (metric.startswith("p") and 0 < percent < 100):
        raise UsageError(
            f"a stored baseline judges percentiles only, not {metric!r}", "run paired for it: --against OLD_MODEL"
        )
    return percent


def _percentile(process: Process, q: float, result: BenchResult) -> float | None:
    """The nearest rank of the process's own samples, corrected as those of the report are."""
    floor = result.request.floor_ns if result.request else 0
    blocks = [np.maximum(np.array(r.request_ns) - floor, 0.0) / r.calls_per_sample for r in process.rounds]
    samples = np.sort(np.concatenate(blocks)) if blocks else np.array([])
    if len(samples) < minimum_samples(q):
        return None
    return max(_SMALLEST_NS, float(samples[percentile_rank(len(samples), q) - 1]))


def _check_metric(
    result: BenchResult, base: BenchResult | None, metric: str, limit: float, alpha: float, beta: float
) -> Check:
    blank = Check(
        candidate=result.candidate,
        against=result.candidate,
        model=result.model.path,
        batch=result.batch,
        metric=metric,
        kind="regression",
        limit=limit,
        outcome="inconclusive",
    )
    if result.failed is not None:
        return replace(blank, outcome="failed", reason=result.failed)
    if base is None or base.failed is not None:
        return replace(blank, reason="the baseline holds no measurement of it")
    if _percent(metric) > 50 and result.calls_per_sample != base.calls_per_sample:
        calls = f"{result.calls_per_sample} here and of {base.calls_per_sample} in the baseline"
        return replace(blank, reason=f"a sample is the mean of {calls}, which have different tails")
    return _compare(blank, process_values(result, metric), process_values(base, metric), alpha, beta)


def _compare(blank: Check, ours: Sequence[float], theirs: Sequence[float], alpha: float, beta: float) -> Check:
    n, m, bound = len(ours), len(theirs), 1 + blank.limit
    if not n or not m:
        least = minimum_samples(quantile(_percent(blank.metric)))
        where = "this run" if not n else "the baseline"
        return replace(blank, layouts=n, reason=f"no process of {where} has the {least} samples that it takes")
    ordered = mann_whitney.ratios(ours, theirs)
    check = replace(
        blank,
        baseline=float(median(theirs)),
        value=float(median(ours)),
        ratio=mann_whitney.centre(ordered),
        low=mann_whitney.lower(ordered, n, m, alpha),
        high=mann_whitney.upper(ordered, n, m, beta),
        layouts=n,
        beyond=sum(value > bound * median(theirs) for value in ours),
    )
    return _decide(check, ordered, m, alpha, beta)


def _decide(check: Check, ordered: Sequence[float], m: int, alpha: float, beta: float) -> Check:
    n, bound, low, high = check.layouts, 1 + check.limit, check.low, check.high
    if low is None or high is None or check.ratio is None:
        least = mann_whitney.enough(min(alpha, beta))
        sizes = f"processes, {n} here and {m} in the baseline"
        return replace(check, reason=f"too few {sizes}: {least} on either side would do")
    above = mann_whitney.lower(ordered, n, m, _POWER_MISS) or low
    would_see = (check.ratio / low) * (check.ratio / above)
    check = replace(check, would_see=would_see - 1, would_fail=bound * would_see - 1)
    if low > bound:
        return replace(check, outcome="regressed")
    if high < bound:
        return replace(check, outcome="pass")
    return replace(check, reason=f"between {low:.3f} and {high:.3f} times the baseline: more processes would tell")


def _make_advisory(check: Check) -> Check:
    if check.outcome == "failed":
        return check
    why = check.reason if check.ratio is None else "a tail belongs to the hour as much as to the code: judge it paired"
    return replace(check, outcome="advisory", reason=why)
