"""All rows of a table as one request, and row by row where the library refuses the whole."""

from dataclasses import dataclass

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.errors import EngineError
from infer_bench.model import Label
from infer_bench.typing import Array, Bools, Columns, Floats
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.timing.requests import check_predictions

MOST_SINGLE_ROWS = 512
"""So many rows at the most are tried one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class TablePredictions:
    """`predictions` (rows, outputs) are NaN where `refusals` (rows,). `labels` (rows,) are None without classes."""

    predictions: Floats
    labels: tuple[Label | None, ...] | None
    refusals: Bools


@dataclass(frozen=True, slots=True, eq=False)
class PredictTable(SessionRequest[TablePredictions]):
    """Predict all rows of `columns` as one request."""

    title = "table"
    columns: Columns

    def check(self, response: TablePredictions) -> None:
        """See `Request.check`."""
        check_predictions(response.predictions, response.labels, response.refusals)


def predict_table(session: Session, request: PredictTable) -> TablePredictions:
    """Predict every row. Raises `EngineError` when the library refuses a table that is empty or over 512 rows long.

    The labels are the library's own where the session can ask for them (`own_labels`), else those of the predictions.
    """
    columns = request.columns
    rows = len(next(iter(columns.values())))
    try:
        predictions, labels = _predict(session, columns)
        return TablePredictions(predictions, None if labels is None else tuple(labels), np.zeros(rows, dtype=np.bool_))
    except EngineError:
        if not 0 < rows <= MOST_SINGLE_ROWS:
            raise
    return _predict_singly(session, columns, rows)


def _predict(session: Session, columns: Columns) -> tuple[Floats, Array | None]:
    own = getattr(session, "own_labels", None)
    try:
        inputs = session.preprocess(columns)
        predictions = np.array(session.postprocess(session.predict(inputs)), dtype=np.float64)
        return predictions, own(inputs) if own else session.labels(predictions)
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
        raise EngineError(f"{type(error).__name__}: {error}") from None


def _predict_singly(session: Session, columns: Columns, rows: int) -> TablePredictions:
    predictions = np.full((rows, len(session.spec.outputs)), np.nan)
    labels: list[Label | None] = [None] * rows
    refusals = np.zeros(rows, dtype=np.bool_)
    for row in range(rows):
        try:
            outputs, label = _predict(session, {name: column[row : row + 1] for name, column in columns.items()})
        except EngineError:
            refusals[row] = True
            continue
        predictions[row] = outputs[0]
        labels[row] = None if label is None else label[0]
    return TablePredictions(predictions, tuple(labels) if session.spec.classes else None, refusals)
