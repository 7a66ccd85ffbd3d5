"""Batches of a long file answered in a worker: whole tables, halved where the library refuses some of the rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.base import Request, Session
from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError
from infer_bench.typing import Columns, Floats
from infer_bench.workers.protocol import Message
from infer_bench.workers.timing.runner import requests_of

MOST_CALLS = 4_096
"""So many calls at the most to find the rows of a batch that a library refuses."""


def stream(session: Session, columns: Columns) -> Message:
    """Predict a table. The reply holds `predictions` (rows, outputs), NaN where `refused` (rows,); `labels` are the
    distinct ones and `codes` (rows,) each row's, -1 for none; `complaint` is the library's message on the first refused
    row.

    Raises `EngineError` when nearly every row is refused: then it is the table that does not fit.
    """
    answering = _Answering(session, columns)
    answering.run()
    labels, codes = answering.coded()
    fields = {"labels": labels, "complaint": answering.complaint}
    return Message("stream", fields, {"answers": answering.predictions, "refused": answering.refused, "codes": codes})


def singly(session: Session, columns: Columns) -> Message:
    """As `stream`, with each row as a record of its own, as a service would send it."""
    records = requests_of(columns, 1)
    answering = _Answering(session, columns, records)
    answering.run()
    labels, codes = answering.coded()
    fields = {"labels": labels, "complaint": answering.complaint}
    return Message("singly", fields, {"answers": answering.predictions, "refused": answering.refused, "codes": codes})


def in_float32(session: Session, columns: Columns) -> Message:
    """Answers (rows, outputs) of a pipeline whose steps work in float32. Raises `EngineError` where there are none."""
    own = getattr(session, "in_float32", None)
    if own is None:
        raise EngineError("this engine has no steps to round")
    try:
        return Message("single", {}, {"answers": np.asarray(own(session.preprocess(columns)), dtype=np.float64)})
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
        raise EngineError(first_line(error)) from None


def prepared(session: Session, columns: Columns) -> Message:
    """What a pipeline's last step is handed, `double` and `single` (rows, columns): the latter in float32 throughout.

    Raises `EngineError` where there are no steps, or one refuses the rows.
    """
    own = getattr(session, "prepared", None)
    if own is None:
        raise EngineError("this engine has no steps")
    try:
        double, single = own(session.preprocess(columns))
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
        raise EngineError(first_line(error)) from None
    return Message("prepared", {}, {"double": double, "single": single})


def fed(session: Session, columns: Columns) -> Message:
    """The dtype of what the session's feed makes of the first row, in words."""
    one = {name: column[:1] for name, column in columns.items()}
    return Message("fed", {"fed": _described(session.preprocess(one))})


def _described(inputs: Any) -> str:
    if isinstance(inputs, dict):
        return " and ".join(dict.fromkeys(_word(np.asarray(v).dtype) for v in inputs.values()))
    if hasattr(inputs, "dtypes") and not isinstance(inputs, np.ndarray):
        return "DataFrame of " + " and ".join(dict.fromkeys(_word(dtype) for dtype in inputs.dtypes))
    return _word(inputs.dtype) if hasattr(inputs, "dtype") else type(inputs).__name__


def _word(dtype: Any) -> str:
    return "text" if getattr(dtype, "kind", "") in "OU" and str(dtype) != "category" else str(dtype)


class _Answering:
    """Rows on their way; with `records`, one request a row."""

    def __init__(self, session: Session, columns: Columns, records: Sequence[Request] = ()) -> None:
        self._session, self._columns, self._records = session, columns, records
        self._rows = len(next(iter(columns.values()), ()))
        self._calls = 0
        self.predictions: Floats = np.full((self._rows, len(session.spec.outputs)), np.nan)
        self._width = 0
        self.refused: npt.NDArray[np.bool_] = np.zeros(self._rows, dtype=np.bool_)
        self._labels: list[tuple[slice, Any]] = []
        self.complaint = ""

    def run(self) -> None:
        """Answer all rows, in as few calls as it takes."""
        pending = [slice(i, i + 1) for i in range(len(self._records))] or [slice(0, self._rows)]
        while pending:
            span = pending.pop()
            try:
                self._answer(span)
            except EngineError as error:
                self.complaint = self.complaint or error.message
                pending += self._halves(span, error)

    def _halves(self, span: slice, error: EngineError) -> list[slice]:
        size = span.stop - span.start
        if self._rows == 0 or self._calls > MOST_CALLS:
            raise error
        if size == 1:
            self.refused[span] = True
            return []
        middle = span.start + size // 2
        return [slice(middle, span.stop), slice(span.start, middle)]

    def _answer(self, span: slice) -> None:
        self._calls += 1
        part: Request = {name: column[span] for name, column in self._columns.items()}
        if self._records:
            part = self._records[span.start]
        try:
            predictions, labels = _both(self._session, self._session.preprocess(part))
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
            raise EngineError(first_line(error)) from None
        if len(predictions) != span.stop - span.start:
            raise EngineError(f"{len(predictions)} answers to {span.stop - span.start} rows")
        self._fit(predictions.shape[1])
        self.predictions[span] = predictions
        if labels is not None:
            self._labels.append((span, labels))

    def _fit(self, width: int) -> None:
        """Only the first answer tells how many values a user's function returns."""
        if self._width and self._width != width:
            raise EngineError(f"{width} values for one record and {self._width} for another")
        if self.predictions.shape[1] != width:
            self.predictions = np.full((self._rows, width), np.nan)
        self._width = width

    def coded(self) -> tuple[list[Any] | None, npt.NDArray[np.int64]]:
        """The distinct labels and each row's place among them."""
        codes = np.full(self._rows, -1, dtype=np.int64)
        known: dict[Any, int] = {}
        if not self._labels or not self._meant():
            return None, codes
        for span, labels in self._labels:
            codes[span] = _codes(labels, known)
        return [value.item() if isinstance(value, np.generic) else value for value in known], codes

    def _meant(self) -> bool:
        """Whether labels are an answer; the text of a user's function may be the number of a request instead."""
        if not hasattr(self._session, "texts"):
            return True
        if not np.isnan(self.predictions).any() and not any(label for _, labels in self._labels for label in labels):
            return False
        span, labels = self._labels[0]
        return bool(labels[0] == self._again(span.start))

    def _again(self, row: int) -> object:
        """The label of a row that is asked a second time."""
        part: Request = {name: column[row : row + 1] for name, column in self._columns.items()}
        if self._records:
            part = self._records[row]
        return _both(self._session, self._session.preprocess(part))[1][0]


def _both(session: Session, inputs: Any) -> tuple[Floats, Any]:
    """Answers and labels: the library's own where one call gives both, or the text that a user's function answers."""
    own = getattr(session, "predictions_and_labels", None)
    if own is not None:
        predictions, labels = own(inputs)
        return predictions, labels
    outputs = session.predict(inputs)
    predictions = session.postprocess(outputs)
    texts = getattr(session, "texts", None)
    return predictions, session.labels(predictions) if texts is None else np.array(texts(outputs), dtype=object)


def _codes(labels: Any, known: dict[Any, int]) -> npt.NDArray[np.int64]:
    array = np.asarray(labels)
    if array.dtype != object:
        values, inverse = np.unique(array, return_inverse=True)
        places = [known.setdefault(value, len(known)) for value in values.tolist()]
        return np.asarray(np.array(places, dtype=np.int64)[inverse.ravel()])
    return np.fromiter((known.setdefault(v, len(known)) for v in array.tolist()), np.int64, len(array))
