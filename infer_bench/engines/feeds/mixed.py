"""The feed of a library that takes categories and texts as they are, beside numbers."""

from typing import Any

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.engines.feeds.schema import Schema, is_table, number, numbers, refuse_strangers, require_known
from infer_bench.errors import EngineError, MissingDependency
from infer_bench.typing import Array


class MixedFeed:
    """Record → object array (1, n), table → object array (rows, n): numbers as floats, the columns `as_is` untouched.

    Of these only a float that is whole becomes an integer: files with missing values hold whole numbers as floats.
    """

    def __init__(self, schema: Schema, as_is: frozenset[str]) -> None:
        self._schema, self._as_is = schema, as_is

    def __call__(self, request: Request) -> Any:
        """The request's values. Raises `EngineError` for text in a column of numbers."""
        refuse_strangers(self._schema, request)
        table = is_table(request)
        if table:
            require_known(self._schema, request)
        rows = len(next(iter(request.values()))) if table else 1
        values = np.empty((rows, len(self._schema.names)), dtype=object)
        for i, name in enumerate(self._schema.names):
            values[:, i] = self._column(name, request, table)
        return values

    def _column(self, name: str, request: Request, table: bool) -> Any:
        value = request.get(name, self._schema.fill)
        if not table or name not in request:
            return _whole(value) if name in self._as_is else number(name, value)
        return as_whole(value) if name in self._as_is else numbers(name, value)


class MixedFrameFeed:
    """Record → `DataFrame([record])`, table → `DataFrame(table)`, with the model's columns in the model's order."""

    def __init__(self, schema: Schema, as_is: frozenset[str]) -> None:
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas", "data") from None
        self._pandas, self._schema, self._as_is = pd, schema, as_is
        self._columns = list(schema.names)

    def __call__(self, request: Request) -> Any:
        """The request as a DataFrame (rows, n)."""
        refuse_strangers(self._schema, request)
        table = is_table(request)
        if table:
            require_known(self._schema, request)
        frame = self._pandas.DataFrame(dict(request)) if table else self._pandas.DataFrame([request])
        frame = frame.reindex(columns=self._columns, fill_value=self._schema.fill)
        columns: dict[str, Any] = {}
        for name, dtype in frame.dtypes.items():
            if name in self._as_is and dtype.kind == "f":
                columns[str(name)] = as_whole(frame[name].to_numpy())
            elif name not in self._as_is and dtype.kind not in "fiub":
                columns[str(name)] = numbers(str(name), frame[name].to_numpy())
        return frame.assign(**columns) if columns else frame


def as_whole(values: Array) -> Array:
    """A column (rows,) with its whole floats as integers; whatever else it holds stays."""
    if values.dtype.kind != "f":
        return values
    if np.isfinite(values).all() and bool((values == np.rint(values)).all()):
        return values.astype(np.int64)
    return np.array([_whole(value) for value in values.tolist()], dtype=object)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def make_mixed_feed(schema: Schema, kind: str, as_is: frozenset[str]) -> "MixedFeed | MixedFrameFeed":
    """The feed called `kind` for a model with columns to be fed `as_is`. Raises `EngineError` for `packed`."""
    if kind == "packed":
        name = next(name for name in schema.names if name in as_is)
        raise EngineError(f"packed takes numbers only, and column {name!r} is a category", "use feed=ndarray")
    return MixedFrameFeed(schema, as_is) if kind == "dataframe" else MixedFeed(schema, as_is)
