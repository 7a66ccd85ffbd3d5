"""The rows of one request, as numbers or as records, and the same rows under another model's names."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.errors import EngineError
from infer_bench.typing import Array, Floats

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class StackableRequest:
    """The only record of a network's request, as `arrays` by input, with `count` entries along their batch axes.

    It goes along with others of the same `shapes`, up to `most` entries together; alone where that is 1.
    """

    arrays: Mapping[str, Array]
    shapes: Hashable
    count: int
    most: int


@dataclass(slots=True, eq=False)
class Rows:
    """Either a `matrix` (rows, features), its columns being `names`, or `records`; NaN and None are missing values.

    Where they are not `named`, the names are but places. `stackable` is a network's request as it may go through it
    along with others; None where nobody has looked.
    """

    names: tuple[str, ...]
    matrix: Floats | None = None
    records: Sequence[Record] = ()
    named: bool = True
    stackable: StackableRequest | None = None

    @property
    def count(self) -> int:
        """How many rows."""
        return len(self.records) if self.matrix is None else len(self.matrix)

    @property
    def weight(self) -> int:
        """How many rows the model takes: of a stackable request the entries along its batch axes."""
        return self.count if self.stackable is None else self.stackable.count

    def as_records(self) -> Sequence[Record]:
        """One record a row."""
        if self.matrix is None:
            return self.records
        return [dict(zip(self.names, values, strict=True)) for values in self.matrix.tolist()]

    def chunk(self, start: int, size: int) -> "Rows":
        """`size` rows from `start` on; the last one stands in for those that there are not."""
        places = [min(i, self.count - 1) for i in range(start, start + size)]
        if self.matrix is not None:
            return replace(self, matrix=self.matrix[places])
        return replace(self, records=[self.records[i] for i in places])


def rename(rows: Rows, names: tuple[str, ...], *, named: bool = True) -> Rows:
    """The rows for a model whose columns are `names`.

    By name where both are `named` and it has no other names than the rows do, else by position where it has as many.
    Raises `EngineError` for any other model.
    """
    if not names or not rows.names or names == rows.names:
        return rows
    if named and rows.named and set(names) <= set(rows.names):
        if rows.matrix is not None:
            return Rows(names, rows.matrix[:, [rows.names.index(name) for name in names]])
        return Rows(names, None, [{name: record[name] for name in names if name in record} for record in rows.records])
    if len(names) != len(rows.names):
        raise EngineError(f"the model takes {len(names)} columns, and the rows have {len(rows.names)}")
    if rows.matrix is not None:
        return Rows(names, rows.matrix)
    pairs = list(zip(rows.names, names, strict=True))
    return Rows(names, None, [{new: record[old] for old, new in pairs if old in record} for record in rows.records])


def as_numbers(rows: Rows, names: tuple[str, ...]) -> Floats:
    """The rows as a matrix (rows, names); None and absent values are NaN."""
    if rows.matrix is not None:
        return rows.matrix
    try:
        return np.array([[record.get(name) for name in names] for record in rows.records], dtype=np.float64)
    except (TypeError, ValueError):
        raise EngineError("the model takes numbers, and a column holds text") from None
