"""Reads a pstats table from marshalled bytes, and nothing else: dicts, tuples, strings and numbers.

The standard library's `marshal.loads` is not meant for bytes of unknown origin: broken ones can crash the interpreter.
"""

import struct
from collections.abc import Callable
from typing import Any

DEEPEST = 8
_REF_FLAG = 0x80
_NULL = object()


class Reader:
    """Reads one value; raises `ValueError` for anything that a pstats table does not hold."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0
        self._refs: list[Any] = []

    def value(self, depth: int = 0) -> Any:
        """The next value. The codes are those of CPython's `Python/marshal.c`, versions 0 to 5."""
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        head = self._take(1)[0]
        code, is_referenced = chr(head & ~_REF_FLAG), bool(head & _REF_FLAG)
        if code == "r":
            return self._ref()
        place = len(self._refs)
        if is_referenced:
            self._refs.append(None)
        value = self._decode(code, depth)
        if is_referenced:
            self._refs[place] = value
        return value

    def _decode(self, code: str, depth: int) -> Any:
        simple: dict[str, Callable[[], Any]] = {
            "0": lambda: _NULL,
            "N": lambda: None,
            "T": lambda: True,
            "F": lambda: False,
            "i": lambda: self._number("<i", 4),
            "l": self._long,
            "g": lambda: self._number("<d", 8),
            "f": lambda: float(self._take(self._take(1)[0])),
        }
        if code in simple:
            return simple[code]()
        if code in "utaA":
            return self._text(self._count(), "utf-8" if code in "ut" else "latin-1")
        if code in "zZ":
            return self._text(self._take(1)[0], "latin-1")
        if code in "()":
            count = self._take(1)[0] if code == ")" else self._count()
            return tuple(self.value(depth + 1) for _ in range(count))
        if code == "{":
            return self._dict(depth)
        raise ValueError(f"holds {code!r}, which no profile does")

    def _dict(self, depth: int) -> dict[Any, Any]:
        entries = {}
        while (key := self.value(depth + 1)) is not _NULL:
            if not isinstance(key, tuple):
                raise ValueError("a key is no function")
            entries[key] = self.value(depth + 1)
        return entries

    def _ref(self) -> Any:
        index = self._number("<i", 4)
        if not 0 <= index < len(self._refs) or self._refs[index] is None:
            raise ValueError("a reference leads nowhere")
        return self._refs[index]

    def _long(self) -> int:
        """Digits of 15 bits, the sign in their count."""
        count = int(self._number("<i", 4))
        digits = struct.unpack(f"<{abs(count)}H", self._take(2 * abs(count)))
        size: int = sum(digit << (15 * i) for i, digit in enumerate(digits))
        return size if count >= 0 else -size

    def _text(self, size: int, encoding: str) -> str:
        return self._take(size).decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")

    def _count(self) -> int:
        count = self._number("<i", 4)
        if not 0 <= count <= len(self._raw):
            raise ValueError("it is cut off")
        return int(count)

    def _number(self, form: str, size: int) -> Any:
        return struct.unpack(form, self._take(size))[0]

    def _take(self, size: int) -> bytes:
        chunk = self._raw[self._at : self._at + size]
        if len(chunk) < size:
            raise ValueError("it is cut off")
        self._at += size
        return chunk
