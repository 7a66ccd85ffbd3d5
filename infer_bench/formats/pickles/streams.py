"""The bytes of a pickle, decompressed as joblib does, never more of them than are bearable."""

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from infer_bench.errors import MissingDependency, ModelError

_ALLOWANCE = 1 << 28
_RATIO = 256
_CHUNK = 1 << 20

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, RuntimeError)
"""What the decompressors raise on damaged data."""


class BoundedReader:
    """A file as `pickle` reads it, that refuses to give more than `limit` bytes."""

    def __init__(self, stream: BinaryIO, limit: int, name: str) -> None:
        self._stream, self._remaining, self._name = stream, limit, name
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes (all that may be read when negative), in pieces, so that a false size costs nothing."""
        remaining = self._remaining + 1 if size < 0 else size
        pieces = []
        while remaining > 0 and (piece := self._stream.read(min(remaining, _CHUNK))):
            pieces.append(piece)
            remaining -= len(piece)
            self._count(len(piece))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill `buffer` as far as there are bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readline(self) -> bytes:
        """One line, of 64 MiB at most."""
        line = self._stream.readline(64 * _CHUNK)
        self._count(len(line))
        return line

    def skip(self, size: int) -> None:
        """Pass over `size` bytes; raises `EOFError` where there are fewer."""
        while size > 0:
            piece = len(self._stream.read(min(size, _CHUNK)))
            if not piece:
                raise EOFError("the array data ends early")
            size -= piece
            self._count(piece)

    def _count(self, size: int) -> None:
        self.position += size
        self._remaining -= size
        if self._remaining < 0:
            raise ModelError(f"{self._name} decompresses to far more than its size suggests", "it is not opened")


class _ZlibStream(io.RawIOBase):
    """A zlib stream as a raw file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._inflate = stream, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._stream.read(_CHUNK // 16)
            if not packed:
                raise EOFError("the compressed data ends early")
            data = self._inflate.decompress(packed, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0


def _lz4(stream: BinaryIO) -> BinaryIO:
    try:
        import lz4.frame  # type: ignore[import-not-found]
    except ImportError:
        raise MissingDependency("lz4", "sklearn") from None
    frames: BinaryIO = lz4.frame.LZ4FrameFile(stream)
    return frames


_COMPRESSIONS: tuple[tuple[bytes, str, Callable[[BinaryIO], Any]], ...] = (
    (b"\x78", "zlib", lambda stream: io.BufferedReader(_ZlibStream(stream))),
    (b"\x1f\x8b", "gzip", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZ", "bz2", bz2.BZ2File),
    (b"\x5d\x00", "lzma", lzma.LZMAFile),
    (b"\xfd7zXZ", "xz", lzma.LZMAFile),
    (b"\x04\x22\x4d\x18", "lz4", _lz4),
)


def compression(head: bytes) -> str:
    """The name of the compression that these first bytes announce, or an empty string."""
    return next((name for magic, name, _ in _COMPRESSIONS if head.startswith(magic)), "")


def open_pickle(path: str | os.PathLike[str]) -> tuple[BoundedReader, str, BinaryIO]:
    """The decompressed bytes, the compression's name, and the file to close.

    A compressed file may give 256 times its size and 256 MiB. Raises `ModelError` when the file cannot be read.
    """
    file = Path(path)
    try:
        raw = file.open("rb")
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None
    size = os.fstat(raw.fileno()).st_size
    head = raw.read(8)
    raw.seek(0)
    for magic, name, opener in _COMPRESSIONS:
        if head.startswith(magic):
            return BoundedReader(opener(raw), _ALLOWANCE + _RATIO * size, file.name), name, raw
    return BoundedReader(raw, size + 1, file.name), "", raw
