"""Requests cut from a table of tensors, one at a time or stacked along each input's batch axis."""

from collections.abc import Sequence

import numpy as np

from infer_bench.data.table import Column, Table
from infer_bench.errors import DataError
from infer_bench.model import TensorInput
from infer_bench.typing import Array, Columns, Indices, TensorRequest

MOST_BYTES = 32 << 20
"""So much memory do the requests that take turns fill at the most, one there is at the least. A worker holds them, and
stacked ones beside them."""


def take_first(table: Table, count: int) -> Table:
    """A copy of the first `count` requests, or of fewer where they would fill more than `MOST_BYTES`."""
    total = 0
    for place in range(count):
        total += sum(np.asarray(column[place]).nbytes for column in table.columns.values())
        if total > MOST_BYTES:
            count = max(1, place)
            break
    return Table({name: column[:count].copy() for name, column in table.columns.items()})


def cut_requests(columns: Columns, inputs: Sequence[TensorInput], batch: int) -> list[TensorRequest]:
    """The table's requests, `batch` of them stacked to one; the first ones again where the last would be short.

    Those that choose another branch by a truth value are stacked apart. Raises `DataError` as `refuse_stacking`.
    """
    count = len(next(iter(columns.values())))
    if batch == 1:
        return [TensorRequest({name: np.asarray(column[i]) for name, column in columns.items()}) for i in range(count)]
    return [
        stack_requests(columns, inputs, group[np.arange(i, i + batch) % len(group)])
        for group in group_requests(columns, inputs)
        for i in range(0, len(group), batch)
    ]


def group_requests(columns: Columns, inputs: Sequence[TensorInput]) -> list[Indices]:
    """The places of requests that may be stacked with each other: they agree in what chooses a branch."""
    count = len(next(iter(columns.values())))
    choices = [columns[t.name] for t in inputs if t.name in columns and chooses_branch(t, columns[t.name])]
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for place in range(count) if choices else ():
        groups.setdefault(tuple(np.asarray(column[place]).tobytes() for column in choices), []).append(place)
    return [np.array(places) for places in groups.values()] or [np.arange(count)]


def chooses_branch(tensor: TensorInput, column: Array) -> bool:
    """Whether an input is a single truth value for all requests that are stacked."""
    return tensor.batch_axis is None and tensor.dtype == "bool" and column.size == len(column)


def stack_requests(columns: Columns, inputs: Sequence[TensorInput], places: Indices) -> TensorRequest:
    """The requests at `places` as one. Raises `DataError` as `cut_requests`."""
    refuse_stacking(inputs)
    by_name = {tensor.name: tensor for tensor in inputs}
    return TensorRequest({name: _stack(by_name[name], column, places) for name, column in columns.items()})


def refuse_stacking(inputs: Sequence[TensorInput]) -> None:
    """Raise `DataError` where no input has an axis along which requests could be stacked."""
    if any(tensor.batch_axis is not None for tensor in inputs):
        return
    names = [tensor.name for tensor in inputs if tensor.shape is None]
    if names:
        shapes = " ".join(f"--shape {name}:8x…" for name in names)
        raise DataError("the model does not say which axis counts requests", f"use --batch 1, and {shapes}")
    raise DataError(
        "the model takes one request at a time: no input has a free batch axis",
        "use --batch 1, or export the model with a free batch axis",
    )


def _stack(tensor: TensorInput, column: Column, places: Indices) -> Array:
    parts = [np.asarray(column[place]) for place in places]
    if tensor.batch_axis is None:
        if any(not np.array_equal(part, parts[0], equal_nan=part.dtype.kind == "f") for part in parts[1:]):
            raise DataError(
                f"requests cannot be stacked: {tensor.name!r} has no batch axis, and they differ in it", "use --batch 1"
            )
        return parts[0]
    try:
        return np.concatenate(parts, axis=tensor.batch_axis)
    except ValueError:
        shapes = sorted({part.shape for part in parts})
        raise DataError(
            f"requests cannot be stacked: those of {tensor.name!r} have the shapes {shapes[0]} and {shapes[-1]}",
            "use --batch 1, or give requests of one shape",
        ) from None
