"""Rows of a file that can be read from any row on."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from infer_bench.data.blocks import cut, pieces
from infer_bench.data.table import Table


class SlicedRows:
    """What a source of such a file has in common with others: its batches are slices, its blocks of one size."""

    columns: tuple[str, ...]
    rows: int

    @property
    def narrow_dtypes(self) -> Mapping[str, str]:
        """None: numbers are read as they stand."""
        return {}

    @property
    def groups(self) -> tuple[int, ...]:
        """The rows of each block."""
        return cut(self.rows)

    def batches(self, size: int, columns: Sequence[str] | None, whole: bool = True) -> Iterator[Table]:
        """Tables of at most `size` rows, of one dtype a column over the whole file."""
        for start in range(0, self.rows, size):
            yield self._read(start, size, self.columns if columns is None else tuple(columns))

    def group_batches(
        self, size: int, columns: Sequence[str] | None, groups: Sequence[int]
    ) -> Iterator[tuple[int, Table]]:
        """Tables of at most `size` rows of these blocks, each with its block's number."""
        names = self.columns if columns is None else tuple(columns)
        return ((group, self._read(start, rows, names)) for group, start, rows in pieces(self.rows, size, groups))

    def with_texts(self, texts: Mapping[str, frozenset[str]]) -> Self:
        """Itself: its columns have dtypes of their own."""
        return self

    @abstractmethod
    def _read(self, start: int, rows: int, names: tuple[str, ...]) -> Table:
        """At most `rows` rows from `start` on, of these columns."""
