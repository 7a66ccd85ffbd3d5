"""The rows of a quantisation: an array an input, first axis the requests, in scratch files that workers read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from infer_bench.data.dataset import Dataset
from infer_bench.data.tensors.files import holds_tensors, load_arrays
from infer_bench.errors import DataError
from infer_bench.typing import Array
from infer_bench.workers.tasks.quantize import NetworkTensor

Arrays = Mapping[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """`arrays` by input; the file's requests are stacked `stack` at a time (0: each is a whole input).

    `free`: any other number would do as well.
    """

    arrays: Arrays
    count: int
    stack: int
    free: bool = False

    def take(self, places: Sequence[int] | Array) -> "Requests":
        """Those at `places`, in that order."""
        arrays = {name: array[places] for name, array in self.arrays.items()}
        return replace(self, arrays=arrays, count=len(places))

    def save(self, path: Path) -> str:
        """Write an `.npz`; returns its path."""
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(self.arrays))
        return str(path)


def read_requests(path: str, inputs: Sequence[NetworkTensor], most_stacked: int) -> Requests:
    """The file's arrays as the inputs of a network.

    An `.npz` has an array an input, an `.npy` that of the only one; a table has its columns side by side for an input
    of rank 2, or a column an input. An array with one axis more than its input gives one request an entry; with the
    same rank its first axis counts requests. Raises `DataError` naming what is expected.
    """
    arrays = _read_arrays(Path(path), inputs)
    missing = [tensor.name for tensor in inputs if tensor.name not in arrays]
    strange = [name for name in arrays if name not in {tensor.name for tensor in inputs}]
    if missing or strange:
        what = f"no array {missing[0]!r}" if missing else f"an array {strange[0]!r} that the model does not take"
        raise DataError(f"{Path(path).name} has {what}", f"the inputs are: {', '.join(map(_describe, inputs))}")
    fitted = {tensor.name: _fit(arrays[tensor.name], tensor, Path(path).name) for tensor in inputs}
    lengths = {name: len(array) for name, (array, _) in fitted.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the arrays of {Path(path).name} differ in length: {lengths}")
    stacks = {stack for _, stack in fitted.values()}
    if len(stacks - {None}) > 1:
        raise DataError(
            f"the arrays of {Path(path).name} cannot be stacked alike", "give each one axis more than its input"
        )
    stack = next(iter(stacks - {None}), None)
    count = min(lengths.values())
    if count == 0:
        raise DataError(f"{Path(path).name} has no rows")
    free = stack is None
    return Requests({name: array for name, (array, _) in fitted.items()}, count, stack or free * most_stacked, free)


def _describe(tensor: NetworkTensor) -> str:
    sizes = ", ".join("any" if size is None else str(size) for size in tensor.shape)
    return f"{tensor.name} {tensor.dtype} ({sizes})"


def _read_arrays(path: Path, inputs: Sequence[NetworkTensor]) -> dict[str, Array]:
    if not path.is_file():
        raise DataError(f"no such data file: {path}")
    if holds_tensors(path):
        content = load_arrays(path)
        if isinstance(content, dict):
            only = len(content) == len(inputs) == 1 and inputs[0].name not in content
            return {inputs[0].name: next(iter(content.values()))} if only else content
        if len(inputs) != 1:
            raise DataError(f"{path.name} is one array and the model has {len(inputs)} inputs", "give an .npz")
        return {inputs[0].name: content}
    return _read_table(path, inputs)


def _read_table(path: Path, inputs: Sequence[NetworkTensor]) -> dict[str, Array]:
    dataset = Dataset.open(path)
    columns = dataset.head(dataset.rows).columns
    if len(inputs) == 1 and len(inputs[0].shape) == 2:
        texts = [name for name, column in columns.items() if column.dtype == object]
        if texts:
            raise DataError(
                f"the column {texts[0]!r} of {path.name} is text", f"the model takes {_describe(inputs[0])}"
            )
        return {inputs[0].name: np.column_stack([np.asarray(column) for column in columns.values()])}
    return {
        tensor.name: np.asarray(columns[tensor.name]).reshape(-1, *(1,) * (len(tensor.shape) - 1))
        for tensor in inputs
        if tensor.name in columns
    }


def _fit(array: Array, tensor: NetworkTensor, file: str) -> tuple[Array, int | None]:
    """The array in the input's dtype, and how many requests are stacked: None any number, 0 none."""
    expected = f"the input is {_describe(tensor)}, and {file} has {array.dtype} {array.shape}"
    rank = len(tensor.shape)
    stack: int | None = 0
    if array.ndim == rank + 1:
        inner = tensor.shape
    elif array.ndim == rank and rank:
        inner, stack = tensor.shape[1:], tensor.shape[0]
    else:
        raise DataError(expected)
    if any(size is not None and size != given for size, given in zip(inner, array.shape[1:], strict=True)):
        raise DataError(expected)
    return _cast(array, tensor, expected), stack


def _cast(array: Array, tensor: NetworkTensor, expected: str) -> Array:
    if not tensor.dtype:
        raise DataError(f"the input {tensor.name!r} has a type that NumPy lacks")
    if tensor.dtype == "object":
        if array.dtype.kind not in "US":
            raise DataError(expected)
        return array.astype(str)
    dtype = np.dtype(tensor.dtype)
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "fiub":
        raise DataError(expected)
    with np.errstate(invalid="ignore", over="ignore"):
        cast: Array = array.astype(dtype)
    if dtype.kind in "iub" and not np.array_equal(cast, array):
        raise DataError(f"{expected}: not all of them are whole numbers that it can hold")
    return cast


def refuse_non_finite(requests: Requests, file: str) -> None:
    """Raise `DataError` for NaN and infinite numbers, of which no range can be made."""
    for name, array in requests.arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            rows = int((~np.isfinite(array).reshape(len(array), -1).all(axis=1)).sum())
            raise DataError(
                f"{rows} rows of {name!r} in {file} are not finite", "leave them out: no range can be made of them"
            )
