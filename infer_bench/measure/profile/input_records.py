"""The user's own records, as `--input` names them: a JSON object, or a list of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.errors import DataError

Record = dict[str, Any]
_EXAMPLE = 'write one record as {"column": value, …}, or a list of them'


def read_records(path: str) -> list[Record]:
    """The records in a JSON file. Raises `DataError` when it is missing, no JSON or something else."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"it is no JSON: {error}"
        raise DataError(f"{path} cannot be read: {reason}", _EXAMPLE) from None
    records = content if isinstance(content, list) else [content]
    if not records:
        raise DataError(f"{path} holds no record", _EXAMPLE)
    for i, record in enumerate(records):
        if not isinstance(record, dict) or not record:
            raise DataError(f"record {i + 1} of {path} is no object with keys", _EXAMPLE)
    return records


def check_keys(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Raise `DataError` when no record has a key that the model knows."""
    known_columns = set(columns)
    if known_columns and records and not any(known_columns & record.keys() for record in records):
        raise DataError("no key of the records is a column of the model", f"it knows {', '.join(columns[:5])}, …")


def as_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    """The records as a table: numbers as float64 with NaN where a record lacks them, anything else as objects."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: _column([record.get(name) for record in records]) for name in names}


def _column(values: list[Any]) -> npt.NDArray[Any]:
    if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
