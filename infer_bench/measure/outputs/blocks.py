"""Requests of networks in blocks, whose outputs are held in memory together."""

from collections.abc import Callable, Iterator

import numpy as np

from infer_bench.data import Table
from infer_bench.data.table import is_ragged
from infer_bench.typing import Array, Columns

BLOCK_BYTES = 1 << 22
"""So many bytes of inputs or outputs, whichever are more, are answered before they are compared, and kept six times."""
MOST_REQUESTS = 64
Predict = Callable[[Table], Columns]


def cut_blocks(table: Table, predict: Predict) -> Iterator[Table]:
    """The requests in order, so many at a time that they take about `BLOCK_BYTES`.

    `predict` gives the outputs of a table's requests; what the first one's take says what those of the others may.
    """
    sizes = sum((_request_bytes(column) for column in table.columns.values()), np.zeros(table.rows))
    if table.rows > 1:
        outputs = sum(np.asarray(value).nbytes for column in predict(table.slice(0, 1)).values() for value in column)
        sizes *= max(1.0, outputs / max(1.0, sizes[0]))
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
