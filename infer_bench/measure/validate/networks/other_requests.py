"""Requests unlike those that are drawn at first, or the user's: other values, larger shapes, several stacked."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np

from infer_bench.data import Table
from infer_bench.data.table import is_ragged, stack
from infer_bench.data.tensors.stacking import stack_requests
from infer_bench.errors import CannotRun, DataError, EngineError, UsageError
from infer_bench.measure.validate.causes.precision import OtherWeight
from infer_bench.measure.validate.networks.validation import RequestTable
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.typing import Array
from infer_bench.workers.tasks.network_outputs import RequestOutputs

VARIED, LARGER, STACKED, LOOKED_UP = "varied", "larger", "stacked", "looked up"
_COUNTS = {VARIED: 8, LARGER: 2}
_LOOKED_UP = 4
_STACKS = ((0, 1), (2, 3, 4))
"""Places of the requests that are stacked."""


def draw_other_requests(predictor: Predictor) -> Iterator[RequestTable]:
    """Requests with other values, and in larger shapes, as far as the network answers them with finite numbers."""
    for name, count in _COUNTS.items():
        try:
            requests = predictor.draw_requests(count, varied=True, larger=name == LARGER)
        except (CannotRun, UsageError):
            continue
        table = _select_finite(predictor, Table(requests.columns))
        if table is not None:
            yield RequestTable(name, table, may_refuse=name == LARGER)


def draw_unreached(predictor: Predictor, weights: Sequence[OtherWeight]) -> Iterator[RequestTable]:
    """Requests that look up the rows of tables in which two networks are known to differ; none without ids."""
    places = sorted({place for weight in weights for place in weight.places})
    try:
        requests = predictor.draw_requests(_LOOKED_UP, places=places)
    except (CannotRun, UsageError):
        return
    table = _select_finite(predictor, Table(requests.columns)) if requests.looks_up else None
    if table is not None:
        yield RequestTable(LOOKED_UP, table)


def stack_some(predictor: Predictor, table: Table) -> Iterator[RequestTable]:
    """Two and three of the requests as one each, where the network takes that; nothing where there are too few.

    Inputs that have no batch axis, such as a rate, are those of the first request.
    """
    inputs = predictor.spec.inputs
    shared = [tensor.name for tensor in inputs if tensor.batch_axis is None and tensor.name in table.columns]
    table = Table({**table.columns, **{name: _repeat_first(table.columns[name]) for name in shared}})
    if table.rows < 2 or any(is_ragged(column) for column in table.columns.values()):
        return
    try:
        requests = [stack_requests(table.columns, inputs, np.array(places) % table.rows) for places in _STACKS]
    except DataError:
        return
    stacked = Table({name: stack([request[name] for request in requests]) for name in table.columns})
    selected = _select_finite(predictor, stacked)
    if selected is not None:
        yield RequestTable(STACKED, selected, may_refuse=True)


def _repeat_first(column: Array) -> Array:
    return column if is_ragged(column) else np.broadcast_to(column[:1], column.shape)


def _select_finite(predictor: Predictor, table: Table) -> Table | None:
    """The requests that are answered, and with finite numbers only; None where there is none."""
    places = [i for i in range(table.rows) if _is_answered(predictor, table.slice(i, i + 1))]
    return table.take(places) if places else None


def _is_answered(predictor: Predictor, request: Table) -> bool:
    with contextlib.suppress(EngineError):
        return _is_finite(predictor.predict_outputs(request.columns))
    return False


def _is_finite(answer: RequestOutputs) -> bool:
    arrays: Sequence[object] = [value for column in answer.outputs.values() for value in column]
    return all(np.isfinite(array).all() for array in map(np.asarray, arrays) if array.dtype.kind == "f")
