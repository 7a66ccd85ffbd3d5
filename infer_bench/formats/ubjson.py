"""Universal Binary JSON (ubjson.org, draft 12), as far as XGBoost writes it: numbers are big-endian."""

import struct
from typing import Any

import numpy as np

_WHOLE = {b"i": (1, True), b"U": (1, False), b"I": (2, True), b"l": (4, True), b"L": (8, True)}
"""A whole number's bytes, and whether it is signed."""
_REAL = {b"d": struct.Struct(">f"), b"D": struct.Struct(">d")}
_ARRAYS = {
    mark: np.dtype(code)
    for mark, code in {
        b"i": ">i1",
        b"U": ">u1",
        b"I": ">i2",
        b"l": ">i4",
        b"L": ">i8",
        b"d": ">f4",
        b"D": ">f8",
    }.items()
}
_PLAIN = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 100


def begins(data: bytes) -> bool:
    """Whether `data` begins as an object of this format, which JSON never does."""
    return data[:1] == b"{" and data[1:2] in (*_WHOLE, b"$", b"#")


def decode(data: bytes) -> Any:
    """The value that stands at the beginning of `data`; typed arrays come as NumPy arrays.

    Raises `ValueError` where it is cut off or malformed.
    """
    return _Reader(data).value(0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def value(self, depth: int, mark: bytes | None = None) -> Any:
        kind = self._take(1) if mark is None else mark
        while kind == b"N":
            kind = self._take(1)
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind in _WHOLE:
            return self._whole(kind)
        if kind in _REAL:
            return _REAL[kind].unpack(self._take(_REAL[kind].size))[0]
        if kind == b"S":
            return self._text(self._size())
        if kind == b"C":
            return self._text(1)
        if kind in (b"[", b"{") and depth < _DEEPEST:
            return self._array(depth + 1) if kind == b"[" else self._object(depth + 1)
        raise ValueError(f"unexpected {kind!r} at byte {self._at - 1}")

    def _array(self, depth: int) -> Any:
        kind, count = self._preamble()
        if kind in _ARRAYS:
            dtype = _ARRAYS[kind]
            raw = self._take((count or 0) * dtype.itemsize)
            return np.frombuffer(raw, dtype=dtype).astype(dtype.newbyteorder("="))
        if kind in _PLAIN:
            raise ValueError("a typed container of values that take no room")
        if kind is not None:
            return [self.value(depth, kind) for _ in range(self._within_file(count))]
        if count is not None:
            return [self.value(depth) for _ in range(self._within_file(count))]
        values = []
        while (mark := self._take(1)) != b"]":
            values.append(self.value(depth, mark))
        return values

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._preamble()
        values: dict[str, Any] = {}
        while count is None or len(values) < self._within_file(count):
            mark = self._take(1)
            if mark == b"}" and count is None:
                break
            name = self._text(self._size(mark))
            if name in values:
                raise ValueError(f"the key {name[:40]!r} stands twice")
            values[name] = self.value(depth, kind)
        return values

    def _preamble(self) -> tuple[bytes | None, int | None]:
        """The type and the count that may stand at a container's beginning."""
        kind = None
        if self._peek() == b"$":
            self._take(1)
            kind = self._take(1)
            if self._peek() != b"#":
                raise ValueError("a typed container without a count")
        if self._peek() != b"#":
            return None, None
        self._take(1)
        return kind, self._size()

    def _within_file(self, count: int | None) -> int:
        if count is None or count > len(self._data):
            raise ValueError("a container larger than the file")
        return count

    def _whole(self, kind: bytes) -> int:
        size, signed = _WHOLE[kind]
        return int.from_bytes(self._take(size), "big", signed=signed)

    def _size(self, mark: bytes | None = None) -> int:
        kind = self._take(1) if mark is None else mark
        if kind not in _WHOLE:
            raise ValueError(f"unexpected {kind!r} where a length is due")
        size = self._whole(kind)
        if size < 0:
            raise ValueError("a negative length")
        return size

    def _text(self, size: int) -> str:
        return str(self._take(size), "utf-8", "replace")

    def _peek(self) -> bytes:
        return self._data[self._at : self._at + 1]

    def _take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise ValueError("it is truncated")
        self._at += size
        return piece
