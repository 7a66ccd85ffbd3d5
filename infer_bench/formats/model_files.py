"""The files that a model lies in: its own, and for ONNX those beside it that hold weights."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from infer_bench.errors import ModelError
from infer_bench.formats.onnx_graph import find_external_data, lies_beside
from infer_bench.model import Format

_PIECE = 1 << 26
_BLOCK = 1 << 20


def find_weights(file: Path, format: Format) -> tuple[Path, ...]:
    """The files beside a model's own that hold weights, sorted; none where they are not there or lie elsewhere."""
    if format != "onnx":
        return ()
    try:
        return tuple(path for path in find_external_data(file) if lies_beside(file, path.absolute()) and path.is_file())
    except ModelError:
        return ()  # it is broken, as whoever checks its structure will say


def hash_model(file: Path, weights: tuple[Path, ...] = ()) -> str:
    """What tells a model from another, in hexadecimal: the SHA-256 of its file, and of its weights where it has any.

    The names of the `weights` stand in the model's file. They may be many gigabytes: each is hashed in pieces of
    64 MiB by several threads. Raises `OSError`.
    """
    with file.open("rb") as stream:
        own = hashlib.file_digest(stream, "sha256")
    if not weights:
        return own.hexdigest()
    whole = hashlib.sha256(own.digest())
    for path in weights:
        whole.update(path.stat().st_size.to_bytes(8, "little"))
        for piece in _hash_pieces(path):
            whole.update(piece)
    return whole.hexdigest()


def _hash_pieces(path: Path) -> Iterator[bytes]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        yield from threads.map(lambda start: _hash_piece(path, start), range(0, path.stat().st_size, _PIECE))


def _hash_piece(path: Path, start: int) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        stream.seek(start)
        for _ in range(_PIECE // _BLOCK):
            digest.update(stream.read(_BLOCK))
    return digest.digest()
