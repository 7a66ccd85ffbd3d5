"""Columns of numbers in memory that coordinator and workers share, so that a long file is not copied through pipes.

The coordinator writes a block once for all sides; a worker maps it privately, and what its library writes into a
column is seen by nobody else. Nothing but numbers lies in it. Only Linux has the anonymous files that this takes;
elsewhere columns cross the pipe.
"""

import mmap
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from infer_bench.typing import Array
from infer_bench.workers.protocol import Message, pack_columns

_ALIGNED = 64
_NUMERIC = frozenset("biuf")


class Block:
    """Room for one table, written by the coordinator; `fd` is inherited by the workers that may read it."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("infer-bench-rows")
        self._size = 0
        self._map: mmap.mmap | None = None
        self._held: dict[int, tuple[Array, int]] = {}

    def write(self, columns: Mapping[str, Array]) -> None:
        """Put the columns of numbers in the place of what was there. Raises `OSError` where memory is short."""
        numeric = [column for column in columns.values() if column.dtype.kind in _NUMERIC and column.nbytes]
        starts = np.cumsum([0, *(-(-column.nbytes // _ALIGNED) * _ALIGNED for column in numeric)]).tolist()
        room = self._room(max(1, starts[-1]))
        self._held = {}
        for column, start in zip(numeric, starts, strict=False):
            np.frombuffer(room, column.dtype, len(column), start)[:] = column
            self._held[id(column)] = (column, start)

    def _room(self, size: int) -> mmap.mmap:
        if self._map is None or size > self._size:
            # Without the reservation, memory that runs short would end the process by a signal.
            os.posix_fallocate(self.fd, 0, size)
            self._map, self._size = mmap.mmap(self.fd, size), size
        return self._map

    def message(self, kind: str, columns: Mapping[str, Array]) -> Message:
        """A question on these columns: those that were written are named by their place, the others come along."""
        places: dict[str, Any] = {}
        others: dict[str, Array] = {}
        for name, column in columns.items():
            held, start = self._held.get(id(column), (None, 0))
            if held is column:
                places[name] = [column.dtype.str, len(column), start]
            else:
                others[name] = column
        rest = pack_columns(others)
        fields = {**rest.fields, "shared": {"fd": self.fd, "order": list(columns), "places": places}}
        return Message(kind, fields, rest.arrays)

    def close(self) -> None:
        """Let go of the memory, once the workers are gone."""
        os.close(self.fd)


def blocks(count: int) -> tuple[Block, ...]:
    """So many blocks; none where the system has no such memory."""
    if not (hasattr(os, "memfd_create") and hasattr(os, "posix_fallocate")):
        return ()
    try:
        return tuple(Block() for _ in range(count))
    except OSError:
        return ()


def placed(message: Message, others: Mapping[str, Array]) -> dict[str, Array]:
    """A worker's view of the columns that `Block.message` named, with the `others` that came along, in order."""
    shared = message.fields["shared"]
    places = shared["places"]
    # Mapped anew for every table: a page that a library has written to would keep its old numbers.
    room = mmap.mmap(shared["fd"], 0, access=mmap.ACCESS_COPY) if places else None
    made: dict[str, Array] = {}
    for name in shared["order"]:
        if name in places:
            dtype, count, start = places[name]
            made[name] = np.frombuffer(room, np.dtype(dtype), count, start)  # type: ignore[arg-type]
        else:
            made[name] = others[name]
    return made
