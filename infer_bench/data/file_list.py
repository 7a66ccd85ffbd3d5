"""Rows in several files, one below the other, as if they were one."""

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from infer_bench.data.sources import open_source
from infer_bench.data.table import Table
from infer_bench.errors import DataError


class Source(Protocol):
    """One file format, opened."""

    columns: tuple[str, ...]
    rows: int
    named: bool
    """Whether the columns have names, and not only places."""

    @property
    def narrow_dtypes(self) -> Mapping[str, str]:
        """The dtypes of those columns of numbers that the file stores in fewer bits than they are read in (`int8`)."""

    @property
    def groups(self) -> tuple[int, ...]:
        """The rows of each row group, or of each block where the format knows none."""

    def batches(self, size: int, columns: Sequence[str] | None, whole: bool = True) -> Iterator[Table]:
        """Tables of at most `size` rows; every one has the same dtypes, unless not `whole`."""

    def group_batches(
        self, size: int, columns: Sequence[str] | None, groups: Sequence[int]
    ) -> Iterator[tuple[int, Table]]:
        """Tables of at most `size` rows of these row groups, none of two, each with its group's number.

        Every one has the same dtypes, whichever groups are asked for.
        """

    def with_texts(self, texts: Mapping[str, frozenset[str]]) -> "Source":
        """The source with these columns as text, where the file itself is text; `texts` are their known values."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of rows: its absolute path, its size, and the rows of each of its row groups."""

    path: str
    bytes: int
    groups: tuple[int, ...]


class FileList:
    """Files of the same columns, opened one at a time. What a column's dtype is, each file says for its own rows."""

    def __init__(
        self,
        files: Sequence[DataFile],
        first: Source,
        names: Sequence[str],
        texts: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> None:
        self._first, self._texts = first, texts
        self.files, self._names = tuple(files), tuple(names)
        self.columns, self.named = first.columns, first.named
        self.rows = sum(sum(file.groups) for file in files)

    @property
    def narrow_dtypes(self) -> Mapping[str, str]:
        """Those of the first file."""
        return self._first.narrow_dtypes

    @property
    def groups(self) -> tuple[int, ...]:
        """Those of all files, in order."""
        return tuple(rows for file in self.files for rows in file.groups)

    def batches(self, size: int, columns: Sequence[str] | None, whole: bool = True) -> Iterator[Table]:
        """Tables of at most `size` rows."""
        for file in self.files:
            yield from self._open(file).batches(size, columns or self.columns, whole)

    def group_batches(
        self, size: int, columns: Sequence[str] | None, groups: Sequence[int]
    ) -> Iterator[tuple[int, Table]]:
        """Tables of at most `size` rows of these row groups, which are numbered through all files."""
        first = 0
        for file in self.files:
            own = [group - first for group in groups if first <= group < first + len(file.groups)]
            if own:
                for group, table in self._open(file).group_batches(size, columns or self.columns, own):
                    yield first + group, table
            first += len(file.groups)

    def with_texts(self, texts: Mapping[str, frozenset[str]]) -> "FileList":
        """The files with these columns as text, where they are text."""
        return FileList(self.files, self._first, self._names, texts)

    def _open(self, file: DataFile) -> Source:
        return open_source(Path(file.path), self._names).with_texts(self._texts)


def matching_files(path: str) -> list[Path]:
    """The files that a path or pattern (`rows/*.parquet`) names, sorted. Raises `DataError` where it matches none."""
    if os.path.lexists(path) or not glob.has_magic(path):
        return [Path(path)]
    files = sorted(file for file in glob.glob(path, recursive=True) if os.path.isfile(file))
    if not files:
        raise DataError(f"no data file matches {path}")
    return [Path(file) for file in files]


def describe_file(file: Path, source: Source) -> DataFile:
    """A file as it is found."""
    return DataFile(str(file.absolute()), file.stat().st_size, source.groups)


def check_columns(file: Path, source: Source, first: Source, first_file: Path) -> None:
    """Raises `DataError` for a file that has other columns than the first one."""
    if source.named == first.named and set(source.columns) == set(first.columns):
        return
    missing = [name for name in first.columns if name not in source.columns]
    extra = [name for name in source.columns if name not in first.columns]
    what = f"lacks the column {missing[0]!r}" if missing else f"has the column {extra[0]!r}" if extra else "is read"
    hint = "files that are read together have the same columns"
    raise DataError(f"{file.name} {what}, unlike {first_file.name}", hint)
