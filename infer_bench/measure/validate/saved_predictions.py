"""Predictions that were saved in a file, as the reference of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench.data import Dataset
from infer_bench.data.conform import as_one_kind
from infer_bench.errors import CannotRun, DataError
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.typing import Array, Floats

_COLUMNS = ("prediction", "predictions", "score", "scores", "probability", "output", "y_pred", "pred")


@dataclass(frozen=True, slots=True, eq=False)
class SavedPredictions:
    """Predictions made before: `values` (rows, outputs) from the file `name`."""

    name: str
    values: Floats

    def predictions(self, first: int, rows: int) -> Predictions:
        """Those for `rows` rows from number `first` on."""
        return Predictions.unrefused(np.asarray(self.values[first : first + rows], dtype=np.float64))


def is_predictions(path: str) -> bool:
    """Whether a path (or `path:column`) names saved predictions and no model: an npy array, parquet, csv or JSON.

    A JSON object may be a model's, so of JSON it takes a column, a list or an ending that says lines.
    """
    file, column = _file_and_column(path)
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        head = stream.read(8)
    rows = (b"PAR1", b"\x93NUMPY", b"[", *([b"{"] if column else []))
    return head.lstrip().startswith(rows) or file.suffix.lower() in (".csv", ".jsonl", ".ndjson")


def load_predictions(path: str) -> SavedPredictions:
    """Predictions in a file: all columns of an array, the column that `path:column` names, or the only likely one.

    Raises `DataError` when there is none, or `CannotRun` when a value is no number.
    """
    file, column = _file_and_column(path)
    table = Dataset.open(file)
    names = [column] if column else _likely_columns(table.columns, file.name)
    if column and column not in table.columns:
        raise DataError(f"{file.name} has no column {column!r}", f"it has: {', '.join(table.columns[:8])}")
    parts = [
        np.stack([_as_floats(batch.columns[name], name) for name in names], axis=1)
        for batch in table.batches(65_536, names)
    ]
    return SavedPredictions(file.name, np.concatenate(parts))


def _file_and_column(path: str) -> tuple[Path, str]:
    if Path(path).exists():
        return Path(path), ""
    head, _, column = path.rpartition(":")
    return (Path(head), column) if head and Path(head).is_file() else (Path(path), "")


def _likely_columns(columns: Sequence[str], name: str) -> list[str]:
    if len(columns) == 1 or all(column.startswith("f") and column[1:].isdigit() for column in columns):
        return list(columns)
    likely = [column for column in columns if column.lower() in _COLUMNS]
    if len(likely) != 1:
        raise DataError(f"which column of {name} holds the predictions?", f"write {name}:{columns[0]}, or another")
    return likely


def _as_floats(values: Array, name: str) -> Floats:
    column = as_one_kind(values, name)
    if column.dtype.kind not in "fiub":
        raise CannotRun(f"the predictions in column {name!r} are no numbers")
    return column.astype(np.float64)
