"""Records from JSON: one object, a list of them, or one after the other (JSON lines); and records as columns."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.data.arrays import ArraySource, source_of
from infer_bench.data.sliced_rows import SlicedRows
from infer_bench.data.table import Column, Table
from infer_bench.errors import DataError
from infer_bench.typing import ABSENT, Array

Record = dict[str, Any]
EXAMPLE = 'write one record as {"column": value, …}, a list of them, or one a line'
_BLANK = " \t\r\n"
_INT64 = np.iinfo(np.int64)


class RecordSource(SlicedRows):
    """Records of a JSON file as columns, all in memory."""

    named = True

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._columns = as_columns(records)
        self.columns = tuple(self._columns)
        self.rows = len(records)

    def _read(self, start: int, rows: int, names: tuple[str, ...]) -> Table:
        return Table({name: self._columns[name][start : start + rows] for name in names})


def open_json(file: Path, names: Sequence[str]) -> RecordSource | ArraySource:
    """Records; or a list of rows, or of numbers, whose columns have no names. Raises `DataError` for anything else."""
    content = read_json(file)
    if content and (_all_of(content, list) or _all_of(content, int | float)):
        return source_of(file, _as_array(file, content), names)
    return RecordSource(_check_records(file, content))


def _all_of(values: list[Any], kind: Any) -> bool:
    return all(isinstance(value, kind) for value in values)


def _as_array(file: Path, rows: list[Any]) -> Array:
    """An array; null is NaN."""
    try:
        array = np.array(rows)
        return array.astype(np.float64) if array.dtype == object else array
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"the rows of {file.name} are no lists of numbers of one length", EXAMPLE) from None


def read_records(path: str | Path) -> list[Record]:
    """The records in a JSON file. Raises `DataError` when it is missing, no JSON, or holds anything else."""
    return _check_records(path, read_json(path))


def _check_records(path: str | Path, content: list[Any]) -> list[Record]:
    if not content:
        raise DataError(f"{path} holds no record", EXAMPLE)
    for i, record in enumerate(content):
        if not isinstance(record, dict) or not record:
            raise DataError(f"record {i + 1} of {path} is no object with keys", EXAMPLE)
    return content


def read_json(path: str | Path) -> list[Any]:
    """The values in a JSON file: the elements of its list, or those that stand one after the other."""
    try:
        values = list(_values(Path(path).read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"it is no JSON: {error}"
        raise DataError(f"{path} cannot be read: {reason}", EXAMPLE) from None
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _values(text: str) -> Iterator[Any]:
    decoder, end = json.JSONDecoder(), len(text)
    place = _skip_blanks(text, 0)
    while place < end:
        value, place = decoder.raw_decode(text, place)
        yield value
        place = _skip_blanks(text, place)


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANK:
        place += 1
    return place


def as_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """A column for each key: of bool, int64 or float64 where every record holds that, else of the values themselves.

    So a function is handed the user's own record: `None` where it holds null, and `ABSENT` where it lacks the key.
    """
    names = dict.fromkeys(name for record in records for name in record)
    return {name: _column([record.get(name, ABSENT) for record in records]) for name in names}


def _column(values: list[Any]) -> Column:
    kinds = set(map(type, values))
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    if kinds == {int} and all(_INT64.min <= value <= _INT64.max for value in values):
        return np.array(values, dtype=np.int64)
    if kinds == {float}:
        return np.array(values, dtype=np.float64)
    return np.fromiter(values, dtype=object, count=len(values))
