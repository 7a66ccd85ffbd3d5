"""Requests of networks in blocks, whose outputs are held in memory together."""

from collections.abc import Iterator

import numpy as np

from infer_bench.data import Table
from infer_bench.data.table import is_ragged
from infer_bench.typing import Array

BLOCK_BYTES = 1 << 22
"""So many bytes of inputs are answered before they are compared: outputs may be larger, and are kept six times."""
MOST_REQUESTS = 64


def cut_blocks(table: Table) -> Iterator[Table]:
    """The requests in order, so many at a time that they take about `BLOCK_BYTES`."""
    sizes = sum((_request_bytes(column) for column in table.columns.values()), np.zeros(table.rows))
    start = 0
    while start < table.rows:
        fitting = int(np.searchsorted(np.cumsum(sizes[start : start + MOST_REQUESTS]), BLOCK_BYTES, side="right"))
        stop = min(table.rows, start + max(1, fitting))
        yield table.slice(start, stop)
        start = stop


def _request_bytes(column: Array) -> Array:
    """The bytes of each request (requests,); text counts as its pointers."""
    if is_ragged(column):
        return np.array([array.nbytes for array in column], dtype=np.float64)
    return np.full(len(column), column.nbytes / max(1, len(column)))
