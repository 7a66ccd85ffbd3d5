"""A run judged against one that was stored: pure. What may be compared at all is decided in `baselines`.

The unit is the process. Each process gives one value a metric: the percentile of its own samples, as corrected in the
report. The two sets of processes are not paired, since they ran at different times.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from infer_bench.errors import UsageError
from infer_bench.report.bench import BenchReport, BenchResult, Process
from infer_bench.report.gate import Check, Gate, Side
from infer_bench.stats.decisions import mann_whitney as ranks
from infer_bench.stats.percentiles import minimum_samples, percentile_rank, quantile

ALPHA = 0.01
BETA = 0.05
LEAST_LIMIT = 0.05
"""Two runs at different times differ by what the machine does in between, which no number of processes shows."""
PROCESSES = 9
"""A run that is to be stored, or compared with one, should have as many: 9 against 9 can reach an error of 1 in
48,620."""

_POWER_MISS = 0.05
_SMALLEST_NS = 0.5
"""What a corrected percentile counts for at least: half the clock's unit."""


def judge_stored(
    ours: BenchReport,
    stored: BenchReport,
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
    shown = [metric for metric in limits if _percent(metric) > 50] if advisory is None else advisory
    known = {_key(result): result for result in stored.results}
    pairs = [(result, known.get(_key(result))) for result in ours.results]
    share = alpha / max(1, len(pairs) * sum(1 for metric in limits if metric not in shown))
    return tuple(
        _advice(check) if metric in shown else check
        for result, base in pairs
        for metric, limit in limits.items()
        for check in [_check(result, base, metric, limit, share, beta)]
    )


def check_limits(limits: Mapping[str, float]) -> None:
    """Raises `UsageError` for limits that a stored baseline cannot carry."""
    for metric, limit in limits.items():
        _percent(metric)
        if not LEAST_LIMIT <= limit < math.inf:
            raise UsageError(
                f"{metric}: a stored baseline can carry a limit of {LEAST_LIMIT:.0%} or more, not {limit:.3g}",
                "run paired for a narrower one: --against OLD_MODEL",
            )


def stored_gate(
    ours: BenchReport,
    stored: BenchReport,
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
        baseline=_side(stored, stored.results[0]) if stored.results else Side("", ""),
        sides=tuple(_side(ours, result) for result in ours.results),
        checks=tuple(checks),
        settings={"stored_at": stored.created_at, "stored_tool_version": stored.tool_version},
    )


def layout_values(result: BenchResult, metric: str) -> list[float]:
    """The percentile `metric` of each process that has enough samples for it, in ns a call."""
    q = quantile(_percent(metric))
    values = (_percentile(process, q, result) for process in result.processes)
    return [value for value in values if value is not None]


def _side(report: BenchReport, result: BenchResult) -> Side:
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


def _check(
    result: BenchResult, base: BenchResult | None, metric: str, limit: float, alpha: float, beta: float
) -> Check:
    bare = Check(
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
        return replace(bare, outcome="failed", reason=result.failed)
    if base is None or base.failed is not None:
        return replace(bare, reason="the baseline holds no measurement of it")
    if _percent(metric) > 50 and result.calls_per_sample != base.calls_per_sample:
        calls = f"{result.calls_per_sample} here and of {base.calls_per_sample} in the baseline"
        return replace(bare, reason=f"a sample is the mean of {calls}, which have different tails")
    return _compared(bare, layout_values(result, metric), layout_values(base, metric), alpha, beta)


def _compared(bare: Check, ours: Sequence[float], stored: Sequence[float], alpha: float, beta: float) -> Check:
    n, m, bound = len(ours), len(stored), 1 + bare.limit
    if not n or not m:
        least = minimum_samples(quantile(_percent(bare.metric)))
        where = "this run" if not n else "the baseline"
        return replace(bare, layouts=n, reason=f"no process of {where} has the {least} samples that it takes")
    ordered = ranks.ratios(ours, stored)
    check = replace(
        bare,
        baseline=float(median(stored)),
        value=float(median(ours)),
        ratio=ranks.centre(ordered),
        low=ranks.lower(ordered, n, m, alpha),
        high=ranks.upper(ordered, n, m, beta),
        layouts=n,
        beyond=sum(value > bound * median(stored) for value in ours),
    )
    return _decided(check, ordered, m, alpha, beta)


def _decided(check: Check, ordered: Sequence[float], m: int, alpha: float, beta: float) -> Check:
    n, bound, low, high = check.layouts, 1 + check.limit, check.low, check.high
    if low is None or high is None or check.ratio is None:
        least = ranks.enough(min(alpha, beta))
        sizes = f"processes, {n} here and {m} in the baseline"
        return replace(check, reason=f"too few {sizes}: {least} on either side would do")
    above = ranks.lower(ordered, n, m, _POWER_MISS) or low
    seen = (check.ratio / low) * (check.ratio / above)
    check = replace(check, would_see=seen - 1, would_fail=bound * seen - 1)
    if low > bound:
        return replace(check, outcome="regressed")
    if high < bound:
        return replace(check, outcome="pass")
    return replace(check, reason=f"between {low:.3f} and {high:.3f} times the baseline: more processes would tell")


def _advice(check: Check) -> Check:
    if check.outcome == "failed":
        return check
    why = check.reason if check.ratio is None else "a tail belongs to the hour as much as to the code: judge it paired"
    return replace(check, outcome="advisory", reason=why)


def reasons(checks: Iterable[Check]) -> tuple[str, ...]:
    """A line for every check that did not pass, for a verdict."""
    return tuple(
        f"{check.candidate}, batch {check.batch:,}, {check.metric}: {_said(check)}"
        for check in checks
        if check.outcome not in ("pass", "advisory")
    )


def _said(check: Check) -> str:
    if check.outcome != "regressed" or check.ratio is None:
        return f"{check.outcome}: {check.reason}"
    return f"{check.ratio:.3f} times the baseline, at least {check.low:.3f}; the limit is {1 + check.limit:.3f}"
