"""All rows of a table answered as one request, and row by row where the library refuses the whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.base import Session
from infer_bench.errors import EngineError
from infer_bench.typing import Floats

SINGLY = 512
"""So many rows at the most are tried one by one."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`predictions` (rows, outputs) are NaN where `refused` (rows,)."""

    predictions: Floats
    labels: npt.NDArray[Any] | None
    refused: npt.NDArray[np.bool_]


def whole_table(session: Session, columns: Mapping[str, npt.NDArray[Any]]) -> Answered:
    """Answer every row. Raises `EngineError` when the library refuses a table that is empty or over 512 rows long.

    The labels are the library's own where the session can ask for them (`own_labels`), else those of the answers.
    """
    rows = len(next(iter(columns.values())))
    try:
        predictions, labels = _answer(session, columns)
        return Answered(predictions, labels, np.zeros(rows, dtype=np.bool_))
    except EngineError:
        if not 0 < rows <= SINGLY:
            raise
    return _singly(session, columns, rows)


def _answer(session: Session, columns: Mapping[str, npt.NDArray[Any]]) -> tuple[Floats, npt.NDArray[Any] | None]:
    own = getattr(session, "own_labels", None)
    try:
        inputs = session.preprocess(columns)
        predictions = np.array(session.postprocess(session.predict(inputs)), dtype=np.float64)
        return predictions, own(inputs) if own else session.labels(predictions)
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
        raise EngineError(f"{type(error).__name__}: {error}") from None


def _singly(session: Session, columns: Mapping[str, npt.NDArray[Any]], rows: int) -> Answered:
    predictions = np.full((rows, len(session.spec.outputs)), np.nan)
    labels = np.full(rows, None, dtype=object)
    refused = np.zeros(rows, dtype=np.bool_)
    for row in range(rows):
        try:
            found, label = _answer(session, {name: column[row : row + 1] for name, column in columns.items()})
        except EngineError:
            refused[row] = True
            continue
        predictions[row] = found[0]
        labels[row] = None if label is None else label[0]
    return Answered(predictions, labels if session.spec.classes else None, refused)
