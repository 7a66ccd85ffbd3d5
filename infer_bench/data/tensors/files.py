"""Arrays by name from the files that hold requests: NumPy's, and ONNX's test data."""

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench.errors import DataError
from infer_bench.formats.tensor_proto import read_tensor
from infer_bench.typing import Array

_PART = re.compile(r"(?P<kind>input|output)_(?P<place>\d+)\.pb")
_SET = re.compile(r"test_data_set_(\d+)")
_ARRAYS = (b"PK", b"\x93NUMPY")


@dataclass(frozen=True, slots=True, eq=False)
class PlacedArray:
    """An array of a request: called `name`, which may be empty, and at `place` among the inputs or outputs."""

    name: str
    place: int
    array: Array


def holds_tensors(path: Path) -> bool:
    """Whether these may be arrays by input: a folder of ONNX's test data, one of its files, or a file of NumPy's."""
    if path.is_dir():
        return bool(list_sets(path, "input"))
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.suffix == ".pb" or file.read(6).startswith(_ARRAYS)


def load_arrays(path: Path) -> dict[str, Array] | Array:
    """What an `.npz` holds by name, or the one array of an `.npy`. Raises `DataError` for a broken file."""
    try:
        with path.open("rb") as file:  # NumPy leaves a broken archive open
            content = np.load(file, allow_pickle=False)
            return content if isinstance(content, np.ndarray) else {name: content[name] for name in content.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise DataError(f"{path.name} holds an object array, which is a pickle", "save numbers or text") from None
        raise DataError(f"cannot read {path.name}: {error}"[:300]) from None


def list_sets(path: Path, kind: str) -> list[list[Path]]:
    """The files `input_N.pb` (or `output_N.pb`) of each request of a folder: its own, or those of `test_data_set_K`."""
    folders = [path, *sorted((p for p in path.iterdir() if _SET.fullmatch(p.name)), key=lambda p: int(p.name[14:]))]
    sets = [[file for file in folder.iterdir() if _kind(file) == kind] for folder in folders if folder.is_dir()]
    return [sorted(files, key=_place) for files in sets if files]


def read_sets(path: Path, kind: str = "input") -> list[list[PlacedArray]]:
    """The arrays of each request of a folder, or the one of a file. Raises `DataError` for a broken file."""
    sets = list_sets(path, kind) if path.is_dir() else [[path]]
    if not sets:
        raise DataError(f"{path} has no files {kind}_0.pb, {kind}_1.pb, …", "ONNX's test data has them")
    return [[_read_part(file) for file in files] for files in sets]


def _read_part(file: Path) -> PlacedArray:
    try:
        name, array = read_tensor(file.read_bytes())
    except (ValueError, OSError) as error:
        text = f"{file.parent.name}/{file.name} is no tensor that can be read: {error}"
        raise DataError(text[:300], "each file holds one tensor: no sequence, map or optional value") from None
    return PlacedArray(name, _place(file), array)


def _kind(file: Path) -> str:
    match = _PART.fullmatch(file.name)
    return match["kind"] if match else ""


def _place(file: Path) -> int:
    match = _PART.fullmatch(file.name)
    return int(match["place"]) if match else 0


def name_by_place(parts: Sequence[PlacedArray], names: Sequence[str]) -> Mapping[str, Array]:
    """The arrays by the names that they have, or else by those at their places. Raises `DataError` for one too many."""
    arrays = {}
    for part in parts:
        if part.name not in names and part.place >= len(names):
            raise DataError(
                f"there is a tensor number {part.place}, and the model has {len(names)}: {', '.join(names)}"
            )
        arrays[part.name if part.name in names else names[part.place]] = part.array
    return arrays
