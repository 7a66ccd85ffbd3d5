"""The blocks of rows that a comparison is cut at, and which of them a part has. Pure.

A block is a row group of a parquet file, or `BLOCK_ROWS` rows of a file of another format. Blocks are numbered in the
order of their files' names and of their places in the file: where one begins depends on the files alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

BLOCK_ROWS = 65_536
"""Rows of a block where the format knows no row groups."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one file, itself numbered `file`: its row group `number` through all files, and the one in its file.

    `first` is the number of its first row, counted through all files.
    """

    number: int
    file: int
    group: int
    first: int
    rows: int


def cut(rows: int) -> tuple[int, ...]:
    """The rows of each block of a file without row groups."""
    return tuple(min(BLOCK_ROWS, rows - start) for start in range(0, rows, BLOCK_ROWS))


def pieces(rows: int, size: int, groups: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Group, first row and number of rows of pieces of at most `size` rows, of these groups of a file cut so."""
    for group in groups:
        end = min(rows, (group + 1) * BLOCK_ROWS)
        for start in range(group * BLOCK_ROWS, end, size):
            yield group, start, min(size, end - start)


def list_blocks(files: Sequence[Sequence[int]], limit: int | None = None) -> tuple[Block, ...]:
    """The blocks of files with so many rows a row group, up to `limit` rows in all; empty ones are left out."""
    return tuple(_blocks(files, limit))


def _blocks(files: Sequence[Sequence[int]], limit: int | None) -> Iterator[Block]:
    numbers, first = count(), 0
    for file, groups in enumerate(files):
        for group, rows in enumerate(groups):
            number, size = next(numbers), rows if limit is None else min(rows, limit - first)
            if size > 0:
                yield Block(number, file, group, first, size)
                first += size


def select(blocks: Sequence[Block], index: int, parts: int) -> tuple[Block, ...]:
    """The blocks of part `index` of `parts` (from 1 on): neighbours, of about as many rows as any other part's.

    A block belongs to the part in whose share of all rows it begins, so that every block has one part and the first
    block is the first part's. A part may be without any.
    """
    total = sum(block.rows for block in blocks)
    return tuple(block for block in blocks if block.first * parts // total == index - 1)
