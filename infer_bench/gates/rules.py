"""From what was measured and what is allowed to a verdict. Pure: no clock, no file, no process."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infer_bench.gates.limits import MORE_BUDGET, Bound, Choice, GateLimits, share_of, unit_of
from infer_bench.gates.unnamed_limits import MOST as MOST_UNNAMED
from infer_bench.gates.unnamed_limits import resolve_limit
from infer_bench.gates.waiting import BUSY, may_be_waiting
from infer_bench.report.common import Verdict
from infer_bench.report.gate import Check
from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.decisions.outlook import layouts_needed
from infer_bench.stats.decisions.ratio_limit import Judgement, judge
from infer_bench.stats.decisions.sign_test import MOST, least_layouts
from infer_bench.stats.percentiles import minimum_samples

LEAST_SAMPLES, LEAST_SAMPLES_FROM = 200, 0.95
"""Samples a block for a ratio of percentiles: with 44 a block the p95 was noise, with 200 it was told (measured)."""
NO_ANSWERS = "no answers"
"""What stands in place of a difference while there are no predictions yet."""
_UNKNOWN: dict[str, Any] = dict.fromkeys(("baseline", "value", "ratio", "low", "high"))
"""Of a percentile that the samples of a layout are too few for."""
EXIT_CODES = {"pass": 0, "regressed": 1, "inconclusive": 3, "different": 4, "failed": 6}


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over the layouts: value by value, in the order they were measured. `baseline` is empty without one.

    `samples` is the least number of samples that a value (of a ratio: a block) rests on, `calls` how many calls a
    sample spans. `pooled` is the least number of samples of a layout, where it is another one. `least` holds what the
    values are at the least without the time in which others held the CPU; empty where that says nothing else.
    """

    candidate: Sequence[float]
    baseline: Sequence[float] = ()
    logs: Sequence[float] = ()
    samples: int = 1
    calls: int = 1
    pooled: int | None = None
    least: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class CandidateMetrics:
    """All that is judged of one candidate at one batch size. `failed` says why there may be nothing.

    Of `rows_compared` without a finite answer on both sides there is no largest difference, and no difference either.
    """

    candidate: str
    engine: str
    against: str
    model: str
    batch: int
    series: Mapping[str, Series] = field(default_factory=dict)
    totals: Mapping[str, Series] = field(default_factory=dict)
    max_abs_delta: float | None = None
    label_changes: int | None = None
    mismatches: int = 0
    rows_compared: int = 0
    delta_note: str = ""
    failed: str | None = None


def make_checks(metrics: Iterable[CandidateMetrics], limits: GateLimits) -> tuple[Check, ...]:
    """Every check of every candidate."""
    metrics = tuple(metrics)
    errors = share_errors(metrics, limits)
    return tuple(check for one in metrics for check in _check_candidate(one, limits, errors))


def share_errors(metrics: Iterable[CandidateMetrics], limits: GateLimits) -> Errors:
    """The error rates of one check: that of calling a regression is shared among all that are left to chance."""
    count = sum(_count_chances(one, limits) for one in metrics)
    return Errors(limits.errors.alpha / max(1, count), limits.errors.beta)


def _count_chances(one: CandidateMetrics, limits: GateLimits) -> int:
    shares = sum(metric != "size" for metric in limits.shares) if one.against else 0
    return shares + sum(_is_concerned(bound, one) and bound.metric != "size" for bound in limits.bounds)


def _is_concerned(bound: Bound, one: CandidateMetrics) -> bool:
    return bound.concerns(one.candidate, one.engine, one.model)


def _check_candidate(one: CandidateMetrics, limits: GateLimits, errors: Errors) -> Iterable[Check]:
    for metric, share in limits.shares.items() if one.against else ():
        yield _check_share(metric, share, one, errors, is_named=metric not in limits.unnamed)
    for bound in limits.bounds:
        if _is_concerned(bound, one):
            blank = Check(one.candidate, "", one.model, one.batch, bound.metric, "limit", bound.value, "inconclusive")
            yield _judge(blank, one, _compare_with_bound(one.totals.get(bound.metric), bound.value), 0.0, errors)
    if limits.max_delta is not None:
        yield _check_delta(one, limits.max_delta)


def _check_share(metric: str, share: float, one: CandidateMetrics, errors: Errors, *, is_named: bool) -> Check:
    blank = Check(one.candidate, one.against, one.model, one.batch, metric, "regression", share, "inconclusive")
    series, widest = one.series.get(metric), share if is_named else max(share, MOST_UNNAMED)
    check = _judge(blank, one, series, math.log1p(share), errors, math.log1p(widest))
    if is_named or series is None or series.samples < count_needed_samples(share_of(metric) or 0.0):
        return check
    return resolve_limit(check, series.logs, errors)


def _compare_with_bound(series: Series | None, bound: float) -> Series | None:
    if series is None:
        return None
    return replace(series, baseline=(), logs=_divide(series.candidate, bound), least=_divide(series.least, bound))


def _divide(values: Sequence[float], bound: float) -> list[float]:
    """The logs of how many times the bound the values are."""
    return [math.log(max(value, 0.5) / bound) for value in values]


def _judge(
    blank: Check,
    one: CandidateMetrics,
    series: Series | None,
    limit: float,
    errors: Errors,
    widest: float | None = None,
) -> Check:
    """`limit` is a log, as is `widest`: the largest that would do, where it is not the same one."""
    blank = replace(blank, unit=unit_of(blank.metric))
    if one.failed is not None:
        return replace(blank, outcome="failed", reason=one.failed)
    if series is None or not series.candidate:
        size = blank.metric == "size"
        return replace(blank, reason="there is no file" if size else "nothing was measured", final=size)
    if blank.metric == "size":
        return replace(blank, **_describe_size(series, limit))
    return replace(blank, **_describe_ratio(blank, series, limit, errors, limit if widest is None else widest))


def _describe_size(series: Series, limit: float) -> dict[str, Any]:
    """The size of a file is no estimate."""
    value, log = series.candidate[0], series.logs[0]
    ratio = math.exp(log) if series.baseline else None
    return {
        "outcome": "regressed" if log > limit + 1e-12 else "pass",
        "baseline": series.baseline[0] if series.baseline else None,
        "value": value,
        "ratio": ratio,
        "low": ratio,
        "high": ratio,
        "layouts": 1,
        "beyond": int(log > limit + 1e-12),
        "would_see": 0.0 if series.baseline else None,
    }


def _describe_ratio(blank: Check, series: Series, limit: float, errors: Errors, widest: float) -> dict[str, Any]:
    judgement = judge(series.logs, limit, errors)
    has_baseline = blank.kind == "regression"
    scale = 1.0 if has_baseline else blank.limit
    fields: dict[str, Any] = {
        "outcome": judgement.outcome,
        "baseline": float(np.median(series.baseline)) if has_baseline else None,
        "value": float(np.median(series.candidate)),
        "ratio": math.exp(judgement.centre) if has_baseline else None,
        "low": _finite_ratio(judgement.low, scale),
        "high": _finite_ratio(judgement.high, scale),
        "layouts": judgement.layouts,
        "beyond": judgement.beyond,
    }
    if has_baseline and judgement.would_see is not None:
        fields["would_see"] = math.expm1(judgement.would_see)
        fields["would_fail"] = math.expm1(judgement.would_see + limit)
    return fields | _find_reservation(blank, series, judgement, (limit, widest), errors)


def _finite_ratio(log: float, scale: float) -> float | None:
    return math.exp(log) * scale if math.isfinite(log) else None


def _find_reservation(
    blank: Check, series: Series, judgement: Judgement, limits: tuple[float, float], errors: Errors
) -> dict[str, Any]:
    """Why the sample cannot carry a verdict, if it cannot; else why it is inconclusive, if it is.

    `limits`: the one asked for, and the widest that would do.
    """
    share = share_of(blank.metric)
    if share is not None and share != 0.5 and series.calls > 1:
        reason = f"calls are too short to be timed singly: a sample is the mean of {series.calls}"
        return {"outcome": "advisory", "reason": reason}
    least = count_needed_samples(share) if share is not None else 1
    if series.samples < least and share is not None:
        per = "block" if blank.kind == "regression" else "layout"
        outcome = "advisory" if share > 0.95 else "inconclusive"
        count = f"{series.samples} {'sample' if series.samples == 1 else 'samples'}"
        reason = f"{count} a {per} where {blank.metric} needs {least}: {MORE_BUDGET}, or limit p50 alone"
        fields: dict[str, Any] = {"outcome": outcome, "reason": reason, "final": True}
        fields |= {"would_see": None, "would_fail": None}
        pooled = series.samples if series.pooled is None else series.pooled
        return fields | (_UNKNOWN if pooled < minimum_samples(share) else {})
    if judgement.outcome == "regressed" and may_be_waiting(series.least, limits[0], errors):
        return {"outcome": "inconclusive", "reason": BUSY, "final": True}
    if judgement.outcome != "inconclusive":
        return {}
    return {
        "reason": _explain_inconclusive(blank, judgement, limits[0], errors),
        "layouts_needed": layouts_needed(series.logs, limits[1], errors),
        "final": judgement.layouts >= MOST,
    }


def count_needed_samples(share: float) -> int:
    """Samples a block that a ratio of this percentile takes."""
    if share <= 0.5:
        return 1
    return max(minimum_samples(share), LEAST_SAMPLES if share >= LEAST_SAMPLES_FROM else 1)


def _explain_inconclusive(blank: Check, judgement: Judgement, limit: float, errors: Errors) -> str:
    least = least_layouts(errors.alpha)
    if judgement.layouts < least:
        return f"{judgement.layouts} of the {least} layouts that a verdict takes: {MORE_BUDGET}"
    would_see = judgement.would_see
    if blank.kind == "regression" and judgement.high < limit and would_see is not None:
        return f"slow-downs as large as the limit would not have been seen: {MORE_BUDGET}, or a larger limit"
    return f"too close to the limit for this sample: {MORE_BUDGET}, or move the limit"


def _check_delta(one: CandidateMetrics, most: float) -> Check:
    blank = Check(one.candidate, one.against, one.model, one.batch, "max_abs_delta", "delta", most, "pass", unit="")
    if one.failed is not None:
        return replace(blank, outcome="failed", reason=one.failed)
    blank = replace(blank, value=one.max_abs_delta)
    if one.mismatches:
        return replace(blank, outcome="different", reason=f"answers finite on one side only: {one.mismatches}")
    if one.label_changes:
        return replace(blank, outcome="different", reason=f"labels that change: {one.label_changes}")
    if one.delta_note == NO_ANSWERS:
        return replace(blank, outcome="inconclusive", reason=NO_ANSWERS)
    if one.max_abs_delta is None and not one.rows_compared:
        return replace(blank, outcome="different", reason=one.delta_note or "the answers cannot be compared")
    return replace(blank, outcome="different" if (one.max_abs_delta or 0.0) > most else "pass")


def decide_verdict(checks: Sequence[Check], failures: Sequence[str], choice: Choice = "") -> Verdict:
    """One verdict of all: a failure outweighs a difference, that a regression, that an inconclusive check.

    `failures` are what kept something from being measured. `choice` is what an inconclusive verdict exits with.
    """
    several = len({check.model for check in checks}) > 1
    reasons = {
        outcome: [explain(check, named=several) for check in checks if check.outcome == outcome]
        for outcome in EXIT_CODES
    }
    if failures or reasons["failed"]:
        return Verdict("failed", EXIT_CODES["failed"], tuple(dict.fromkeys(failures or reasons["failed"])))
    for status in ("different", "regressed"):
        if reasons[status]:
            return Verdict(status, EXIT_CODES[status], tuple(reasons["different"] + reasons["regressed"]))
    unjudged = _explain_advisory(checks)
    if reasons["inconclusive"] or unjudged or not any(check.outcome == "pass" for check in checks):
        code = {"pass": EXIT_CODES["pass"], "fail": EXIT_CODES["regressed"]}.get(choice, EXIT_CODES["inconclusive"])
        nothing = (*reasons["inconclusive"], *unjudged) or ("no metric could be judged",)
        return Verdict("inconclusive", code, nothing)
    return Verdict("pass", EXIT_CODES["pass"])


def _explain_advisory(checks: Sequence[Check]) -> list[str]:
    """Candidates whose speed was to be judged and of which every metric is advisory: equal predictions are no pass."""
    outcomes: dict[tuple[str, str, int], list[Check]] = {}
    for check in checks:
        if check.kind != "delta" and check.metric != "size":
            outcomes.setdefault((check.model, check.candidate, check.batch), []).append(check)
    advisory = (group for group in outcomes.values() if all(check.outcome == "advisory" for check in group))
    several = len({check.model for check in checks}) > 1
    return [explain(check, named=several) for group in advisory for check in group]


def explain(check: Check, *, named: bool = False) -> str:
    """What a check found, for the verdict: the metric, whom it concerns, and why. `named`: with the model's path."""
    candidate = f"{check.candidate} on {check.model}" if named else check.candidate
    whom = f"{check.metric} of {candidate}" + (f" at batch {check.batch:,}" if check.batch != 1 else "")
    if check.outcome == "regressed" and check.kind == "regression" and check.ratio is not None:
        return f"{whom}: {check.ratio:.3g} times the baseline's, more than {check.limit * 100:g} % on top"
    if check.outcome == "regressed":
        return f"{whom} is beyond its limit"
    if check.outcome == "different" and not check.reason:
        return f"answers of {candidate} differ by {check.value:.3g}, more than {check.limit:g}"
    return f"{whom}: {check.reason}" if check.reason else whom
