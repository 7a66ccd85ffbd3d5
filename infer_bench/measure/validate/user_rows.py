"""The user's rows, batch by batch, as the reference's features in its order and under its names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from infer_bench.data import ColumnMatch, Dataset, Table, conform, match, text_columns
from infer_bench.data.blocks import Block, list_blocks, select
from infer_bench.data.rounding import round_numbers
from infer_bench.measure.candidates.column_mapping import NO_ORDER, ColumnOrder
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import ModelSpec

BATCH_BYTES = 1 << 21
LEAST_ROWS, MOST_ROWS = 1_024, 65_536


@dataclass(frozen=True, slots=True, eq=False)
class RowBatch:
    """Rows of one block, the first numbered `first` through all files; `opens_block`: they are the block's first."""

    table: Table
    first: int
    opens_block: bool = False


@dataclass(frozen=True, eq=False)
class UserRows:
    """The rows of a file that are compared, for a reference described by `spec`: all, or those of one part.

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

    @cached_property
    def _source(self) -> Dataset:
        return self.dataset.with_texts(text_columns(self.match, self.spec)) if self.spec.features else self.dataset

    @cached_property
    def all_blocks(self) -> tuple[Block, ...]:
        """The blocks of all parts together."""
        return list_blocks([file.groups for file in self.dataset.files], self.settings.rows)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Those that are compared here."""
        part = self.settings.part
        return self.all_blocks if part is None else select(self.all_blocks, part.index, part.of)

    @property
    def count(self) -> int:
        """How many rows are compared here."""
        return sum(block.rows for block in self.blocks)

    def batches(self) -> Iterator[RowBatch]:
        """All of them, in batches, none of two blocks."""
        return self._read(self.blocks)

    def first_batch(self) -> RowBatch:
        """The first of all parts, whichever is compared here."""
        return next(self._read(self.all_blocks[:1]))

    def _read(self, blocks: Sequence[Block]) -> Iterator[RowBatch]:
        features = self.spec.features
        columns = self.match.columns if features else None
        by_number = {block.number: block for block in blocks}
        size, last, rows = batch_rows(len(columns or self.dataset.columns)), -1, 0
        for number, table in self._source.group_batches(size, list(by_number), columns):
            block = by_number[number]
            rows = rows if number == last else 0
            part = table.slice(0, min(table.rows, block.rows - rows))
            if part.rows:
                own = conform(part, self.spec) if features else part
                yield RowBatch(round_table(own, self.settings.input_dtype), block.first + rows, number != last)
            last, rows = number, rows + part.rows


def batch_rows(features: int) -> int:
    """Rows a batch: 2 MB of doubles, within bounds."""
    return int(np.clip(BATCH_BYTES // (8 * max(1, features)), LEAST_ROWS, MOST_ROWS))


def round_table(table: Table, dtype: str | None) -> Table:
    """The table with its numbers rounded to `dtype`; None changes nothing."""
    return table if dtype is None else Table(round_numbers(table.columns, dtype))
