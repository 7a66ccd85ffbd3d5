"""Which format a data file has, told by its first bytes, and a reader for it."""

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infer_bench.data.arrays import ArraySource, open_npy, open_npz
from infer_bench.data.json_rows import RecordSource, open_json
from infer_bench.errors import DataError

if TYPE_CHECKING:
    from infer_bench.data.arrow import CsvSource, ParquetSource

_OTHER = (
    (b"ARROW1", "an Arrow/Feather file"),
    (b"\x1f\x8b", "gzip-compressed (unpack it first: `gunzip -k`)"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed (unpack it first: `unzstd`)"),
    (b"BZh", "bzip2-compressed (unpack it first: `bunzip2 -k`)"),
    (b"\xfd7zXZ", "xz-compressed (unpack it first: `unxz -k`)"),
    (b"\xff\xd8\xff", "an image"),
    (b"\x89PNG", "an image"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "an SQLite database"),
    (b"version https://git-lfs", "a git-lfs pointer, not the file itself (run `git lfs pull`)"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
)


def open_source(file: Path, names: Sequence[str]) -> "ParquetSource | CsvSource | ArraySource | RecordSource":
    """A reader for the file's content. Raises `DataError` when its format is not one of those read here."""
    with file.open("rb") as stream:
        head = stream.read(65536)
    if head.startswith(b"PAR1"):
        from infer_bench.data.arrow import ParquetSource

        return ParquetSource(file)
    if head.startswith(b"\x93NUMPY"):
        return open_npy(file, names)
    if head.startswith(b"PK"):
        return open_npz(file, names)
    if _starts_as_json(head):
        return open_json(file, names)
    _refuse(file, head)
    from infer_bench.data.arrow import CsvSource

    return CsvSource(file)


def _refuse(file: Path, head: bytes) -> None:
    seems = _seems(head)
    if seems:
        raise DataError(f"{file.name} seems to be {seems}", "rows are read from parquet, csv, JSON, npy and npz")


def _seems(head: bytes) -> str:
    for magic, what in _OTHER:
        if head.startswith(magic):
            return what
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "a pickle, which is code and not data"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16 text (save it as UTF-8)"
    if b"\0" in head:
        return "a binary file of an unknown kind"
    text = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "an HTML or XML page"
    return ""


def _starts_as_json(head: bytes) -> bool:
    return head.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"{", b"["))
