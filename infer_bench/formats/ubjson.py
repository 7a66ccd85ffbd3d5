"""Universal Binary JSON (ubjson.org, draft 12), as far as XGBoost writes it: numbers are big-endian."""

from typing import Any

import numpy as np

_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_WHOLE = (b"i", b"U", b"I", b"l", b"L")
_PLAIN = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 100


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
        if kind in _NUMBERS:
            return self._numbers(kind, 1)[0].item()
        if kind == b"S":
            return self._text(self._size())
        if kind == b"C":
            return self._text(1)
        if kind in (b"[", b"{") and depth < _DEEPEST:
            return self._array(depth + 1) if kind == b"[" else self._object(depth + 1)
        raise ValueError(f"unexpected {kind!r} at byte {self._at - 1}")

    def _array(self, depth: int) -> Any:
        kind, count = self._optimised()
        if kind in _NUMBERS:
            return self._numbers(kind, count)
        if kind is not None:
            return [self.value(depth, kind) for _ in range(self._bounded(count))]
        if count is not None:
            return [self.value(depth) for _ in range(self._bounded(count))]
        values = []
        while (mark := self._take(1)) != b"]":
            values.append(self.value(depth, mark))
        return values

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._optimised()
        values: dict[str, Any] = {}
        while count is None or len(values) < self._bounded(count):
            mark = self._take(1)
            if mark == b"}" and count is None:
                break
            name = self._text(self._size(mark))
            if name in values:
                raise ValueError(f"the key {name[:40]!r} stands twice")
            values[name] = self.value(depth, kind)
        return values

    def _optimised(self) -> tuple[bytes | None, int | None]:
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

    def _bounded(self, count: int | None) -> int:
        if count is None or count > len(self._data):
            raise ValueError("a container larger than the file")
        return count

    def _numbers(self, kind: bytes, count: int | None) -> Any:
        dtype = np.dtype(_NUMBERS[kind])
        raw = self._take((count or 0) * dtype.itemsize)
        return np.frombuffer(raw, dtype=dtype).astype(dtype.newbyteorder("="))

    def _size(self, mark: bytes | None = None) -> int:
        kind = self._take(1) if mark is None else mark
        if kind not in _WHOLE:
            raise ValueError(f"unexpected {kind!r} where a length is due")
        size = int(self._numbers(kind, 1)[0])
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
