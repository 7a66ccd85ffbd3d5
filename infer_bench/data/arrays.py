"""Rows from NumPy's own files, without ever unpickling."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from infer_bench.data.narrow_dtypes import of_arrays
from infer_bench.data.sliced_rows import SlicedRows
from infer_bench.data.table import Column, Table
from infer_bench.errors import DataError
from infer_bench.typing import Array

T = TypeVar("T")

_PREFERRED = ("X", "x", "data", "arr_0")


class ArraySource(SlicedRows):
    """Columns of arrays that may be memory-mapped; converted batch by batch. `named`: the file names them."""

    def __init__(self, columns: Mapping[str, Array], named: bool = True) -> None:
        self._arrays = dict(columns)
        self.named = named
        self.columns = tuple(self._arrays)
        self.rows = next((len(array) for array in self._arrays.values()), 0)

    @property
    def narrow_dtypes(self) -> Mapping[str, str]:
        """Those of the arrays."""
        return of_arrays(self._arrays)

    def _read(self, start: int, rows: int, names: tuple[str, ...]) -> Table:
        part = slice(start, start + rows)
        return Table({name: _canonical(name, self._arrays[name][part]) for name in names}, self.named)


def open_npy(file: Path, names: Sequence[str]) -> ArraySource:
    """A 1-D, 2-D or structured array. Raises `DataError` for anything else, object arrays included."""
    array = _guarded(file, lambda: np.load(file, mmap_mode="r", allow_pickle=False))
    return source_of(file, array, names)


def open_npz(file: Path, names: Sequence[str]) -> ArraySource:
    """Named arrays of one column each, or one 2-D array: the one called X, or the only one and all others as long."""
    return _choose(file, _guarded(file, lambda: _members(file)), names)


def _members(file: Path) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        members = archive.namelist()
    if not members or not all(name.endswith(".npy") for name in members):
        raise DataError(f"{file.name} is a zip archive, but holds no NumPy arrays")
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _guarded(file: Path, load: Callable[[], T]) -> T:
    """What `load` returns; NumPy's errors as one `DataError` line."""
    try:
        return load()
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged header ends in whatever the tokenizer and zipfile raise
        raise _broken(file, error) from None


def _choose(file: Path, arrays: Mapping[str, Array], names: Sequence[str]) -> ArraySource:
    wide = [name for name, array in arrays.items() if array.ndim == 2]
    if (
        not wide
        and all(array.ndim == 1 for array in arrays.values())
        and not any(a.dtype.names for a in arrays.values())
    ):
        return _columns(_same_length(file, arrays), "arr_")
    preferred = next((name for name in _PREFERRED if name in wide), None)
    beside = [name for name in wide if all(array.shape[:1] == arrays[name].shape[:1] for array in arrays.values())]
    rows_name = preferred or (beside[0] if len(wide) == len(beside) == 1 else None)
    if rows_name is None and len(arrays) == 1:
        rows_name = next(iter(arrays))
    if rows_name is None and all(array.ndim == 1 or array.shape[1:] == (1,) for array in arrays.values()):
        return _columns(_same_length(file, {name: array.reshape(-1) for name, array in arrays.items()}), "arr_")
    if rows_name is None:
        raise DataError(f"{file.name} holds {len(arrays)} arrays and none is plainly the rows", "call one of them X")
    return source_of(file, arrays[rows_name], names)


def _same_length(file: Path, arrays: Mapping[str, Array]) -> dict[str, Array]:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the arrays of {file.name} differ in length: {lengths}")
    return dict(arrays)


def _columns(arrays: Mapping[str, Array], prefix: str) -> ArraySource:
    """Columns that NumPy has named where the user did not: with this prefix, in order."""
    return ArraySource(arrays, named=list(arrays) != [f"{prefix}{i}" for i in range(len(arrays))])


def source_of(file: Path, array: Array, names: Sequence[str]) -> ArraySource:
    """The columns of an array of 1 or 2 axes, or of a structured one; called `f0`, `f1`, … without `names`."""
    if array.dtype.names is not None and array.ndim == 1:
        return _columns({name: array[name] for name in array.dtype.names}, "f")
    if array.ndim not in (1, 2):
        raise DataError(f"{file.name} holds a {array.ndim}-dimensional array", "give (rows, columns)")
    table = array.reshape(-1, 1) if array.ndim == 1 else array
    width = table.shape[1]
    labels = tuple(names) or tuple(f"f{i}" for i in range(width))
    if len(labels) != width:
        raise DataError(f"{file.name} has {width} columns where {len(labels)} are named")
    return ArraySource({label: table[:, i] for i, label in enumerate(labels)}, named=bool(names))


def _canonical(name: str, array: Array) -> Column:
    """float64, float32, int64, bool or object of str, contiguous."""
    kind = array.dtype.kind
    if array.ndim != 1 or kind not in "fiubUSMm":
        raise DataError(f"column {name!r} holds {array.dtype}, which is neither numbers nor text")
    if kind in "USMm":
        text = np.char.decode(array, "utf-8", "replace") if kind == "S" else array.astype(str)
        return np.asarray(text, dtype=object)
    if kind == "f":
        return np.array(array, dtype=np.float32 if array.dtype.itemsize <= 4 else np.float64)
    if kind == "u" and array.dtype.itemsize == 8:
        return np.array(array, dtype=np.float64)
    return np.array(array, dtype=np.bool_ if kind == "b" else np.int64)


def _broken(file: Path, error: Exception) -> DataError:
    if "allow_pickle" in str(error) or "Object arrays" in str(error) or "Python objects" in str(error):
        return DataError(f"{file.name} holds an object array, which is a pickle", "save numbers, or use parquet")
    return DataError(f"cannot read {file.name}: {error}"[:300])
