"""The user's own records, as `--input` names them."""

from collections.abc import Mapping, Sequence
from typing import Any

from infer_bench.errors import DataError


def check_keys(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Raise `DataError` when no record has a key that the model knows."""
    known_columns = set(columns)
    if known_columns and records and not any(known_columns & record.keys() for record in records):
        raise DataError("no key of the records is a column of the model", f"it knows {', '.join(columns[:5])}, …")
