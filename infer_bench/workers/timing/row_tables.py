"""Rows of a slow session in tables, where that gives the same bits as each row alone."""

from collections.abc import Callable, Sequence

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.engines.session import FedSession
from infer_bench.errors import EngineError
from infer_bench.typing import Array, Columns, Floats
from infer_bench.workers.timing.loop import Clock

ALONE_NS = 250_000_000
"""So long rows are predicted one by one in any case."""
TABLE_ROWS = 64
"""Few, so that they leave no more memory behind than requests do."""
PredictAlone = Callable[[int], Floats]
"""The canonical output (1, outputs) of the row at a place."""


class RowTables:
    """The rows of a session at batch 1, of which `columns` are a table.

    Whether a row alone is answered as in a table is tried on the first rows and on those that are unlike them: a row
    of each text and truth value in each column, and one of each value there that is missing or infinite.
    """

    def __init__(self, session: Session, columns: Columns, clock: Clock) -> None:
        self._session, self._columns, self._clock = session, columns, clock

    def predict(self, alone: Floats, predict_alone: PredictAlone, row_ns: float, limit_ns: float) -> Floats | None:
        """The canonical output (rows, outputs) of all rows, of which the first ones were predicted `alone`.

        None where some row is answered otherwise in a table, and where more rows are unlike the first ones than half of
        `limit_ns` is enough for, at `row_ns` each.
        """
        places = [place for place in choose_unlike_rows(self._columns) if place >= len(alone)]
        if len(places) * row_ns > limit_ns / 2:
            return None
        try:
            tables = self._predict_tables(self._clock() + limit_ns / 2)
            if tables is None or not np.array_equal(tables[: len(alone)], alone, equal_nan=True):
                return None
            same = all(np.array_equal(tables[[place]], predict_alone(place), equal_nan=True) for place in places)
        except EngineError:
            return None
        return tables if same else None

    def _predict_tables(self, until_ns: float) -> Floats | None:
        """The canonical output of all rows; None where that takes too long."""
        rows, session, parts = len(next(iter(self._columns.values()))), self._session, []
        for start in range(0, rows, TABLE_ROWS):
            table = {name: column[start : start + TABLE_ROWS] for name, column in self._columns.items()}
            outputs = session.predict(session.preprocess(table))
            parts.append(np.array(session.postprocess(outputs), dtype=np.float64))
            if self._clock() > until_ns:
                return None
        return np.concatenate(parts)


def takes_tables(session: Session, columns: Columns) -> bool:
    """Whether a table is to the session what its rows are: not to a function, a service or a network."""
    return isinstance(session, FedSession) and all(column.ndim == 1 for column in columns.values())


def choose_unlike_rows(columns: Columns) -> list[int]:
    """The places, in order, of the first row of each kind in each column: see `RowTables`."""
    return sorted({place for column in columns.values() for place in _first_of_each_kind(column)})


def _first_of_each_kind(column: Array) -> Sequence[int]:
    if column.dtype.kind == "f":
        kinds = np.isnan(column) * 1 + np.isposinf(column) * 2 + np.isneginf(column) * 3
    elif column.dtype.kind in "iu":
        return ()
    else:
        kinds = np.array([repr(value) for value in column.tolist()])
    places: list[int] = np.unique(kinds, return_index=True)[1].tolist()
    return places
