"""The fields of the trees in LightGBM's text format, each read of all trees at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.formats.numbers import parse_floats, parse_integer, parse_integers
from infer_bench.formats.tree_arrays import first_where
from infer_bench.typing import Array, Floats, Ints

Fields = Mapping[bytes, bytes]


class Columns:
    """The blocks of some trees, of which one field at a time is read."""

    def __init__(self, blocks: Sequence[Fields], numbers: Ints) -> None:
        self.blocks, self.numbers = blocks, numbers

    def of(self, which: Any) -> "Columns":
        """Some of the trees."""
        return Columns([self.blocks[i] for i in np.flatnonzero(which).tolist()], self.numbers[which])

    def floats(self, key: str, sizes: Ints) -> Floats:
        """The field `key` of all trees joined; raises `ValueError` unless tree i has `sizes[i]` numbers."""
        return self._parse(key, sizes, parse_floats)

    def integers(self, key: str, sizes: Ints) -> Ints:
        """As `floats`, for whole numbers."""
        return self._parse(key, sizes, parse_integers)

    def _parse(self, key: str, sizes: Ints, parse: Any) -> Array:
        texts = self._texts(key.encode())
        counts = _count_numbers(texts)
        if (counts != sizes).any():
            texts = [b" ".join(text.split()) for text in texts]
            counts = _count_numbers(texts)
        if (counts != sizes).any():
            place = first_where(counts != sizes)
            self._check_numbers(int(self.numbers[place]), key, texts[place], parse)
            raise ValueError(
                f"tree {self.numbers[place]}: {key} has {counts[place]} values where {sizes[place]} are due"
            )
        values = self._join(key, texts, parse)
        if len(values) != sizes.sum():
            raise ValueError(f"{key} holds what is no number")
        return values

    def _texts(self, key: bytes) -> list[bytes]:
        try:
            return [block[key] for block in self.blocks]
        except KeyError:
            place = next(i for i, block in enumerate(self.blocks) if key not in block)
            raise ValueError(f"tree {self.numbers[place]} lacks {key.decode()}") from None

    def _join(self, key: str, texts: Sequence[bytes], parse: Any) -> Array:
        try:
            values: Array = parse(b",".join(text for text in texts if text).replace(b" ", b","))
        except ValueError as error:
            for number, text in zip(self.numbers, texts, strict=True):
                self._check_numbers(int(number), key, text, parse)
            raise ValueError(f"{key} {error}") from None
        return values

    def _check_numbers(self, number: int, key: str, text: bytes, parse: Any) -> None:
        try:
            parse(text.replace(b" ", b","))
        except ValueError as error:
            raise ValueError(f"tree {number}: {key} {error}") from None


def _count_numbers(texts: Sequence[bytes]) -> Ints:
    """How many numbers stand in each, where one space parts them."""
    return np.array([text.count(b" ") + 1 if text else 0 for text in texts], dtype=np.int64)


def count_of(blocks: Sequence[Fields], tree: int, key: bytes) -> int:
    """A whole number that a tree gives once, as `num_leaves`; raises `ValueError` where it lacks it."""
    if key not in blocks[tree]:
        raise ValueError(f"tree {tree} lacks {key.decode()}")
    try:
        return parse_integer(blocks[tree][key])
    except ValueError as error:
        raise ValueError(f"tree {tree}: {key.decode()}: {error}") from None
