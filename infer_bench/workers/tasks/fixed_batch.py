"""Tables for models whose every request must have the same number of rows: cut, and the last piece filled up."""

from collections.abc import Iterator

import numpy as np

from infer_bench.typing import Columns, Indices


def cut(rows: int, batch: int) -> list[Indices]:
    """The places of a table's rows that make a request each; the last of them may be fewer."""
    return [np.arange(start, min(start + batch, rows)) for start in range(0, rows, batch)]


def fill_up(places: Indices, batch: int) -> Indices:
    """So many places as a request has, the last one as often as it takes."""
    return np.concatenate([places, np.repeat(places[-1:], batch - len(places))])


def make_requests(columns: Columns, batch: int | None) -> Iterator[tuple[Columns, int]]:
    """Each request of a table, and how many of its rows are the table's own; one where the batch is free."""
    rows = len(next(iter(columns.values()), ()))
    if batch is None:
        yield columns, rows
        return
    for places in cut(rows, batch):
        yield {name: column[fill_up(places, batch)] for name, column in columns.items()}, len(places)
