"""The true class of each row, from a file of one column."""

from pathlib import Path

import numpy as np

from infer_bench.data.dataset import Dataset
from infer_bench.errors import DataError
from infer_bench.typing import Array


def read_labels(path: str, rows: int | None) -> Array:
    """The labels of so many rows: whole numbers, text or truth values (rows,). Raises `DataError` for anything else.

    None: of however many there are.
    """
    name, dataset = Path(path).name, Dataset.open(path)
    if len(dataset.columns) != 1:
        raise DataError(f"{name} has {len(dataset.columns)} columns", "labels are one column")
    if rows is not None and dataset.rows != rows:
        raise DataError(f"{name} has {dataset.rows:,} labels for {rows:,} rows", "one label for each row")
    labels = np.asarray(next(iter(dataset.head(dataset.rows).columns.values())))
    if labels.dtype.kind != "f":
        return labels
    if not np.array_equal(labels, np.round(labels)):
        raise DataError(f"{name} holds fractions, which are no classes")
    return labels.astype(np.int64)
