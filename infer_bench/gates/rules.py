"""From what was measured and what is allowed to a verdict. Pure: no clock, no file, no process."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from infer_bench.gates.limits import Bound, share_of, unit_of
from infer_bench.report.common import Verdict
from infer_bench.report.gate import Check
from infer_bench.stats.decisions.ratio_limit import Errors, Judgement, judge
from infer_bench.stats.decisions.sign_test import MOST, least_layouts
from infer_bench.stats.percentiles import minimum_samples

LEAST_SAMPLES, LEAST_SAMPLES_FROM = 200, 0.95
"""Samples a block for a ratio of percentiles: with 44 a block the p95 was noise, with 200 it was told (measured)."""
NO_ANSWERS = "no answers"
"""What stands in place of a difference while nothing has been asked yet."""
EXIT_CODES = {"pass": 0, "regressed": 1, "inconclusive": 3, "different": 4, "failed": 6}
Choice = Literal["", "pass", "fail"]
_MORE = "give it a larger --budget"


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over the layouts: value by value, in the order they were measured. `baseline` is empty without one.

    `samples` is the least number of samples that a value (of a ratio: a block) rests on, `calls` how many calls a
    sample spans.
    """

    candidate: Sequence[float]
    baseline: Sequence[float] = ()
    logs: Sequence[float] = ()
    samples: int = 1
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
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


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed: `shares` on top of the baseline by metric, absolute `bounds`, and the largest |difference|."""

    shares: Mapping[str, float] = field(default_factory=dict)
    bounds: tuple[Bound, ...] = ()
    max_delta: float | None = None
    errors: Errors = field(default_factory=Errors)
    inconclusive: Choice = ""


def checks(measured: Iterable[Measured], allowed: Allowed) -> tuple[Check, ...]:
    """Every check of every candidate. The error rate is shared among those that are left to chance."""
    measured = tuple(measured)
    count = sum(_chances(one, allowed) for one in measured)
    errors = Errors(allowed.errors.alpha / max(1, count), allowed.errors.beta)
    return tuple(check for one in measured for check in _checks(one, allowed, errors))


def _chances(one: Measured, allowed: Allowed) -> int:
    shares = sum(metric != "size" for metric in allowed.shares) if one.against else 0
    return shares + sum(_concerns(bound, one) and bound.metric != "size" for bound in allowed.bounds)


def _concerns(bound: Bound, one: Measured) -> bool:
    return bound.concerns(one.candidate, one.engine, one.model)


def _checks(one: Measured, allowed: Allowed, errors: Errors) -> Iterable[Check]:
    for metric, share in allowed.shares.items() if one.against else ():
        blank = Check(one.candidate, one.against, one.model, one.batch, metric, "regression", share, "inconclusive")
        yield _judged(blank, one, one.series.get(metric), math.log1p(share), errors)
    for bound in allowed.bounds:
        if _concerns(bound, one):
            blank = Check(one.candidate, "", one.model, one.batch, bound.metric, "limit", bound.value, "inconclusive")
            yield _judged(blank, one, _against_bound(one.totals.get(bound.metric), bound.value), 0.0, errors)
    if allowed.max_delta is not None:
        yield _delta(one, allowed.max_delta)


def _against_bound(series: Series | None, bound: float) -> Series | None:
    if series is None:
        return None
    logs = [math.log(max(value, 0.5) / bound) for value in series.candidate]
    return Series(series.candidate, (), logs, series.samples, series.calls)


def _judged(blank: Check, one: Measured, series: Series | None, limit: float, errors: Errors) -> Check:
    values = {"unit": unit_of(blank.metric)}
    if one.failed is not None:
        return _with(blank, outcome="failed", reason=one.failed, **values)
    if series is None or not series.candidate:
        size = blank.metric == "size"
        return _with(blank, reason="there is no file" if size else "nothing was measured", final=size, **values)
    if blank.metric == "size":
        return _with(blank, **values, **_certain(series, limit))
    return _with(blank, **values, **_uncertain(blank, series, limit, errors))


def _with(check: Check, **values: object) -> Check:
    fields = {name: getattr(check, name) for name in Check.__dataclass_fields__}
    return Check(**{**fields, **values})


def _certain(series: Series, limit: float) -> dict[str, object]:
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


def _uncertain(blank: Check, series: Series, limit: float, errors: Errors) -> dict[str, object]:
    found = judge(series.logs, limit, errors)
    paired = blank.kind == "regression"
    scale = 1.0 if paired else blank.limit
    told: dict[str, object] = {
        "outcome": found.outcome,
        "baseline": float(np.median(series.baseline)) if paired else None,
        "value": float(np.median(series.candidate)),
        "ratio": math.exp(found.centre) if paired else None,
        "low": _finite(found.low, scale),
        "high": _finite(found.high, scale),
        "layouts": found.layouts,
        "beyond": found.beyond,
    }
    if paired and found.would_see is not None:
        told["would_see"] = math.expm1(found.would_see)
        told["would_fail"] = math.expm1(found.would_see + limit)
    return told | _reservation(blank, series, found, limit, errors)


def _finite(log: float, scale: float) -> float | None:
    return math.exp(log) * scale if math.isfinite(log) else None


def _reservation(blank: Check, series: Series, found: Judgement, limit: float, errors: Errors) -> dict[str, object]:
    """Why the sample cannot carry a verdict, if it cannot; else why it is inconclusive, if it is."""
    share = share_of(blank.metric)
    if share is not None and share != 0.5 and series.calls > 1:
        reason = f"calls are too short to be timed singly: a sample is the mean of {series.calls}"
        return {"outcome": "advisory", "reason": reason}
    needed = needed_samples(share) if share is not None else 1
    if series.samples < needed and share is not None:
        per = "block" if blank.kind == "regression" else "layout"
        outcome = "advisory" if share > 0.95 else "inconclusive"
        reason = f"{series.samples} samples a {per} where {blank.metric} needs {needed}: {_MORE}, or limit p50 alone"
        return {"outcome": outcome, "reason": reason, "final": True}
    if found.outcome != "inconclusive":
        return {}
    return {"reason": _unclear(blank, found, limit, errors), "final": found.layouts >= MOST}


def needed_samples(share: float) -> int:
    """Samples a block that a ratio of this percentile takes."""
    if share <= 0.5:
        return 1
    return max(minimum_samples(share), LEAST_SAMPLES if share >= LEAST_SAMPLES_FROM else 1)


def _unclear(blank: Check, found: Judgement, limit: float, errors: Errors) -> str:
    least = least_layouts(errors.alpha)
    if found.layouts < least:
        return f"{found.layouts} of the {least} layouts that a verdict takes: {_MORE}"
    seen = found.would_see
    if blank.kind == "regression" and found.high < limit and seen is not None:
        return f"slow-downs as large as the limit would not have been seen: {_MORE} or limit"
    return f"too close to the limit for this sample: {_MORE}, or move the limit"


def _delta(one: Measured, most: float) -> Check:
    blank = Check(one.candidate, one.against, one.model, one.batch, "max_abs_delta", "delta", most, "pass", unit="")
    if one.failed is not None:
        return _with(blank, outcome="failed", reason=one.failed)
    told: dict[str, object] = {"value": one.max_abs_delta}
    if one.mismatches:
        return _with(blank, **told, outcome="different", reason=f"answers finite on one side only: {one.mismatches}")
    if one.label_changes:
        return _with(blank, **told, outcome="different", reason=f"labels that change: {one.label_changes}")
    if one.delta_note == NO_ANSWERS:
        return _with(blank, **told, outcome="inconclusive", reason=NO_ANSWERS)
    if one.max_abs_delta is None and not one.rows_compared:
        return _with(blank, **told, outcome="different", reason=one.delta_note or "the answers cannot be compared")
    return _with(blank, **told, outcome="different" if (one.max_abs_delta or 0.0) > most else "pass")


def may_be_decided(check: Check) -> bool:
    """Whether more layouts could still decide a check."""
    return check.outcome == "inconclusive" and not check.final


def settled(found: Sequence[Check], layouts: int) -> bool:
    """Whether the verdict is known, and what is undecided has had as long again to show.

    A regression found makes the verdict certain; the other metrics are told with it where they soon can be.
    """
    decided = [check.layouts for check in found if check.outcome == "regressed" and check.metric != "size"]
    return bool(decided) and layouts >= 2 * min(decided)


def verdict(found: Sequence[Check], failures: Sequence[str], choice: Choice = "") -> Verdict:
    """One verdict of all: a failure outweighs a difference, that a regression, that an inconclusive check.

    `failures` are what kept something from being measured. `choice` is what an inconclusive verdict exits with.
    """
    said = {outcome: [reason(check) for check in found if check.outcome == outcome] for outcome in EXIT_CODES}
    if failures or said["failed"]:
        return Verdict("failed", EXIT_CODES["failed"], tuple(dict.fromkeys(failures or said["failed"])))
    for status in ("different", "regressed"):
        if said[status]:
            return Verdict(status, EXIT_CODES[status], tuple(said["different"] + said["regressed"]))
    unjudged = _unjudged(found)
    if said["inconclusive"] or unjudged or not any(check.outcome == "pass" for check in found):
        code = {"pass": EXIT_CODES["pass"], "fail": EXIT_CODES["regressed"]}.get(choice, EXIT_CODES["inconclusive"])
        nothing = (*said["inconclusive"], *unjudged) or ("no metric could be judged",)
        return Verdict("inconclusive", code, nothing)
    return Verdict("pass", EXIT_CODES["pass"])


def _unjudged(found: Sequence[Check]) -> list[str]:
    """Candidates whose speed was to be judged and of which every metric is advisory: that their answers agree is no
    pass.
    """
    outcomes: dict[tuple[str, str, int], list[Check]] = {}
    for check in found:
        if check.kind != "delta" and check.metric != "size":
            outcomes.setdefault((check.model, check.candidate, check.batch), []).append(check)
    alone = (held for held in outcomes.values() if all(check.outcome == "advisory" for check in held))
    return [reason(check) for held in alone for check in held]


def reason(check: Check) -> str:
    """What a check found, for the verdict: the metric, whom it concerns, and why."""
    whom = f"{check.metric} of {check.candidate}" + (f" at batch {check.batch:,}" if check.batch != 1 else "")
    if check.outcome == "regressed" and check.kind == "regression" and check.ratio is not None:
        return f"{whom}: {check.ratio:.3g} times the baseline's, more than {check.limit * 100:g} % on top"
    if check.outcome == "regressed":
        return f"{whom} is beyond its limit"
    if check.outcome == "different" and not check.reason:
        return f"answers of {check.candidate} differ by {check.value:.3g}, more than {check.limit:g}"
    return f"{whom}: {check.reason}" if check.reason else whom
