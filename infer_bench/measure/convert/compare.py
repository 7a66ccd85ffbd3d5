"""Whether a converted file predicts what the original does: pure, arrays in, a group's result out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from infer_bench.measure.rounding import describe_rounding, worst_rounding
from infer_bench.report.convert import CheckedGroup
from infer_bench.stats.agreement.comparison import compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.stats.agreement.rounding import DIFFERENT, SAME

TOLERANCES = {"float64": 1e-12, "float32": 1e-6}
"""What |difference| / max(1, |reference|) may be: some ulps of the dtype that predictions are added up in."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What the file's predictions must meet: see `report.convert.ConvertResult`."""

    name: Literal["relative", "rounding", "given"]
    tolerance: float
    rtol: float = 0.0

    @property
    def limits(self) -> Limits:
        """When two predictions count as the same; where rounding cannot be measured, a share of their size."""
        rtol = self.rtol if self.name == "given" else self.tolerance
        by_rounding = self.name == "rounding"
        return Limits(self.tolerance, rtol, worst=0, count_refusals=False, by_rounding=by_rounding)


def choose_criterion(dtype: str, atol: float | None, rtol: float | None, *, rounding: bool) -> Criterion:
    """The user's tolerances where there are any; else by `rounding` where that can be measured."""
    if atol is not None or rtol is not None:
        return Criterion("given", atol or 0.0, rtol or 0.0)
    return Criterion("rounding" if rounding else "relative", TOLERANCES[dtype])


def compare_group(name: str, reference: Predictions, candidate: Predictions, criterion: Criterion) -> CheckedGroup:
    """Compare on rows of one kind.

    Rows that the original refuses have no prediction to be compared with: they are counted, and so are those of them
    that the file predicts all the same. A row that the file refuses counts as one to which it says NaN.
    """
    no_refusals = np.zeros(len(candidate.values), dtype=np.bool_)
    comparison = compare(reference, replace(candidate, refusals=no_refusals), criterion.limits)
    return CheckedGroup(
        name=name,
        rows=comparison.rows,
        max_abs_delta=comparison.max_abs,
        max_relative_delta=comparison.max_scaled,
        label_changes=comparison.label_changes or 0,
        non_finite_mismatches=comparison.non_finite_mismatches + comparison.reference_alone,
        refused=int(reference.refusals.sum()),
        answered_though_refused=comparison.candidate_alone,
        failing=comparison.failing,
        rounding=describe_rounding(comparison.rounding),
    )


def note_rounding(groups: Sequence[CheckedGroup]) -> str:
    """That the file rounds more than the original, where it does; else empty."""
    worst = worst_rounding(group.rounding for group in groups)
    if worst is None or not SAME < worst.ratio <= DIFFERENT:
        return ""
    return f"the file rounds {worst.ratio:.0f} × as much as the original; up to {SAME:g} × is the same"


def round_to(predictions: Predictions, dtype: str) -> Predictions:
    """The predictions as `dtype` holds them: one beyond float32's range is infinite there, and rightly so."""
    with np.errstate(over="ignore"):
        return replace(predictions, values=predictions.values.astype(dtype).astype(np.float64))


def passes(group: CheckedGroup, criterion: Criterion) -> bool:
    """Whether the group holds no difference beyond the tolerance."""
    return _is_near(group, criterion) and not group.label_changes and not group.non_finite_mismatches


def _is_near(group: CheckedGroup, criterion: Criterion) -> bool:
    return group.max_relative_delta <= criterion.tolerance if criterion.name == "relative" else not group.failing


def failure(groups: tuple[CheckedGroup, ...], criterion: Criterion) -> str | None:
    """The first group that does not pass, in words; None when all do."""
    for group in groups:
        if not passes(group, criterion):
            differences = [] if _is_near(group, criterion) else [_describe_difference(group)]
            differences += [f"{group.label_changes} labels differ"] if group.label_changes else []
            differences += (
                [f"{group.non_finite_mismatches} rows NaN or infinite"] if group.non_finite_mismatches else []
            )
            return f"the file answers otherwise on {group.name} rows: {', '.join(differences)} (of {group.rows:,} rows)"
    return None


def _describe_difference(group: CheckedGroup) -> str:
    text = f"max |Δ| {group.max_abs_delta:.1e}"
    if group.rounding is None:
        return text
    multiple = f"{group.rounding.ratio:,.1f} × what float32 rounds"
    return f"{text}, {'which is rounding' if group.rounding.ratio <= SAME else 'an error'}: {multiple}"


def describe_check(criterion: Criterion, groups: Sequence[CheckedGroup]) -> str:
    """Which differences from the original the file may have, and the largest that was seen, as JSON."""
    tolerances: dict[str, dict[str, float]] = {
        "relative": {"relative": criterion.tolerance},
        "rounding": {"same_up_to": SAME, "different_from": DIFFERENT},
        "given": {"atol": criterion.tolerance, "rtol": criterion.rtol},
    }
    delta = max((group.max_abs_delta for group in groups), default=0.0)
    rounding = worst_rounding(group.rounding for group in groups)
    errors = {} if rounding is None else {"ratio": rounding.ratio}
    return json.dumps({"criterion": criterion.name, **tolerances[criterion.name], "max_abs_delta": delta, **errors})
