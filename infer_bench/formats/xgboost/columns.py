"""The fields of XGBoost's trees, each read of all trees at once."""

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.formats.numbers import parse_floats, parse_integers
from infer_bench.formats.tree_arrays import first_where, offsets
from infer_bench.typing import Array, Ints

Json = Mapping[str, Any]

_OF_NUMBERS = b"0123456789+-.eE, \n\r\t"


class Columns:
    """The trees, of which one field at a time is read: lists and arrays, or JSON that is still text."""

    def __init__(self, trees: Sequence[Json], nodes: Ints) -> None:
        self.trees, self.nodes = trees, nodes
        self._are_text = bool(trees) and not isinstance(trees[0]["tree_param"], Mapping)
        self._empty = b"[]" if self._are_text else ()
        self._of_nodes: dict[str, Any] = {}

    @cached_property
    def tree(self) -> Ints:
        """Each node's tree; asked for only when the trees are known to hold as many nodes as they announce."""
        return np.repeat(np.arange(len(self.trees)), self.nodes)

    @cached_property
    def first(self) -> Ints:
        """Each tree's first node."""
        return offsets(self.nodes)

    def has(self, key: str) -> bool:
        """Whether any tree has the field."""
        return any(key in tree for tree in self.trees)

    def integers(self, key: str, sizes: Ints | None = None) -> Ints:
        """The field `key` of all trees; tree i has `sizes[i]` entries, or one a node."""
        return whole_numbers(key, self._join(key, sizes, parse_integers))

    def floats(self, key: str, sizes: Ints | None = None) -> npt.NDArray[np.float32]:
        """As `integers`, for numbers of 32 bits."""
        values = np.asarray(self._join(key, sizes, parse_floats), dtype=np.float64)
        with np.errstate(over="ignore"):
            return values.astype(np.float32)

    def sizes(self, key: str) -> Ints:
        """How many entries each tree's field has; 0 where it lacks it."""
        return self._counts(self._lists([tree.get(key, self._empty) for tree in self.trees]))

    def check_sizes(self, key: str, sizes: Ints) -> list[Any]:
        """The field of each tree: a list, an array, or the text between a list's brackets.

        Raises `ValueError` where one lacks it, or has another number of entries.
        """
        try:
            entries = self._lists([tree[key] for tree in self.trees])
        except KeyError:
            index = next(i for i, tree in enumerate(self.trees) if key not in tree)
            raise ValueError(f"tree {index} lacks {key!r}") from None
        counts = self._counts(entries)
        if (counts != sizes).any():
            at = first_where(counts != sizes)
            raise ValueError(f"tree {at}: {key} has {counts[at]} values where {sizes[at]} are due")
        return entries

    def _lists(self, entries: list[Any]) -> list[Any]:
        """The fields as they are, or what stands between their brackets where they are text of lists of numbers."""
        if not self._are_text:
            return [() if entry is None else entry for entry in entries]
        texts = [bytes(entry) for entry in entries]
        if not all(text[:1] == b"[" for text in texts):
            raise ValueError("something stands where a list of numbers is due")
        inner = [text[1:-1] for text in texts]
        if b"".join(inner).translate(None, _OF_NUMBERS):
            raise ValueError("something stands where a list of numbers is due")
        return inner

    def _counts(self, entries: Sequence[Any]) -> Ints:
        if self._are_text:
            return np.array(
                [text.count(b",") + 1 if text and not text.isspace() else 0 for text in entries], dtype=np.int64
            )
        return np.array([len(entry) for entry in entries], dtype=np.int64)

    def _join(self, key: str, sizes: Ints | None, parse: Any) -> Any:
        if sizes is not None:
            return self._parse(key, sizes, parse)
        if key not in self._of_nodes:  # asked for more than once
            self._of_nodes[key] = self._parse(key, self.nodes, parse)
        return self._of_nodes[key]

    def _parse(self, key: str, sizes: Ints, parse: Any) -> Any:
        entries = self.check_sizes(key, sizes)
        if self._are_text:
            return parse(b",".join(text for text, size in zip(entries, sizes.tolist(), strict=True) if size))
        if any(isinstance(entry, np.ndarray) for entry in entries):
            return np.concatenate([np.asarray(entry) for entry in entries])
        return list(itertools.chain.from_iterable(entries))


def field_of(tree: Json, key: str, index: int) -> Any:
    """A tree's field; raises `ValueError` where tree `index` lacks it."""
    if key not in tree:
        raise ValueError(f"tree {index} lacks {key!r}")
    return tree[key]


def whole_numbers(name: str, values: Any) -> Ints:
    """Values as whole numbers; raises `ValueError` where they are other than a list of these."""
    array: Array = np.asarray(values)
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "iub"):
        raise ValueError(f"{name} holds {array.dtype} where whole numbers are due")
    return array.astype(np.int64)


def value_of(entry: Any) -> Any:
    """A field, decoded where it is still text."""
    if entry is None or isinstance(entry, bool | int | float | str | list | np.generic | np.ndarray | Mapping):
        return entry
    import msgspec

    return msgspec.json.decode(entry)


def mapping_of(entry: Any) -> Json:
    """A field that holds fields itself; raises `ValueError` for another."""
    value = value_of(entry)
    if not isinstance(value, Mapping):
        raise ValueError(f"{str(value)[:40]!r} stands where a tree's tree_param is due")
    return value
