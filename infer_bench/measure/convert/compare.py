"""Whether a converted file predicts what the original does: pure, arrays in, a group's result out."""

from dataclasses import replace

import numpy as np

from infer_bench.report.convert import CheckedGroup
from infer_bench.stats.agreement.comparison import compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions

TOLERANCES = {"float64": 1e-12, "float32": 1e-6}
"""What |difference| / max(1, |reference|) may be: some ulps of the dtype that predictions are added up in."""


def compare_group(name: str, reference: Predictions, candidate: Predictions) -> CheckedGroup:
    """Compare on rows of one kind.

    Rows that the original refuses have no prediction to be compared with: they are counted, and so are those of them
    that the file predicts all the same. A row that the file refuses counts as one to which it says NaN.
    """
    no_refusals = np.zeros(len(candidate.values), dtype=np.bool_)
    comparison = compare(reference, replace(candidate, refusals=no_refusals), Limits(worst=0))
    return CheckedGroup(
        name=name,
        rows=comparison.rows,
        max_abs_delta=comparison.max_abs,
        max_relative_delta=comparison.max_scaled,
        label_changes=comparison.label_changes or 0,
        non_finite_mismatches=comparison.non_finite_mismatches + comparison.reference_alone,
        refused=int(reference.refusals.sum()),
        answered_though_refused=comparison.candidate_alone,
    )


def round_to(predictions: Predictions, dtype: str) -> Predictions:
    """The predictions as `dtype` holds them: one beyond float32's range is infinite there, and rightly so."""
    with np.errstate(over="ignore"):
        return replace(predictions, values=predictions.values.astype(dtype).astype(np.float64))


def passes(group: CheckedGroup, tolerance: float) -> bool:
    """Whether the group holds no difference beyond the tolerance."""
    return group.max_relative_delta <= tolerance and not group.label_changes and not group.non_finite_mismatches


def failure(groups: tuple[CheckedGroup, ...], tolerance: float) -> str | None:
    """The first group that does not pass, in words; None when all do."""
    for group in groups:
        if not passes(group, tolerance):
            differences = [f"max |Δ| {group.max_abs_delta:.1e}"] if group.max_relative_delta > tolerance else []
            differences += [f"{group.label_changes} labels differ"] if group.label_changes else []
            differences += (
                [f"{group.non_finite_mismatches} rows NaN or infinite"] if group.non_finite_mismatches else []
            )
            return f"the file answers otherwise on {group.name} rows: {', '.join(differences)} (of {group.rows:,} rows)"
    return None
