"""All rows of a table as one request, and in parts where the library refuses some of them."""

from dataclasses import dataclass
from typing import Any

from infer_bench.engines.base import Session
from infer_bench.model import Label
from infer_bench.typing import Bools, Columns, Floats
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.tasks.predict_batches import Batch, predict_with_labels
from infer_bench.workers.timing.requests import check_predictions


@dataclass(frozen=True, slots=True)
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
    """Predict every row. Raises `EngineError` when the library refuses a table that is empty, or all of a long one.

    The labels are the library's own where the session can ask for them (`own_labels`, or the graph's own output), else
    those of the predictions.
    """
    batch = Batch(session, request.columns, call=_predict_with_own_labels).predict()
    if batch.labels is None:
        return TablePredictions(batch.predictions, None, batch.refusals)
    names = (*batch.labels, None)  # where a code is -1
    return TablePredictions(batch.predictions, tuple(names[code] for code in batch.codes.tolist()), batch.refusals)


def _predict_with_own_labels(session: Session, inputs: Any) -> tuple[Floats, Any]:
    own = getattr(session, "own_labels", None)
    if own is None:
        return predict_with_labels(session, inputs)
    return session.postprocess(session.predict(inputs)), own(inputs)
