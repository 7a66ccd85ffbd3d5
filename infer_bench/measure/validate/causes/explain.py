"""From rows that differ to causes, or to the sentence that nothing explains them."""

import numpy as np

from infer_bench.data import Table
from infer_bench.measure.validate.causes import counterfactual as names
from infer_bench.measure.validate.causes.cause_on_rows import cause_on
from infer_bench.measure.validate.causes.changes import changes_that_explain
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.reference import ReferenceAccess
from infer_bench.measure.validate.causes.search import closeness, matches
from infer_bench.report.validate import Cause
from infer_bench.typing import Bools

ANOTHER_TEXT = "not explained: the functions answer with another text"


def explain(rows: DifferingRows, access: ReferenceAccess, unlike: str = "") -> Explanation:
    """Why the rows differ, as far as the reference can be looked into.

    `unlike` says, where it is so, that the models have different numbers of outputs: then there is nothing to explain.
    """
    if not rows.differ.any():
        return Explanation()
    if unlike:
        return Explanation(not_explained=int(rows.differ.sum()), why=unlike)
    near = matches(rows.reference, rows.candidate, closeness(rows.reference, rows.candidate))
    near = np.where(rows.measurable, rows.rounding, near)
    relabelled = rows.relabelled & near
    causes = [*_refusals(rows), *_labels(rows, relabelled)]
    values = rows.differ & ~rows.without_pair & ~relabelled
    if (values & near).any():
        causes.append(_rounding(rows, values & near))
    unexplained = values & ~near
    if not unexplained.any():
        texts = _differing_texts(rows, relabelled)
        return Explanation(tuple(causes), texts, ANOTHER_TEXT if texts else "")
    explanation = changes_that_explain(rows, unexplained, access)
    return Explanation((*explanation.causes, *causes), explanation.not_explained, explanation.why)


def _refusals(rows: DifferingRows) -> list[Cause]:
    """Rows that one model refuses and the other predicts."""
    alone = rows.differ & rows.without_pair
    if not alone.any():
        return []
    missing = bool(_with_missing_values(rows.table)[alone].all())
    by_reference = bool(np.isnan(rows.reference[alone]).all())
    who = "the reference refuses" if by_reference else "one side refuses"
    what = "rows with missing values" if missing else "rows"
    name = names.MISSING if missing else names.REFUSED
    return [cause_on(rows, name, f"{who} {what} that the other answers", alone, alone)]


def _with_missing_values(table: Table) -> Bools:
    missing = np.zeros(table.rows, dtype=np.bool_)
    for column in table.columns.values():
        if column.dtype.kind == "f":
            missing |= np.isnan(column)
        elif column.dtype == object:
            missing |= np.array([value is None for value in column.tolist()], dtype=np.bool_)
    return missing


def _differing_texts(rows: DifferingRows, relabelled: Bools) -> int:
    """Rows in which text differs: labels beside predictions without a number are compared only where they are text."""
    numbers = np.isfinite(rows.reference).all(axis=1)
    return int((rows.differ & relabelled & ~rows.without_pair & ~numbers).sum())


def _labels(rows: DifferingRows, relabelled: Bools) -> list[Cause]:
    """Rows whose predictions agree and whose labels do not."""
    numbers = ~rows.without_pair & np.isfinite(rows.reference).all(axis=1)
    label_only = rows.differ & relabelled & numbers
    if not label_only.any():
        return []
    if bool(np.all(label_only[numbers])) and numbers.sum() > 1:
        return [cause_on(rows, names.CLASSES, "the class labels changed places", label_only, label_only)]
    detail = "the answers agree, but labels are decided by another rule (a threshold, or how ties fall)"
    return [cause_on(rows, names.LABELS, detail, label_only, label_only)]


def _rounding(rows: DifferingRows, near: Bools) -> Cause:
    gap = float(np.nanmax(np.abs(rows.reference[near] - rows.candidate[near])))
    if rows.measurable[near].all():
        detail = f"computing in float32 alone moves these answers as far (up to {gap:.1e})"
        return cause_on(rows, names.ROUNDING, detail, near, near)
    detail = f"sums are rounded otherwise (float32, or another order), up to {gap:.1e}"
    return cause_on(rows, names.ACCUMULATION, detail, near, near)
