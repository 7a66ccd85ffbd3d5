"""Requests to an `.npz` that a user may edit."""

import zipfile
from pathlib import Path

import numpy as np

from infer_bench.data.table import is_ragged
from infer_bench.typing import Array, Columns


def save_requests(columns: Columns, path: Path, most: int) -> int:
    """Write the first requests as arrays by input, one request an entry; gives how many.

    Only those that have the first one's shapes: a file of NumPy's holds no others. Raises `FileExistsError` for a file
    that is there, `OSError` for one that cannot be written.
    """
    count = len(next(iter(columns.values()), ()))
    alike = [place for place in range(count) if all(_has_first_shape(column, place) for column in columns.values())]
    with zipfile.ZipFile(path, "x") as archive:  # `numpy.savez` takes no array that is called `file`
        for name, column in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, _as_array(column, alike[:most]), allow_pickle=False)
    return len(alike[:most])


def _has_first_shape(column: Array, place: int) -> bool:
    return not is_ragged(column) or column[place].shape == column[0].shape


def _as_array(column: Array, places: list[int]) -> Array:
    array = np.stack([np.asarray(column[place]) for place in places])
    return array.astype(str) if array.dtype == object else array
