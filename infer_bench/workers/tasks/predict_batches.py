"""Batches of a long file predicted in a worker: whole tables, halved where the library refuses some of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infer_bench.engines.base import Request, Session
from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError
from infer_bench.model import Label
from infer_bench.typing import Bools, Columns, Floats, Ints
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.shared import SharedColumns, read_columns
from infer_bench.workers.timing.requests import check_predictions
from infer_bench.workers.timing.runner import requests_of

MOST_CALLS = 4_096
"""So many calls at the most to find the rows of a batch that a library refuses."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchPredictions:
    """`predictions` (rows, outputs), NaN where `refusals` (rows,); `labels` are the distinct ones and `codes` (rows,)
    each row's, -1 for none; `complaint` is the library's message on the first refused row.
    """

    predictions: Floats
    refusals: Bools
    labels: tuple[Label, ...] | None
    codes: Ints
    complaint: str


@dataclass(frozen=True, slots=True, eq=False)
class PredictBatch(SessionRequest[BatchPredictions]):
    """Predict a table: its `columns`, or with `shared` those of them that do not lie in shared memory."""

    title = "stream"
    columns: Columns = field(default_factory=dict)
    shared: SharedColumns | None = None

    def check(self, response: BatchPredictions) -> None:
        """See `Request.check`."""
        check_predictions(response.predictions, response.refusals, response.codes)


@dataclass(frozen=True, slots=True, eq=False)
class PredictRecords(SessionRequest[BatchPredictions]):
    """Predict a table with each row as a record of its own, as a service would send it."""

    title = "singly"
    columns: Columns

    def check(self, response: BatchPredictions) -> None:
        """See `Request.check`."""
        check_predictions(response.predictions, response.refusals, response.codes)


def predict_batch(session: Session, request: PredictBatch) -> BatchPredictions:
    """Raises `EngineError` when nearly every row is refused: then it is the table that does not fit."""
    shared = request.shared
    return Batch(session, request.columns if shared is None else read_columns(shared, request.columns)).predict()


def predict_records(session: Session, request: PredictRecords) -> BatchPredictions:
    """Raises as `predict_batch`."""
    return Batch(session, request.columns, requests_of(request.columns, 1)).predict()


class Batch:
    """The rows of a table on their way through a session; with `records`, one request a row."""

    def __init__(self, session: Session, columns: Columns, records: Sequence[Request] = ()) -> None:
        self._session, self._columns, self._records = session, columns, records
        self._rows = len(next(iter(columns.values()), ()))
        self._calls = 0
        self._predictions: Floats = np.full((self._rows, len(session.spec.outputs)), np.nan)
        self._width = 0
        self._refusals: Bools = np.zeros(self._rows, dtype=np.bool_)
        self._labels: list[tuple[slice, Any]] = []
        self._complaint = ""

    def predict(self) -> BatchPredictions:
        """Predict all rows, in as few calls as it takes."""
        pending = [slice(i, i + 1) for i in range(len(self._records))] or [slice(0, self._rows)]
        while pending:
            span = pending.pop()
            try:
                self._predict(span)
            except EngineError as error:
                self._complaint = self._complaint or error.message
                pending += self._halves(span, error)
        labels, codes = self._coded_labels()
        return BatchPredictions(self._predictions, self._refusals, labels, codes, self._complaint)

    def _halves(self, span: slice, error: EngineError) -> list[slice]:
        size = span.stop - span.start
        if self._rows == 0 or self._calls > MOST_CALLS:
            raise error
        if size == 1:
            self._refusals[span] = True
            return []
        middle = span.start + size // 2
        return [slice(middle, span.stop), slice(span.start, middle)]

    def _predict(self, span: slice) -> None:
        self._calls += 1
        try:
            predictions, labels = predict_with_labels(self._session, self._session.preprocess(self._request(span)))
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
            raise EngineError(first_line(error)) from None
        if len(predictions) != span.stop - span.start:
            raise EngineError(f"{len(predictions)} answers to {span.stop - span.start} rows")
        self._set_width(predictions.shape[1])
        self._predictions[span] = predictions
        if labels is not None:
            self._labels.append((span, labels))

    def _request(self, span: slice) -> Request:
        if self._records:
            record: Request = self._records[span.start]
            return record
        return {name: column[span] for name, column in self._columns.items()}

    def _set_width(self, width: int) -> None:
        """Only the first predictions tell how many values a user's function returns."""
        if self._width and self._width != width:
            raise EngineError(f"{width} values for one record and {self._width} for another")
        if self._predictions.shape[1] != width:
            self._predictions = np.full((self._rows, width), np.nan)
        self._width = width

    def _coded_labels(self) -> tuple[tuple[Label, ...] | None, Ints]:
        """The distinct labels and each row's place among them."""
        codes = np.full(self._rows, -1, dtype=np.int64)
        places: dict[Any, int] = {}
        if not self._labels or not self._texts_are_labels():
            return None, codes
        for span, labels in self._labels:
            codes[span] = _codes(labels, places)
        return tuple(places), codes

    def _texts_are_labels(self) -> bool:
        """Whether labels are predictions; the text of a user's function may be the number of a request instead."""
        if not hasattr(self._session, "texts"):
            return True
        texts = any(label for _, labels in self._labels for label in labels)
        if not texts and not np.isnan(self._predictions).any():
            return False
        span, labels = self._labels[0]
        inputs = self._session.preprocess(self._request(slice(span.start, span.start + 1)))
        return bool(labels[0] == predict_with_labels(self._session, inputs)[1][0])


def predict_with_labels(session: Session, inputs: Any) -> tuple[Floats, Any]:
    """Predictions and labels: the library's own where one call gives both, or the text that a user's function gives."""
    own = getattr(session, "predictions_and_labels", None)
    if own is not None:
        predictions, labels = own(inputs)
        return predictions, labels
    outputs = session.predict(inputs)
    predictions = session.postprocess(outputs)
    texts = getattr(session, "texts", None)
    return predictions, session.labels(predictions) if texts is None else np.array(texts(outputs), dtype=object)


def _codes(labels: Any, places: dict[Any, int]) -> Ints:
    """Each label's place among the distinct ones; new ones are added to `places`."""
    array = np.asarray(labels)
    if array.dtype != object:
        values, inverse = np.unique(array, return_inverse=True)
        codes = [places.setdefault(value, len(places)) for value in values.tolist()]
        return np.asarray(np.array(codes, dtype=np.int64)[inverse.ravel()])
    return np.fromiter((places.setdefault(v, len(places)) for v in array.tolist()), np.int64, len(array))
