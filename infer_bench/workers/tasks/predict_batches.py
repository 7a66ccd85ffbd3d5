"""Batches of a long file predicted in a worker: whole tables, halved where the library refuses some of the rows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infer_bench.engines.base import Request, Session
from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError
from infer_bench.model import Label
from infer_bench.typing import Bools, Columns, Floats, Indices, Ints
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.shared import SharedColumns, read_columns
from infer_bench.workers.tasks.fixed_batch import cut, fill_up
from infer_bench.workers.tasks.gaps import Gaps, Part, count_rows
from infer_bench.workers.timing.requests import check_predictions
from infer_bench.workers.timing.runner import requests_of

FEW_ROWS = 32
GROWTH = 4
"""What a row takes is told by few of them, and again by so many times as many: a call has its own price."""
MOST_CALLS = 16_384
"""So many calls at the most to find the rows of a batch that a library refuses."""
MOST_REFUSALS = 4_096
"""So many complete rows are refused before the first is predicted: then it is the table that does not fit."""
Call = Callable[[Session, Any], tuple[Floats, Any]]


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


@dataclass(frozen=True, slots=True, eq=False)
class PredictWithin(SessionRequest[BatchPredictions]):
    """Predict as many of the first rows of a table as take no longer than `limit_ns`, by what a few of them take."""

    title = "within"
    columns: Columns
    limit_ns: int

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


def predict_within(session: Session, request: PredictWithin) -> BatchPredictions:
    """Raises as `predict_batch`."""
    begin_ns, count = time.perf_counter_ns(), FEW_ROWS
    total = len(next(iter(request.columns.values()), ()))
    while True:
        start_ns = time.perf_counter_ns()
        predictions = Batch(session, {name: column[:count] for name, column in request.columns.items()}).predict()
        end_ns = time.perf_counter_ns()
        left_ns = request.limit_ns - (end_ns - begin_ns)
        fitting = int(count * left_ns / max(1, end_ns - start_ns))
        if count >= total or fitting <= count:
            return predictions
        count = min(fitting, GROWTH * count)


class Batch:
    """The rows of a table on their way through a session; with `records`, one request a row.

    `call` gives the predictions (rows, outputs) and labels of what the session has made of a request.
    """

    def __init__(
        self, session: Session, columns: Columns, records: Sequence[Request] = (), call: Call | None = None
    ) -> None:
        self._session, self._columns, self._records = session, columns, records
        self._call = call or predict_with_labels
        self._rows = len(next(iter(columns.values()), ()))
        self._calls = 0
        self._predictions: Floats = np.full((self._rows, len(session.spec.outputs)), np.nan)
        self._width = 0
        self._refusals: Bools = np.zeros(self._rows, dtype=np.bool_)
        self._labels: list[tuple[Part, Any]] = []
        self._complaint = ""
        self._gaps = Gaps()

    def predict(self) -> BatchPredictions:
        """Predict all rows, in as few calls as it takes."""
        pending = self._parts()
        while pending:
            part = pending.pop()
            if self._gaps.are_refused(part):
                self._refusals[part] = True
                continue
            try:
                self._predict(part)
                self._gaps.note(part, has_prediction=True)
            except EngineError as error:
                self._complaint = self._complaint or error.message
                pending += self._divide(part, error)
        labels, codes = self._coded_labels()
        return BatchPredictions(self._predictions, self._refusals, labels, codes, self._complaint)

    def _parts(self) -> list[Part]:
        """What is tried first: each record, the whole table, or pieces of it where the model's batch is fixed."""
        batch = self._session.spec.batch
        if self._records and batch in (None, 1):
            return [slice(i, i + 1) for i in range(len(self._records))]
        if batch is None:
            return [slice(0, self._rows)]
        self._gaps.look_at(self._columns)
        return [*cut(self._rows, 1 if self._records else batch)]

    def _divide(self, part: Part, error: EngineError) -> list[Part]:
        """What a refused part is tried as: rows without gaps before the others at first, then halves."""
        size = count_rows(part)
        hopeless = not self._width and self._gaps.complete_refusals >= MOST_REFUSALS
        if self._rows == 0 or self._calls > MOST_CALLS or hopeless:
            raise error
        if size == 1:
            self._refusals[part] = True
            self._gaps.note(part, has_prediction=False)
            return []
        if isinstance(part, slice):
            self._gaps.look_at(self._columns)
            order, complete = self._gaps.order, self._gaps.complete
            return [order[complete:], order[:complete]] if 0 < complete < size else self._halves(order)
        return self._halves(part)

    @staticmethod
    def _halves(part: Indices) -> list[Part]:
        return [part[len(part) // 2 :], part[: len(part) // 2]]

    def _predict(self, part: Part) -> None:
        self._calls += 1
        try:
            predictions, labels = self._call(self._session, self._session.preprocess(self._request(part)))
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
            raise EngineError(first_line(error)) from None
        if self._session.spec.batch is not None:
            own = slice(0, count_rows(part))  # the others filled the request up
            predictions, labels = predictions[own], None if labels is None else labels[own]
        if len(predictions) != count_rows(part):
            raise EngineError(f"{len(predictions)} answers to {count_rows(part)} rows")
        self._set_width(predictions.shape[1])
        self._predictions[part] = predictions
        if labels is not None:
            self._labels.append((part, labels))

    def _request(self, part: Part) -> Request:
        batch = self._session.spec.batch
        if batch is not None and not isinstance(part, slice):
            part = fill_up(part, batch)
        if self._records and isinstance(part, slice):
            record: Request = self._records[part.start]
            return record
        return {name: column[part] for name, column in self._columns.items()}

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
        for part, labels in self._labels:
            codes[part] = _codes(labels, places)
        return tuple(places), codes

    def _texts_are_labels(self) -> bool:
        """Whether labels are predictions; the text of a user's function may be the number of a request instead."""
        if not hasattr(self._session, "texts"):
            return True
        texts = any(label for _, labels in self._labels for label in labels)
        if not texts and not np.isnan(self._predictions).any():
            return False
        part, labels = self._labels[0]
        first = part.start if isinstance(part, slice) else int(part[0])
        inputs = self._session.preprocess(self._request(slice(first, first + 1)))
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
