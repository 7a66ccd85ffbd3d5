"""From the rows of several requests to one input of a session."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.engines.feeds.ndarray import NDArrayFeed
from infer_bench.engines.feeds.schema import Schema
from infer_bench.model import Feature
from infer_bench.serving.rows.rows import Record, Rows, as_numbers, rename
from infer_bench.typing import Array


def array_schema(session: Session) -> Schema | None:
    """The columns of a session that is fed one array of numbers; None for one that is fed in any other way."""
    feed: Any = session.preprocess
    return feed.schema if isinstance(feed, NDArrayFeed) and not feed.schema.codes else None


class BatchFeed:
    """The feed of a session for the rows of several requests at once.

    Numbers for an array are joined as they are; everything else goes through the session's own feed: one record as a
    record, several as a table.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._schema = array_schema(session)
        self._names = session.spec.feature_names

    def inputs(self, batch: Sequence[Rows]) -> Any:
        """What the session predicts. Raises `EngineError` for rows that do not fit it."""
        own = [rename(rows, self._names) for rows in batch]
        if self._schema is not None:
            return self._join([as_numbers(rows, self._names) for rows in own])
        records = [record for rows in own for record in rows.as_records()]
        return self._session.preprocess(records[0] if len(records) == 1 else self._table(records))

    def _join(self, matrices: list[Array]) -> Array:
        matrix = matrices[0] if len(matrices) == 1 else np.concatenate(matrices)
        if self._schema is None or matrix.dtype == self._schema.dtype:
            return np.ascontiguousarray(matrix)
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(matrix, dtype=self._schema.dtype)

    def _table(self, records: Sequence[Record]) -> dict[str, Array]:
        features = self._session.spec.features or [Feature(name, "string") for name in _keys(records)]
        present = [feature for feature in features if any(feature.name in record for record in records)]
        return {f.name: _column(f, [record.get(f.name) for record in records]) for f in present}


def _keys(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def _column(feature: Feature, values: list[Any]) -> Array:
    """The column as the engines' tables hold it: float64 where it is numbers, else objects."""
    kinds = {type(value) for value in values}
    if feature.kind in ("float", "integer", "boolean") or kinds <= {int, float, type(None)}:
        if kinds == {int}:
            return np.array(values, dtype=np.int64) if all(-(2**63) <= v < 2**63 for v in values) else _floats(values)
        return np.array(values, dtype=np.bool_) if kinds == {bool} else _floats(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _floats(values: list[Any]) -> Array:
    return np.array(values, dtype=np.float64)
