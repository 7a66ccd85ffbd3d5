"""A data file, recognised by its content, read in batches."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from infer_bench.data.file_digest import Digest
from infer_bench.data.file_list import DataFile, FileList, Source, check_columns, describe_file, matching_files
from infer_bench.data.sources import open_source
from infer_bench.data.table import Table, concat
from infer_bench.errors import DataError


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows in a file: parquet, csv (with a header), JSON (records), npy or npz; or in several such `files`.

    `path` is absolute, and of several files the pattern that they match. Not `named` are the
    columns of an array, and those that pandas has numbered: 0, 1, 2, …
    """

    path: str
    columns: tuple[str, ...]
    rows: int
    named: bool
    files: tuple[DataFile, ...] = field(repr=False, compare=False)
    digest: Digest = field(repr=False, compare=False)
    source: Source = field(repr=False, compare=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str], names: Sequence[str] = ()) -> "Dataset":
        """Open a file, whatever its extension, or all files that match a pattern such as `rows/*.parquet`.

        `names` are the columns of an unnamed array, `f0`, `f1`, … by default. Raises `DataError` when a file is
        missing, empty, broken, of a format that is not read here, or has other columns than the first one.
        """
        files = matching_files(os.fspath(path))
        first = _open_file(files[0], tuple(names))
        described = [describe_file(files[0], first)]
        for file in files[1:]:
            source = _open_file(file, tuple(names))
            check_columns(file, source, first, files[0])
            described.append(describe_file(file, source))
        whole: Source = first if len(files) == 1 else FileList(described, first, names)
        named = first.named and first.columns != tuple(map(str, range(len(first.columns))))
        return cls(str(Path(path).absolute()), whole.columns, whole.rows, named, tuple(described), Digest(files), whole)

    @property
    def name(self) -> str:
        """The file's name, or the pattern of several."""
        return Path(self.path).name

    @property
    def narrow_dtypes(self) -> Mapping[str, str]:
        """The dtypes of those columns of numbers that the file stores in fewer bits than they are read in (`int8`)."""
        return self.source.narrow_dtypes

    @property
    def sha256(self) -> str:
        """The hash of the file's bytes, in hexadecimal; of several files that of their hashes and names.

        `digest.start()` finds it in the background.
        """
        return self.digest.value()

    def head(self, rows: int, columns: Sequence[str] | None = None) -> Table:
        """The first `rows` rows, or all where there are fewer; nothing behind them is read."""
        self._check_columns(columns)
        size = max(rows, 1)
        table = next(_rebatch(self.source.batches(size, columns, whole=False), size)).slice(0, rows)
        return replace(table, named=self.named)

    def batches(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Table]:
        """Tables of `size` rows (the last may be shorter), of all columns or of those named."""
        self._check_columns(columns)
        return (replace(part, named=self.named) for part in _rebatch(self.source.batches(size, columns), size))

    def group_batches(
        self, size: int, groups: Sequence[int], columns: Sequence[str] | None = None
    ) -> Iterator[tuple[int, Table]]:
        """Tables of `size` rows (the last of a group may be shorter), none of two row groups, with the group's number.

        `groups` are numbered through all files; what a table holds does not depend on which others are asked for.
        """
        self._check_columns(columns)
        pairs = self.source.group_batches(size, columns, groups)
        for group, parts in groupby(pairs, key=lambda pair: pair[0]):
            for part in _rebatch((table for _, table in parts), size):
                yield group, replace(part, named=self.named)

    def with_texts(self, texts: Mapping[str, frozenset[str]]) -> "Dataset":
        """The same rows with these columns as the text that a csv file holds; `texts` are the known ones of each."""
        return replace(self, source=self.source.with_texts(texts)) if texts else self

    def _check_columns(self, columns: Sequence[str] | None) -> None:
        missing = [name for name in columns or () if name not in self.columns]
        if missing:
            raise DataError(f"{Path(self.path).name} has no column {missing[0]!r}")


def _open_file(file: Path, names: tuple[str, ...]) -> Source:
    _check_file(file)
    source = open_source(file, names)
    if source.rows == 0:
        raise DataError(f"{file.name} has no rows")
    return source


def _rebatch(parts: Iterator[Table], size: int) -> Iterator[Table]:
    """Parts of at most `size` rows, joined so that all but the last have exactly `size`."""
    pending: list[Table] = []
    rows = 0
    for part in parts:
        pending.append(part)
        rows += part.rows
        if rows >= size:
            whole = concat(pending)
            yield whole.slice(0, size)
            # An empty rest would have every later batch joined, which is copied.
            pending, rows = [whole.slice(size, rows)] if rows > size else [], rows - size
    if rows:
        yield concat(pending)


def _check_file(file: Path) -> None:
    if not file.exists():
        raise DataError(f"no such data file: {file}")
    if file.is_dir():
        raise DataError(f"{file} is a folder, not a data file")
    if not file.is_file():  # a pipe that nobody writes to would be waited for
        raise DataError(f"{file} is not a regular file", "rows are read more than once: save them in a file")
    try:
        with file.open("rb") as stream:
            first = stream.read(1)
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from None
    if not first:
        raise DataError(f"{file.name} is empty")
