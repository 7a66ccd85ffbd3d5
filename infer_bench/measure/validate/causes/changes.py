"""Which changes of the reference explain rows that differ: the rows to try on, the search, and what it comes to."""

from dataclasses import replace

import numpy as np

from infer_bench.errors import InferBenchError
from infer_bench.measure.validate.causes import counterfactual as names
from infer_bench.measure.validate.causes.cause_on_rows import cause_on
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.locate import first_decision
from infer_bench.measure.validate.causes.reference import (
    Reference,
    ReferenceAccess,
    ReferenceEngine,
    ReferenceLastStep,
    ReferenceTrees,
    matrix_of,
    places_of,
)
from infer_bench.measure.validate.causes.search import Search, State, closeness, matches
from infer_bench.report.validate import Cause
from infer_bench.typing import Bools, Floats, Indices

ROWS_TIMES_TREES = 60_000
"""What one counterfactual is tried on."""
LEAST, MOST = 60, 600
NOTHING = "not explained: no known cause accounts for the rows"
OUT_OF_TIME = "not explained in the time that a bench has for it: validate looks further"
RELIABLE = 0.99
"""The share of rows on which the trees, as read, must predict what the reference does."""
ROUTING = (
    names.PREPARED,
    names.THRESHOLD_CAST,
    names.INPUT_CAST,
    names.COMPARISON,
    names.MISSING,
    names.UNSTORED,
    names.CATEGORY,
    names.COLUMNS,
)
"""Causes that lead a row another way through a tree."""


def changes_that_explain(rows: DifferingRows, unexplained: Bools, access: ReferenceAccess) -> Explanation:
    """Causes of the `unexplained` rows (rows,); or why none is claimed."""
    access = access.with_outputs(rows.outputs)
    alike = ~rows.differ & ~rows.without_pair
    trees = access.ensemble.trees if access.ensemble else 100
    sample = _rows_to_try(rows, unexplained, alike, trees)
    why = "not explained: neither the reference's structure nor the reference itself can be asked"
    for make in (_tree_or_engine, _last_step):
        try:
            reference = make(rows, sample, access)
            if reference is None:
                continue
            differ = unexplained[sample]
            search = Search(reference, rows.candidate[sample], differ, np.arange(len(sample)), access.until_ns)
            best = search.run()
            if best is not None:
                return _explanation(rows, sample, differ, best, search)
            why = NOTHING if search.has_time else OUT_OF_TIME
        except InferBenchError as error:
            why = f"not explained: {error.message}"
    return Explanation((), int(unexplained.sum()), why)


def _rows_to_try(rows: DifferingRows, unexplained: Bools, alike: Bools, trees: int) -> Indices:
    """Of each group some that differ and some that do not."""
    most = int(np.clip(ROWS_TIMES_TREES // max(1, trees), LEAST, MOST))
    groups = list(dict.fromkeys(rows.groups.tolist()))
    share = max(4, most // max(1, len(groups)))
    parts: list[Indices] = []
    for group in groups:
        inside = rows.groups == group
        for mask, count in ((unexplained, 2 * share // 3), (alike, share // 3)):
            places = np.flatnonzero(inside & mask)
            parts.append(places[np.linspace(0, len(places) - 1, min(count, len(places))).astype(np.intp)])
    return np.sort(np.concatenate(parts))


def _tree_or_engine(rows: DifferingRows, sample: Indices, access: ReferenceAccess) -> Reference | None:
    """The reference's trees where they can be read, else the reference itself where it can be asked."""
    table, ensemble = rows.table.take(sample), access.ensemble
    if ensemble is not None and len(ensemble.features) == len(table.columns):
        whole = places_of(access.integer_columns, table.names)
        trees = ReferenceTrees(ensemble, matrix_of(table, ensemble.features), access.other_reading, whole)
        if _is_reliable(trees, rows.reference[sample]):
            return trees
    if access.predict is None:
        return None
    return ReferenceEngine(table, access.predict, access.float32_steps_on(table), access.integer_columns)


def _last_step(rows: DifferingRows, sample: Indices, access: ReferenceAccess) -> Reference | None:
    """The last step of a pipeline, where its trees predict for the prepared rows what the pipeline does."""
    model = access.last_step.read_trees() if access.last_step else None
    if access.last_step is None or model is None:
        return None
    ensemble = model.ensemble
    outputs = access.last_step.prepare(rows.table.take(sample))
    if outputs.double.shape != outputs.single.shape or outputs.double.shape[1] != len(ensemble.features):
        return None
    trees = ReferenceLastStep(
        ensemble, outputs.double, model.other_reading, single=outputs.single, unstored=outputs.unstored
    )
    return trees if _is_reliable(trees, rows.reference[sample]) else None


def _is_reliable(trees: ReferenceTrees, reference: Floats) -> bool:
    """Whether the trees, as read, predict what the reference does."""
    predictions = trees.predictions((), np.arange(len(reference)))
    if predictions.shape != reference.shape:
        return False
    return bool(matches(predictions, reference, closeness(reference, predictions)).mean() >= RELIABLE)


def _explanation(rows: DifferingRows, sample: Indices, differ: Bools, best: State, search: Search) -> Explanation:
    """The causes in the best state of a search on the `sample` rows, of which `differ` were to be explained."""
    explained = best.right & differ
    causes = []
    for change in best.changes:
        detail = change.detail
        if len(best.changes) > 1:
            detail += f" (alone {int((search.state([change]).right & differ).sum()):,})"
        masks = (_mask(rows, sample[explained]), _mask(rows, sample[differ]))
        causes.append(
            _with_decision(cause_on(rows, change.cause, detail, *masks), rows, sample, explained, best, search)
        )
    missing = int((differ & ~best.right).sum())
    return Explanation(tuple(causes), missing, "" if not missing else f"{missing:,} rows are not explained")


def _mask(rows: DifferingRows, places: Indices) -> Bools:
    mask = np.zeros(len(rows.numbers), dtype=np.bool_)
    mask[places] = True
    return mask


def _with_decision(
    cause: Cause, rows: DifferingRows, sample: Indices, explained: Bools, best: State, search: Search
) -> Cause:
    """The cause with the first decision that comes out otherwise, where it is one of decisions."""
    if cause.name not in ROUTING or not isinstance(search.reference, ReferenceTrees):
        return cause
    places = np.flatnonzero(explained)
    decision = first_decision(search.reference, best.changes, places)
    if decision is None:
        return cause
    at = sample[places[decision.row]]
    return replace(
        cause,
        group=str(rows.groups[at]),
        row=int(rows.numbers[at]),
        tree=decision.tree,
        feature=decision.feature,
        split=decision.split_text,
        value=None if np.isnan(decision.value) else decision.value,
    )
