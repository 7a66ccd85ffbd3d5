"""A table: named columns of equal length, of a value or of an array a request."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.errors import DataError
from infer_bench.typing import ABSENT, Array, Indices

Column = Array
"""The values of all requests: its first axis counts them.

Of rows: a 1-D array of float64, float32, int64, bool, or object holding `str | None`. Some are read-only. Of JSON
records, object columns hold what the records do, mixed or nested, and `ABSENT` for a key that one lacks; `conform`
makes of them what a model takes.

Of tensors: (requests, *shape) of any dtype, or 1-D of objects that are arrays, where requests differ in shape.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns by name, in order. Of rows, missing numbers are NaN, missing strings None; uint64 comes as float64.

    Not `named` are the columns of an array: what they are called here says only where they stand. Raises `DataError`
    when the lengths differ, or a column has no axis.
    """

    columns: Mapping[str, Column]
    named: bool = True

    def __post_init__(self) -> None:
        lengths = {name: column.shape[:1] for name, column in self.columns.items()}
        if any(not length for length in lengths.values()) or len(set(lengths.values())) > 1:
            raise DataError(f"columns differ in length: {lengths}")

    @property
    def rows(self) -> int:
        """The number of rows; 0 for a table without columns."""
        return next((len(column) for column in self.columns.values()), 0)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self.columns)

    def select(self, names: Sequence[str]) -> "Table":
        """These columns, in this order; raises `KeyError` for an unknown one."""
        return replace(self, columns={name: self.columns[name] for name in names})

    def take(self, indices: Indices | Sequence[int]) -> "Table":
        """The rows at `indices`, which may repeat."""
        where = np.asarray(indices, dtype=np.intp)
        return replace(self, columns={name: column[where] for name, column in self.columns.items()})

    def slice(self, start: int, stop: int) -> "Table":
        """Rows `start` to `stop` (exclusive), as views."""
        return replace(self, columns={name: column[start:stop] for name, column in self.columns.items()})

    def record(self, row: int) -> dict[str, Any]:
        """One row as a dict of plain Python scalars (float, int, bool, str or None); what is nested is JSON text.

        A value of a column of tensors is an array.
        """
        values = {name: column[row] for name, column in self.columns.items()}
        return {name: _scalar(value) for name, value in values.items() if value is not ABSENT}

    def records(self) -> list[dict[str, Any]]:
        """Every row as a dict of plain Python scalars, and of arrays where a column holds them."""
        lists = [column.tolist() if column.ndim == 1 else list(column) for column in self.columns.values()]
        return [dict(zip(self.columns, values, strict=True)) for values in zip(*lists, strict=True)]


def concat(tables: Iterable[Table]) -> Table:
    """One table of all rows. All must have the columns of the first; dtypes widen where they differ."""
    parts = list(tables)
    if not parts:
        return Table({})
    if len(parts) == 1:
        return parts[0]
    columns = {name: _concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Table(columns, parts[0].named)


def stack(arrays: Sequence[Array]) -> Column:
    """One column of the requests' arrays: (requests, *shape), or 1-D of objects where they differ in shape or dtype."""
    if len({(array.shape, array.dtype) for array in arrays}) == 1:
        return np.stack(arrays)
    column = np.empty(len(arrays), dtype=object)
    for i, array in enumerate(arrays):  # assigned at once, they would be broadcast
        column[i] = array
    return column


def is_ragged(column: Column) -> bool:
    """Whether it holds an array a request, each of its own shape."""
    return column.dtype == object and column.ndim == 1 and len(column) > 0 and isinstance(column[0], np.ndarray)


def _concatenate(columns: Sequence[Column]) -> Column:
    if len({column.shape[1:] for column in columns}) == 1 and not any(map(is_ragged, columns)):
        return np.concatenate(columns)
    return stack([np.asarray(value) for column in columns for value in column])


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value.item() if isinstance(value, np.generic) else value


def check_names(file: Path, names: Sequence[str]) -> None:
    """Raise `DataError` for a table without columns, and for two of one name."""
    twice = min((name for name, count in Counter(names).items() if count > 1), default=None)
    if twice is not None:
        raise DataError(f"{file.name} has the column {twice!r} more than once")
    if not names:
        raise DataError(f"{file.name} has no columns")
