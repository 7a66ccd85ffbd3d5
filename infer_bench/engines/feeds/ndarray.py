"""The feeds `ndarray` and `packed`: a preallocated float row, filled by index or by one `struct.pack_into`.

A row is reused by the next record: use it before asking for another.
"""

import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.engines.feeds.schema import Schema, encoded, is_table, number, numbers, refuse_strangers, require_known
from infer_bench.errors import EngineError
from infer_bench.typing import Array


@dataclass
class NDArrayFeed:
    """Record → (1, n) row; table → contiguous (rows, n) array; both of the schema's dtype.

    Missing columns hold the fill value, None is NaN, a category is its code and an unknown category NaN.
    """

    schema: Schema
    _row: Array = field(init=False, repr=False)
    _cells: Any = field(init=False, repr=False)
    _plain: dict[str, int] = field(init=False, repr=False)
    _coded: list[tuple[int, str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = self.schema.names
        self._row = np.empty((1, len(names)), dtype=self.schema.dtype)
        self._cells = memoryview(self._row[0])
        self._plain = {name: i for i, name in enumerate(names) if name not in self.schema.codes}
        self._coded = [(i, name) for i, name in enumerate(names) if name in self.schema.codes]

    def __call__(self, request: Request) -> Array:
        """The request as an array. Raises `EngineError` for a value that is no number and no category."""
        if is_table(request):
            return table_array(self.schema, request)
        if self.schema.refuse:
            refuse_strangers(self.schema, request)
        cells = self._cells
        self._row.fill(self.schema.fill)
        find = self._plain.get
        try:
            for name, value in request.items():
                i = find(name)
                if i is not None:
                    cells[i] = value
        except (TypeError, ValueError, OverflowError):
            self._fill_slowly(request)
        if self._coded:
            self._fill_codes(request)
        return self._row

    def _fill_slowly(self, record: Request) -> None:
        """As the loop above, for a record with None or with a number that is not a float."""
        for name, value in record.items():
            i = self._plain.get(name)
            if i is not None:
                self._cells[i] = number(name, value)

    def _fill_codes(self, record: Request) -> None:
        codes, fill = self.schema.codes, self.schema.fill
        for i, name in self._coded:
            value = record.get(name, fill)
            try:
                self._cells[i] = codes[name].get(value, np.nan)
            except TypeError:
                raise EngineError(f"column {name!r} holds a {type(value).__name__}, which is no category") from None


class PackedFeed:
    """Record → (1, n) row by one `struct.pack_into`; every key must be there and be a number. Tables as `ndarray`."""

    def __init__(self, schema: Schema) -> None:
        if schema.codes:
            first = next(iter(schema.codes))
            raise EngineError(f"packed takes numbers only, and column {first!r} is a category", "use feed=ndarray")
        self._schema = schema
        count = len(schema.names)
        # A double holds any number that a record may; the cast to float32 is numpy's.
        self._row = np.empty((1, count), dtype=np.float64)
        self._narrow = None if schema.dtype == np.float64 else np.empty((1, count), dtype=schema.dtype)
        self._pack = struct.Struct(f"{count}d").pack_into
        self._pick = _picker(schema.names)

    def __call__(self, request: Request) -> Array:
        """The request as an array. Raises `EngineError` for a missing key or a value that is no number."""
        if is_table(request):
            return table_array(self._schema, request)
        if self._schema.refuse:
            refuse_strangers(self._schema, request)
        try:
            self._pack(self._row.data, 0, *self._pick(request))
        except (KeyError, struct.error, TypeError, OverflowError):
            raise self._complaint(request) from None
        if self._narrow is None:
            return self._row
        with np.errstate(over="ignore"):
            self._narrow[:] = self._row
        return self._narrow

    def _complaint(self, record: Request) -> EngineError:
        absent = [name for name in self._schema.names if name not in record]
        if absent:
            return EngineError(f"packed needs every column, and the record lacks {absent[0]!r}", "use feed=ndarray")
        wrong = [(n, record[n]) for n in self._schema.names if not isinstance(record[n], int | float | np.generic)]
        name, value = wrong[0] if wrong else (self._schema.names[0], record[self._schema.names[0]])
        return EngineError(f"packed needs numbers, and column {name!r} holds {value!r}", "use feed=ndarray")


def _picker(names: tuple[str, ...]) -> Callable[[Request], Any]:
    if len(names) == 1:
        only = names[0]
        return lambda record: (record[only],)
    return operator.itemgetter(*names) if names else lambda _: ()


def table_array(schema: Schema, table: Request) -> Array:
    """A table as a C-contiguous (rows, n) array of the schema's dtype, column by column."""
    refuse_strangers(schema, table)
    require_known(schema, table)
    rows = len(next(iter(table.values())))
    array = np.empty((rows, len(schema.names)), dtype=schema.dtype)
    with np.errstate(over="ignore"):
        for i, name in enumerate(schema.names):
            array[:, i] = _column(schema, name, table.get(name))
    return array


def _column(schema: Schema, name: str, values: Array | None) -> Any:
    if name in schema.codes:
        fill = schema.codes[name].get(schema.fill, np.nan)
        return fill if values is None else encoded(name, values, schema.codes[name])
    return schema.fill if values is None else numbers(name, values)
