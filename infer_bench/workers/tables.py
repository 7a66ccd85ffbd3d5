"""All rows of a table answered as one request, and row by row where the library refuses the whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.base import FloatArray, Session
from infer_bench.errors import EngineError

SINGLY = 512
"""So many rows at the most are tried one by one."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`answers` (rows, outputs) are NaN where `refused` (rows,)."""

    answers: FloatArray
    labels: npt.NDArray[Any] | None
    refused: npt.NDArray[np.bool_]


def whole_table(session: Session, columns: Mapping[str, npt.NDArray[Any]]) -> Answered:
    """Answer every row. Raises `EngineError` when the library refuses a table that is empty or over 512 rows long."""
    rows = len(next(iter(columns.values())))
    try:
        answers = _answer(session, columns)
        refused = np.zeros(rows, dtype=np.bool_)
    except EngineError:
        if not 0 < rows <= SINGLY:
            raise
        answers, refused = _singly(session, columns, rows)
    return Answered(answers, session.labels(answers), refused)


def _answer(session: Session, columns: Mapping[str, npt.NDArray[Any]]) -> FloatArray:
    try:
        return np.array(session.postprocess(session.predict(session.preprocess(columns))), dtype=np.float64)
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
        raise EngineError(f"{type(error).__name__}: {error}") from None


def _singly(
    session: Session, columns: Mapping[str, npt.NDArray[Any]], rows: int
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    answers = np.full((rows, len(session.spec.outputs)), np.nan)
    refused = np.zeros(rows, dtype=np.bool_)
    for row in range(rows):
        try:
            answers[row] = _answer(session, {name: column[row : row + 1] for name, column in columns.items()})[0]
        except EngineError:
            refused[row] = True
    return answers, refused
