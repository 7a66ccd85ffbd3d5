"""Whether a model answers a row otherwise when it is asked again, among other rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from infer_bench.data import Table
from infer_bench.engines.training_mode import RANDOM, STATE, TRAINING
from infer_bench.errors import InferBenchError
from infer_bench.measure.validate.causes import counterfactual as names
from infer_bench.measure.validate.causes.cause_on_rows import cause_on
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.search import ENOUGH, closeness, matches
from infer_bench.model import Remark
from infer_bench.report.validate import Cause
from infer_bench.typing import Bools, Floats

Ask = Callable[[Table], Floats]
MOST = 256
"""So many rows are asked again."""
LEAST_BATCH = 2
"""Batch normalisation in training mode cannot answer a row alone."""


_NAMES = {TRAINING: names.TRAINING, RANDOM: names.RANDOM, STATE: names.STATE}


@dataclass(frozen=True, slots=True)
class AskedSide:
    """A model of a comparison whose operators work as in training: what it is called, what says so, how it is asked."""

    name: str
    remark: Remark
    predict: Ask


def explain_by_own_answers(rows: DifferingRows, side: AskedSide) -> Explanation | None:
    """That the rows differ because one side does not agree with itself; None where it does on too many of them."""
    values = rows.differ & ~rows.without_pair
    places = np.flatnonzero(values)[:MOST]
    if len(places) < 2 * LEAST_BATCH:
        return None
    try:
        changes = _changes(rows.table.take(places), side)
    except InferBenchError:
        return None
    if changes.mean() < ENOUGH:
        return None
    mask, examined = np.zeros_like(rows.differ), np.zeros_like(rows.differ)
    mask[places[changes]] = examined[places] = True
    return Explanation((_cause(rows, side, mask, examined),), int((~changes).sum()), "")


def _changes(table: Table, side: AskedSide) -> Bools:
    """Which rows are answered otherwise among all of them and in one half of them."""
    middle = table.rows // 2
    whole = side.predict(table)
    halves = np.concatenate([side.predict(table.slice(0, middle)), side.predict(table.slice(middle, table.rows))])
    return ~matches(whole, halves, closeness(whole, halves))


def _cause(rows: DifferingRows, side: AskedSide, explained: Bools, examined: Bools) -> Cause:
    name = _NAMES[side.remark.code]
    detail = f"{side.name} {side.remark.message}; asked again, it contradicts itself"
    cause = cause_on(rows, name, detail, explained, examined)
    return Cause(
        cause.name, cause.rows_explained, cause.rows_examined, detail, side.remark.hint, cause.group, cause.row
    )
