"""Predictions that were saved in a file, as the reference of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from infer_bench.data import Dataset
from infer_bench.data.conform import as_one_kind
from infer_bench.errors import CannotRun, DataError
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.typing import Array, Floats

_COLUMNS = (
    *("prediction", "predictions", "score", "scores", "probability", "output", "y_pred", "pred"),
    *("label", "labels", "class", "predicted_label", "predicted_class"),
)
_MOST_CLASSES = 10_000
"""Of more distinct whole numbers among floats nobody means classes."""


@dataclass(frozen=True, slots=True, eq=False)
class SavedPredictions:
    """Predictions made before: `values` (rows, outputs) from the file `name`, NaN where they are text.

    `labels` (rows,) are those of a single column of text, or of numbers that may be labels: integers, truth values and
    whole floats (`is_float`). `sha256` and `bytes` are the file's.
    """

    name: str
    values: Floats
    labels: Labels | None = None
    is_float: bool = False
    sha256: str = ""
    bytes: int = 0

    @property
    def is_text(self) -> bool:
        """Whether there are labels and no numbers."""
        return self.labels is not None and self.labels.text

    def predictions(self, first: int, rows: int) -> Predictions:
        """Those for `rows` rows from number `first` on."""
        part = slice(first, first + rows)
        labels = None if self.labels is None else replace(self.labels, codes=self.labels.codes[part])
        return Predictions.unrefused(np.asarray(self.values[part], dtype=np.float64), labels)


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

    A single column may hold labels, as text too. Raises `DataError` when there is none, or `CannotRun` when one of
    several columns holds text.
    """
    file, column = _file_and_column(path)
    table = Dataset.open(file)
    predictions = _load(file, column, table)
    return replace(predictions, sha256=table.sha256, bytes=table.files[0].bytes)


def _load(file: Path, column: str, table: Dataset) -> SavedPredictions:
    names = [column] if column else _likely_columns(table.columns, file.name)
    if column and column not in table.columns:
        raise DataError(f"{file.name} has no column {column!r}", f"it has: {', '.join(table.columns[:8])}")
    if len(names) == 1:
        column_values = [as_one_kind(batch.columns[names[0]], names[0]) for batch in table.batches(65_536, names)]
        return _of_column(file.name, np.concatenate(column_values))
    parts = [
        np.stack([_as_floats(batch.columns[name], name) for name in names], axis=1)
        for batch in table.batches(65_536, names)
    ]
    return SavedPredictions(file.name, np.concatenate(parts))


def _of_column(name: str, values: Array) -> SavedPredictions:
    """The predictions in one column: numbers, labels, or what may be either."""
    if values.dtype == object:
        labels = Labels.of(values.tolist(), text=True)
        missing = [place for place, label in enumerate(labels.names) if label is None]
        codes = np.where(np.isin(labels.codes, missing), -1, labels.codes)
        return SavedPredictions(name, np.full((len(values), 1), np.nan), replace(labels, codes=codes))
    floats, is_float = values.astype(np.float64)[:, None], values.dtype.kind == "f"
    distinct, codes = np.unique(values, return_inverse=True)
    numbers = distinct[np.isfinite(distinct)]
    if len(distinct) > _MOST_CLASSES or not len(numbers) or (is_float and (numbers != np.floor(numbers)).any()):
        return SavedPredictions(name, floats)
    return SavedPredictions(name, floats, Labels(tuple(distinct.tolist()), codes.reshape(-1)), is_float)


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
