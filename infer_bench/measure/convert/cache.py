"""Conversions that were made before: a file a model, rows and code that writes it."""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import infer_bench
from infer_bench.errors import NotConvertible
from infer_bench.formats.identify import identify
from infer_bench.measure.candidates.request_file import open_data
from infer_bench.model import ModelRef
from infer_bench.progress import Progress
from infer_bench.version import __version__


def cached_onnx(
    model: ModelRef,
    allow_pickle: bool,
    rows: str | None = None,
    progress: Progress | None = None,
    has_time: Callable[[], bool] = lambda: True,
) -> ModelRef:
    """The model's conversion, compared on `rows` too, from the cache or made now.

    The cache is keyed by the content of the model and of the code that writes it.

    Raises `NotConvertible` also when the file predicts something else, and where it is to be made and `has_time` says
    no.
    """
    folder = _cache()
    checked_on = _hash_requests(rows) if rows else "drawn"
    path = folder / f"{model.sha256}-{checked_on}-{_hash_writers()}.onnx"
    if not path.exists():
        if not has_time():
            raise NotConvertible(f"the budget leaves no time to convert {model.name}", "give a larger --budget")
        from infer_bench.measure.convert.run import convert

        report = convert(model.path, str(path), data=rows, allow_pickle=allow_pickle, progress=progress)
        difference = report.results[0].failed
        if difference:
            raise NotConvertible(f"{model.name} has no ONNX form that answers the same: {difference}")
    return identify(str(path))


def _hash_requests(path: str) -> str:
    """Of the rows, or of a file or folder of arrays."""
    file = open_data(path)
    if file is not None and file.has_rows:
        return file.rows.sha256[:16]
    digest = hashlib.sha256()
    parts = [Path(path)] if Path(path).is_file() else sorted(Path(path).rglob("*.pb"))
    for part in parts:
        digest.update(part.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _hash_writers() -> str:
    """Of every module that has a part in what a conversion computes: the version alone does not change with them."""
    package = Path(infer_bench.__file__).parent
    digest = hashlib.sha256(__version__.encode())
    for room in ("converters", "trees", "formats", "engines"):
        for module in sorted((package / room).rglob("*.py")):
            digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def _cache() -> Path:
    """The user's cache folder; where there is none to write to, a folder of this process alone."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "infer-bench"
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK)
    except (OSError, RuntimeError):
        usable = False
    return folder if usable else Path(_own_folder().name)


@functools.cache
def _own_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="infer-bench-")
