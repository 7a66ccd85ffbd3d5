"""A network's requests from a user's file: an array an input, told apart by their number of axes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.data.dataset import Dataset
from infer_bench.data.table import Column, Table, concat
from infer_bench.data.tensors.files import holds_tensors, load_arrays, name_by_place, read_sets
from infer_bench.errors import DataError, UsageError
from infer_bench.model import TensorInput
from infer_bench.request_choices import Shape
from infer_bench.typing import Array

Shapes = Mapping[str, Sequence[Shape]]
NO_SHAPES: Shapes = {}
_UNNAMED = "arr_0"
"""What NumPy calls the only array of an `.npz` that was given no name."""


def read_requests(
    path: Path, inputs: Sequence[TensorInput], shapes: Mapping[str, Sequence[Shape]] = NO_SHAPES
) -> Table:
    """The requests of an `.npz` (an array an input), an `.npy` (the only input), ONNX's test data, or a table.

    An array with one axis more than its input gives one request an entry. With as many axes and a free or unit batch
    axis, each place along that axis is a request. Any other is fed unchanged to every request. Of a table, the columns
    stand side by side for an input of two axes, or one is an input. Nothing is copied that is as it must be. Of an
    input whose rank the model does not say, `shapes` may say what a request is; else its array is a single one.

    Raises `DataError` naming what is expected, for names, dtypes, ranks and sizes that are not, `UsageError` for
    `shapes` of other inputs.
    """
    inputs = _with_shapes(inputs, shapes)
    if not path.exists():
        raise DataError(f"no such data file: {path}")
    if path.is_dir() or path.suffix == ".pb":
        return _read_sets(path, inputs)
    if not holds_tensors(path):
        return _read_table(path, inputs)
    content = load_arrays(path)
    arrays = content if isinstance(content, dict) else {_UNNAMED: content}
    pairs = _by_input(arrays, inputs, path.name)
    return _as_table({tensor.name: _fit(array, tensor, path.name) for tensor, array in pairs}, path.name)


def _with_shapes(inputs: Sequence[TensorInput], shapes: Shapes) -> list[TensorInput]:
    by_name = {tensor.name: tensor for tensor in inputs}
    for name, own in shapes.items():
        tensor = by_name.get(name)
        if tensor is None:
            raise UsageError(f"--shape: the model has no input {name!r}", f"it has: {', '.join(by_name)}")
        if tensor.shape is not None or len(own) != 1:
            why = f"the model itself says that it takes {tensor}" if tensor.shape is not None else f"{name} has several"
            raise UsageError(f"--shape beside --data says what one request is: {why}", "leave out one")
    return [replace(tensor, shape=shapes[tensor.name][0]) if tensor.name in shapes else tensor for tensor in inputs]


def read_entries(path: Path) -> Table:
    """Requests for who says nothing of its inputs: an array's first axis counts them; a scalar is fed to all.

    Raises `DataError` for a file that holds no arrays by name.
    """
    content = load_arrays(path)
    if not isinstance(content, dict):
        raise DataError(f"{path.name} is an array without a name", "give an .npz with an array an input")
    return _as_table({name: _as_entries(array) for name, array in content.items()}, path.name)


def _as_entries(array: Array) -> Column:
    if array.dtype.kind not in "fiubUS":
        raise DataError(f"an array of {array.dtype} is neither numbers nor text")
    array = array if array.ndim else array[np.newaxis]
    return array.astype(str).astype(object) if array.dtype.kind in "US" else array


def _read_sets(path: Path, inputs: Sequence[TensorInput]) -> Table:
    """Requests of ONNX's test data: each tensor is a whole input."""
    names = [tensor.name for tensor in inputs]
    requests = [_by_input(name_by_place(parts, names), inputs, path.name) for parts in read_sets(path)]
    return concat(
        [Table({t.name: _fit_whole(array, t, path.name)[np.newaxis] for t, array in pairs}) for pairs in requests]
    )


def _fit_whole(array: Array, tensor: TensorInput, file: str) -> Array:
    expected = f"the input is {tensor}, and {file} has {array.dtype} {array.shape}"
    array = _cast(array, tensor, expected)
    if not _fits(array.shape, tensor):
        raise DataError(expected)
    return array


def _fits(shape: tuple[int, ...], tensor: TensorInput) -> bool:
    """Whether a request's array may have this shape."""
    if tensor.shape is None:
        return True
    pairs = zip(tensor.shape, shape, strict=False)
    return len(shape) == len(tensor.shape) and all(
        size == length or not isinstance(size, int) for size, length in pairs
    )


def _by_input(arrays: Mapping[str, Array], inputs: Sequence[TensorInput], file: str) -> list[tuple[TensorInput, Array]]:
    """The array of each input. Raises `DataError` for names that are missing, or of no input."""
    required = [tensor for tensor in inputs if not tensor.optional]
    if list(arrays) == [_UNNAMED] and len(required) == 1 and required[0].name != _UNNAMED:
        arrays = {required[0].name: arrays[_UNNAMED]}
    names = [tensor.name for tensor in inputs]
    missing = [tensor.name for tensor in required if tensor.name not in arrays]
    strangers = [name for name in arrays if name not in names]
    if missing or strangers:
        what = f"{file} has no array {missing[0]!r}" if missing else f"{file} has an array {strangers[0]!r}"
        close = get_close_matches(missing[0], strangers, 1) if missing else []
        resembles = f" ({close[0]!r} is close)" if close else "" if missing else ", which is no input"
        raise DataError(f"{what}{resembles}", f"the inputs are: {'; '.join(map(str, required))}")
    return [(tensor, arrays[tensor.name]) for tensor in inputs if tensor.name in arrays]


def _as_table(columns: Mapping[str, Column], file: str) -> Table:
    """The columns, those of a single request repeated for all."""
    lengths = {name: len(column) for name, column in columns.items() if len(column) != 1}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the arrays of {file} differ in the number of requests: {lengths}")
    count = next(iter(lengths.values()), 1)
    if count == 0:
        raise DataError(f"{file} has no requests")
    return Table({name: _repeat(column, count) for name, column in columns.items()})


def _repeat(column: Column, count: int) -> Column:
    """Without a copy."""
    return column if len(column) == count else np.broadcast_to(column, (count, *column.shape[1:]))


def _fit(array: Array, tensor: TensorInput, file: str) -> Column:
    """The input's column: (requests, *shape), or (1, *shape) of an array that every request is fed."""
    expected = f"the input is {tensor}, and {file} has {array.dtype} {array.shape}"
    array = _cast(array, tensor, expected)
    shape = tensor.shape
    if shape is None:
        return array[np.newaxis]
    axis = tensor.batch_axis if tensor.batch_axis is not None else 0 if shape[:1] == (1,) else None
    if array.shape == (0,) and len(shape) == 1:  # no numbers at all, which a model may take, and not no requests
        axis = None
    if array.ndim == len(shape) and axis is not None:
        entries = np.expand_dims(np.moveaxis(array, axis, 0), axis + 1)
        column = entries if axis == 0 else np.ascontiguousarray(entries)
    else:
        column = array if array.ndim == len(shape) + 1 else array[np.newaxis]
    if not _fits(column.shape[1:], tensor):
        raise DataError(expected)
    return column


def _cast(array: Array, tensor: TensorInput, expected: str) -> Array:
    """In the input's dtype: only from one of the same kind, and only where the numbers stay what they are."""
    dtype = np.dtype(tensor.dtype)
    if array.dtype == dtype:
        return array
    if dtype.kind == "O" and array.dtype.kind in "US":
        texts = np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array
        return np.asarray(texts, dtype=object)
    if not (array.dtype.kind == dtype.kind or {array.dtype.kind, dtype.kind} <= {"i", "u"}):
        raise DataError(expected, _suggest(array, dtype))
    return _convert(array, dtype, expected)


def _convert(array: Array, dtype: np.dtype[Any], expected: str) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        converted: Array = array.astype(dtype)
    if dtype.kind in "iub" and not np.array_equal(converted, array):
        raise DataError(f"{expected}: not all of them are numbers that it can hold")
    if dtype.kind == "f" and not np.array_equal(np.isfinite(converted), np.isfinite(array)):
        raise DataError(f"{expected}: some numbers are too large for it")
    return converted


def _suggest(array: Array, dtype: np.dtype[Any]) -> str:
    numeric = array.dtype.kind in "fiub" and dtype.kind in "fiub"
    return f'save array.astype("{dtype.name}") if the numbers mean the same' if numeric else ""


def _read_table(path: Path, inputs: Sequence[TensorInput]) -> Table:
    """Rows of a table: its columns side by side for the only input, of two axes, or each an input."""
    dataset = Dataset.open(path)
    table = dataset.head(dataset.rows)
    required = [tensor for tensor in inputs if not tensor.optional]
    if len(required) == 1 and len(required[0].shape or ()) == 2 and required[0].name not in table.columns:
        texts = [name for name, column in table.columns.items() if column.dtype == object]
        if texts and required[0].dtype != "object":
            raise DataError(f"the column {texts[0]!r} of {path.name} is text", f"the model takes {required[0]}")
        matrix = np.column_stack([np.asarray(column) for column in table.columns.values()])
        return _as_table(
            {required[0].name: _fit(_as_kind(matrix, required[0], path.name), required[0], path.name)}, path.name
        )
    pairs = _by_input({n: c for n, c in table.columns.items() if n in {t.name for t in inputs}}, inputs, path.name)
    columns = {}
    for tensor, column in pairs:
        array = _as_kind(column.reshape(-1, *(1,) * (len(tensor.shape or ()))), tensor, path.name)
        columns[tensor.name] = _fit(array, tensor, path.name)
    return _as_table(columns, path.name)


def _as_kind(array: Array, tensor: TensorInput, file: str) -> Array:
    """A table's numbers in the input's dtype: a column of whole numbers may be one of floats, or of truth values."""
    dtype = np.dtype(tensor.dtype)
    if array.dtype.kind not in "fiub" or dtype.kind not in "fiub":
        return array
    return _convert(array, dtype, f"the input is {tensor}, and {file} has {array.dtype}")
