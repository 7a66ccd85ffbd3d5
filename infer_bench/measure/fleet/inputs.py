"""The files that a job reads, found in the words of its command."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from infer_bench.errors import InferBenchError
from infer_bench.formats.files import names_function, names_service
from infer_bench.formats.onnx_graph import find_external_data


def find_files(text: str, folder: str) -> Iterator[str]:
    """The files that a word names, if any, as paths from `folder` on.

    One with what it refers to, all of a folder, those that a pattern matches, or one before a column's name.
    """
    for path in (text, text.rpartition(":")[0]):
        if path and os.path.exists(os.path.join(folder, path)):
            yield from _list_files(path, folder)
            return
    if glob.has_magic(text):
        yield from sorted(path for path in glob.glob(text, root_dir=folder, recursive=True) if _is_file(path, folder))


def _list_files(path: str, folder: str) -> Iterator[str]:
    place = Path(folder, path)
    if place.is_dir():
        yield from sorted(os.path.relpath(file, folder) for file in place.rglob("*") if file.is_file())
        return
    yield path
    if place.suffix != ".onnx":
        return
    try:
        yield from (os.path.relpath(file, folder) for file in find_external_data(place))
    except InferBenchError:
        return  # it is broken, as the job will say


def _is_file(path: str, folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, path))


def runs_code(text: str, folder: str) -> bool:
    """Whether a word names a function or a service."""
    if os.path.lexists(os.path.join(folder, text)) or os.path.lexists(os.path.join(folder, text.rpartition(":")[0])):
        return False
    return names_function(text) or names_service(text)
