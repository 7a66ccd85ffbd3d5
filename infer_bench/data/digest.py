"""A hash of rows: what was fed, whatever file it came from."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from infer_bench.typing import Array, Columns


def digest(tables: Iterable[Columns]) -> str:
    """The SHA-256, in hex, of tables: their columns' names, dtypes, order and values, bit by bit.

    Every NaN counts as the same one; 0.0 and -0.0 differ. Byte order and memory layout do not count. The order of the
    tables does not either.
    """
    whole = hashlib.sha256()
    for part in sorted(_table(columns) for columns in tables):
        whole.update(part)
    return whole.hexdigest()


def _table(columns: Columns) -> bytes:
    table_hash = hashlib.sha256()
    for name, column in columns.items():
        for part in (name.encode("utf-8", "surrogatepass"), *_parts(column)):
            table_hash.update(len(part).to_bytes(8, "little"))  # so that no two lists of parts run together
            table_hash.update(part)
    return table_hash.digest()


def _parts(array: Array) -> tuple[bytes, bytes, bytes]:
    return _kind(array), str(array.shape).encode(), _values(array)


def _kind(column: Array) -> bytes:
    return column.dtype.newbyteorder("<").str.encode()


def _values(column: Array) -> bytes:
    if column.dtype.hasobject:
        return b"".join(_object(value) for value in column.ravel().tolist())
    plain = np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<"))
    if plain.dtype.kind == "f":
        plain = np.where(np.isnan(plain), np.array(np.nan, dtype=plain.dtype), plain)
    return plain.tobytes()


def _object(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return b"".join(len(part).to_bytes(8, "little") + part for part in _parts(value))
    text = f"{type(value).__name__}:{value}".encode("utf-8", "surrogatepass")
    return len(text).to_bytes(8, "little") + text
