"""The user's rows, batch by batch, as the reference's features in its order and under its names."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from infer_bench.data import ColumnMatch, Dataset, Table, conform, match
from infer_bench.data.rounding import round_numbers
from infer_bench.measure.candidates.column_mapping import NO_ORDER, ColumnOrder
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import ModelSpec

BATCH_BYTES = 1 << 24
LEAST_ROWS, MOST_ROWS = 1_024, 65_536


@dataclass(frozen=True, slots=True, eq=False)
class UserRows:
    """The rows of a file that are compared, for a reference described by `spec`.

    `order` is that of a candidate's columns, for a reference that does not name its own.
    """

    dataset: Dataset
    spec: ModelSpec
    settings: ValidateSettings
    order: ColumnOrder = NO_ORDER

    @property
    def match(self) -> ColumnMatch:
        """Which columns of the file are the reference's. Raises `DataError` where that cannot be told."""
        return match(self.dataset.columns, self.spec, named=self.dataset.named, order=self.order.names)

    @property
    def count(self) -> int:
        """How many rows are read."""
        return min(self.dataset.rows, self.settings.rows or self.dataset.rows)

    def batches(self) -> Iterator[Table]:
        """All of them, in batches."""
        features = self.spec.features
        columns = self.match.columns if features else None
        remaining = self.count
        for table in self.dataset.batches(batch_rows(len(columns or self.dataset.columns)), columns):
            part = table if table.rows <= remaining else table.slice(0, remaining)
            yield round_table(conform(part, self.spec) if features else part, self.settings.input_dtype)
            remaining -= part.rows
            if remaining == 0:
                return


def batch_rows(features: int) -> int:
    """Rows a batch: 16 MB of doubles, within bounds."""
    return int(np.clip(BATCH_BYTES // (8 * max(1, features)), LEAST_ROWS, MOST_ROWS))


def round_table(table: Table, dtype: str | None) -> Table:
    """The table with its numbers rounded to `dtype`; None changes nothing."""
    return table if dtype is None else Table(round_numbers(table.columns, dtype))
