"""Rows from parquet and csv, through pyarrow, streamed where the format allows it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np

from infer_bench.data.narrow_dtypes import of_schema
from infer_bench.data.sliced_rows import SlicedRows
from infer_bench.data.table import Column, Table, check_names
from infer_bench.data.text import is_number
from infer_bench.errors import DataError, MissingDependency

_BUFFER_BYTES = 1 << 16
"""What is read ahead of each column; without it a row group's columns are read whole."""

P = ParamSpec("P")
T = TypeVar("T")


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingDependency("pyarrow", "data") from None
    return pyarrow


def _guarded(file: Path, load: Callable[[], T]) -> T:
    """What `load` returns; pyarrow's errors as one `DataError` line."""
    arrow = _arrow()
    try:
        return load()
    except UnicodeDecodeError:
        raise DataError(f"{file.name} has column names that are not UTF-8 text", "save the file as UTF-8") from None
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise DataError(f"cannot read {file.name}: {str(error).splitlines()[0] if str(error) else error!r}") from None


class ParquetSource:
    """A parquet file, read without pre-buffering: one batch is in memory at a time."""

    named = True

    def __init__(self, file: Path) -> None:
        _arrow()
        from pyarrow import parquet

        self._file = file
        parquet_file = _guarded(file, lambda: parquet.ParquetFile(file, pre_buffer=False))
        self._schema = parquet_file.schema_arrow
        self.columns = tuple(str(name) for name in self._schema.names)
        self.narrow_dtypes: Mapping[str, str] = of_schema(self._schema)
        metadata = parquet_file.metadata
        self.rows = int(metadata.num_rows)
        groups = range(metadata.num_row_groups)
        self.groups = _guarded(file, lambda: tuple(int(metadata.row_group(i).num_rows) for i in groups))
        check_names(file, self.columns)
        self._nulls: dict[str, bool] = {}

    def batches(self, size: int, columns: Sequence[str] | None, whole: bool = True) -> Iterator[Table]:
        """Tables of at most `size` rows, of one dtype a column over the whole file.

        Without `whole` each batch chooses by its own rows whether a column of integers holds nulls.
        """
        names = self._check_columns(columns)
        nullable = {name for name in names if whole and size < self.rows and self._has_nulls(name)}
        for part in self._parts(size, names):
            yield _guarded(self._file, partial(_table, part, names, nullable))

    def group_batches(
        self, size: int, columns: Sequence[str] | None, groups: Sequence[int]
    ) -> Iterator[tuple[int, Table]]:
        """Tables of at most `size` rows of these row groups, of one dtype a column over the whole file."""
        names = self._check_columns(columns)
        in_one = len(self.groups) == 1 and size >= self.rows
        nullable = {name for name in names if not in_one and self._has_nulls(name)}
        parquet_file = self._open()
        for group in groups:
            for part in self._parts(size, names, parquet_file, [group]):
                yield group, _guarded(self._file, partial(_table, part, names, nullable))

    def with_texts(self, texts: Mapping[str, frozenset[str]]) -> Self:
        """Itself: its columns have dtypes of their own."""
        return self

    def _check_columns(self, columns: Sequence[str] | None) -> tuple[str, ...]:
        names = self.columns if columns is None else tuple(columns)
        for name in names:
            _check_type(self._file, name, self._schema.field(name).type)
        return names

    def _open(self) -> Any:
        from pyarrow import parquet

        return _guarded(
            self._file, lambda: parquet.ParquetFile(self._file, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        )

    def _parts(
        self, size: int, columns: Sequence[str], parquet_file: Any = None, groups: Sequence[int] | None = None
    ) -> Iterator[Any]:
        parquet_file = parquet_file or self._open()
        options = {} if groups is None else {"row_groups": list(groups)}
        parts = parquet_file.iter_batches(batch_size=size, columns=list(columns), use_threads=False, **options)
        while (part := _guarded(self._file, lambda: next(parts, None))) is not None:
            yield part

    def _has_nulls(self, name: str) -> bool:
        """Whether a column of whole numbers holds a null, found by reading it.

        The file's own statistics would be cheaper, but pyarrow aborts the process where those are damaged.
        """
        field = self._schema.field(name)
        if not field.nullable or not _is_whole(field.type):
            return False
        if name not in self._nulls:
            self._nulls[name] = any(part.column(0).null_count for part in self._parts(1 << 16, [name]))
        return self._nulls[name]


class CsvSource(SlicedRows):
    """A csv file with a header. Types are inferred over the whole file, which is therefore held in memory.

    The columns `texts` are not inferred: they are the text that stands there.
    """

    named = True

    def __init__(self, file: Path, texts: Collection[str] = ()) -> None:
        arrow = _arrow()
        from pyarrow import csv

        self._file = file
        types = dict.fromkeys(texts, arrow.string())
        convert = csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False, column_types=types)
        parse = csv.ParseOptions(newlines_in_values=True, delimiter=_delimiter(file))
        reading = csv.ReadOptions(use_threads=False, block_size=1 << 24)
        self._table = _guarded(file, lambda: csv.read_csv(file, reading, parse, convert))
        self.columns = _guarded(file, lambda: tuple(self._table.column_names))
        self.rows = int(self._table.num_rows)
        check_names(file, self.columns)
        _check_header(file, self.columns)

    def with_texts(self, texts: Mapping[str, frozenset[str]]) -> "CsvSource":
        """The file with each of these columns as text: what looks like `01`, `1.0` or a date may be a category's name.

        Of a column with known texts it must hold one. Where none is known, whole numbers with holes and booleans stay
        what they seem: pandas writes both otherwise than it hands them to a model.
        """
        inferred = [name for name in texts if not _is_text(self._table.schema.field(name).type)]
        names = [name for name in inferred if texts[name] or self._is_literal(name)]
        if not names:
            return self
        with_texts = [name for name in names if texts[name]]
        source = CsvSource(self._file, names)
        strangers = [name for name in with_texts if texts[name].isdisjoint(source._table.column(name).to_pylist())]
        return source if not strangers else CsvSource(self._file, [name for name in names if name not in strangers])

    def _is_literal(self, name: str) -> bool:
        from pyarrow import types

        column = self._table.column(name)
        return not types.is_boolean(column.type) and not column.null_count

    def _read(self, start: int, rows: int, names: tuple[str, ...]) -> Table:
        for name in names:
            _check_utf8(self._file, name, self._table.schema.field(name).type)
        table = self._table.select(list(names))
        nullable = {name for name in names if table.column(name).null_count}
        return _guarded(self._file, partial(_table, table.slice(start, rows), names, nullable))


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind))


def _table(part: Any, columns: Sequence[str], nullable: Collection[str]) -> Table:
    return Table({name: to_numpy(part.column(name), name in nullable) for name in columns})


def to_numpy(column: Any, nullable: bool) -> Column:
    """An arrow array as a canonical column; `nullable` makes integers and booleans float64 with NaN for null."""
    import pyarrow as arrow
    from pyarrow import types

    if isinstance(column, arrow.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, arrow.ExtensionArray):
        column = column.storage
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    if types.is_floating(kind):
        return _numbers(column, np.float64 if types.is_float64(kind) else np.float32)
    if types.is_decimal(kind):
        return _numbers(column.cast(arrow.float64()), np.float64)
    if types.is_integer(kind) or types.is_boolean(kind):
        return _whole(column, nullable)
    return np.array(column.cast(arrow.large_string()).to_pylist(), dtype=object)


def _numbers(column: Any, dtype: type[np.floating[Any]]) -> Column:
    values: Column = _values(column).astype(dtype) if column.null_count else np.asarray(_values(column), dtype=dtype)
    return _mark_nulls(values, column) if column.null_count else values


def _mark_nulls(values: Column, column: Any) -> Column:
    """Floats, with NaN where the column has a null.

    A scalar for `fill_null` would import pandas, and `is_null` all functions that compute.
    """
    bits = column.buffers()[0]  # one a value, from the lowest on
    if column.null_count and bits is not None:
        begin, end = column.offset, column.offset + len(column)
        is_valid = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=end, bitorder="little")[begin:]
        values[is_valid == 0] = np.nan
    return values


def _whole(column: Any, nullable: bool) -> Column:
    import pyarrow as arrow
    from pyarrow import types

    boolean = types.is_boolean(column.type)
    column = column.cast(arrow.uint8()) if boolean else column
    if nullable or column.null_count:
        return _mark_nulls(_values(column).astype(np.float64), column)
    dtype: Any = np.bool_ if boolean else np.float64 if types.is_uint64(column.type) else np.int64
    return np.asarray(_values(column), dtype=dtype)


def _values(column: Any) -> Column:
    """An array of numbers as it lies in memory, anything where it has nulls.

    `Array.to_numpy` would import pandas, and its memory.
    """
    from pyarrow import types

    kind = "f" if types.is_floating(column.type) else "i" if types.is_signed_integer(column.type) else "u"
    dtype = np.dtype(f"{kind}{column.type.bit_width // 8}")
    data = column.buffers()[1]
    if not len(column) or data is None:
        return np.zeros(len(column), dtype=dtype)
    values: Column = np.frombuffer(data, dtype=dtype, count=len(column), offset=column.offset * dtype.itemsize)
    return values


def _is_whole(kind: Any) -> bool:
    from pyarrow import types

    value = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_integer(value) or types.is_boolean(value))


def _check_type(file: Path, name: str, kind: Any) -> None:
    from pyarrow import types

    if (
        types.is_nested(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
    ):
        raise DataError(f"column {name!r} of {file.name} holds {kind}, which is neither numbers nor text")


def _check_utf8(file: Path, name: str, kind: Any) -> None:
    from pyarrow import types

    if types.is_binary(kind) or types.is_large_binary(kind):
        raise DataError(f"column {name!r} of {file.name} is not UTF-8 text", "save the file as UTF-8")


def _check_header(file: Path, names: Sequence[str]) -> None:
    """A first line of numbers is data, unless it counts the columns as pandas does (0, 1, 2, …)."""
    ordinals = [str(i) for i in range(len(names))]
    if list(names) not in (ordinals, ["", *ordinals[:-1]]) and all(is_number(name) for name in names):
        raise DataError(f"{file.name} has no header row", "the first line must name the columns")


def _delimiter(file: Path) -> str:
    """`,`, unless the header has none and has semicolons or tabs."""
    with file.open("rb") as stream:
        header = stream.readline(1 << 20)
    if b"," in header:
        return ","
    return next((mark for mark in (";", "\t") if mark.encode() in header), ",")
