"""Columns of numbers in memory that coordinator and workers share, so that a long file is not copied through pipes.

The coordinator writes a table once for all workers; a worker maps it privately, and what its library writes into a
column is seen by nobody else. Nothing but numbers lies in it. Only Linux has the anonymous files that this takes;
elsewhere columns cross the pipe.
"""

import math
import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from infer_bench.typing import Array, Columns
from infer_bench.workers.wire import NUMERIC

_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class ColumnPlace:
    """Where a column lies in shared memory: `shape` values of `dtype` from byte `start` on, first axis the requests."""

    dtype: str
    shape: tuple[int, ...]
    start: int


@dataclass(frozen=True, slots=True)
class SharedColumns:
    """The columns of a table that lie in the shared memory `descriptor`, by name; `order` names all of its columns."""

    descriptor: int
    order: tuple[str, ...]
    places: Mapping[str, ColumnPlace]


class SharedTable:
    """Memory for one table, written by the coordinator; `descriptor` is inherited by the workers that may read it."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("infer-bench-rows")
        self._size = 0
        self._map: mmap.mmap | None = None
        self._starts: dict[int, tuple[Array, int]] = {}

    def write(self, columns: Columns) -> None:
        """Put the columns of numbers in the place of what was there. Raises `OSError` where memory is short."""
        numeric = [column for column in columns.values() if column.dtype.kind in NUMERIC and column.nbytes]
        starts = np.cumsum([0, *(-(-column.nbytes // _ALIGNMENT) * _ALIGNMENT for column in numeric)]).tolist()
        memory = self._memory(max(1, starts[-1]))
        self._starts = {}
        for column, start in zip(numeric, starts, strict=False):
            np.frombuffer(memory, column.dtype, column.size, start).reshape(column.shape)[...] = column
            self._starts[id(column)] = (column, start)

    def _memory(self, size: int) -> mmap.mmap:
        if self._map is None or size > self._size:
            # Without the reservation, memory that runs short would end the process by a signal.
            os.posix_fallocate(self.descriptor, 0, size)
            self._map, self._size = mmap.mmap(self.descriptor, size), size
        return self._map

    def divide(self, columns: Columns) -> tuple[SharedColumns, dict[str, Array]]:
        """Where those of the columns lie that were written, and the others, which must be sent."""
        places: dict[str, ColumnPlace] = {}
        others: dict[str, Array] = {}
        for name, column in columns.items():
            original, start = self._starts.get(id(column), (None, 0))
            if original is column:
                places[name] = ColumnPlace(column.dtype.str, column.shape, start)
            else:
                others[name] = column
        return SharedColumns(self.descriptor, tuple(columns), places), others

    def close(self) -> None:
        """Let go of the memory, once the workers are gone."""
        os.close(self.descriptor)


def shared_tables(count: int) -> tuple[SharedTable, ...]:
    """So many tables; none where the system has no such memory."""
    if not (hasattr(os, "memfd_create") and hasattr(os, "posix_fallocate")):
        return ()
    try:
        return tuple(SharedTable() for _ in range(count))
    except OSError:
        return ()


def read_columns(shared: SharedColumns, others: Columns) -> dict[str, Array]:
    """A worker's view of the whole table: the columns in shared memory and the `others`, in order."""
    # Mapped anew for every table: a page that a library has written to would keep its old numbers.
    memory = mmap.mmap(shared.descriptor, 0, access=mmap.ACCESS_COPY) if shared.places else None
    columns: dict[str, Array] = {}
    for name in shared.order:
        place = shared.places.get(name)
        if place is None or memory is None:
            columns[name] = others[name]
        else:
            values = np.frombuffer(memory, np.dtype(place.dtype), math.prod(place.shape), place.start)
            columns[name] = values.reshape(place.shape)
    return columns
