"""LightGBM's text format as arrays: the header's fields, and all trees' fields side by side, read without LightGBM."""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.errors import ModelError
from infer_bench.model import Feature, Label
from infer_bench.trees.ensemble import Bytes
from infer_bench.typing import Floats, Ints

_HINT = "the file is damaged; save the model again"


@dataclass(frozen=True, slots=True)
class Text:
    """A model file taken apart: header fields, one dict of fields a tree, and the lines after the trees."""

    header: Mapping[str, str]
    trees: tuple[Mapping[str, str], ...]
    tail: str

    def number(self, key: str, default: int | None = None) -> int:
        """An integer of the header; raises `ModelError` when it is missing or no integer."""
        try:
            return int(self.header[key]) if default is None or key in self.header else default
        except (KeyError, ValueError):
            raise ModelError(f"the LightGBM model's header has no valid {key}", _HINT) from None


def take_apart(text: str) -> Text:
    """Split a model file. Raises `ModelError` when it is cut short, lacks trees, or is something else."""
    text = text.replace("\r\n", "\n") if "\r" in text else text
    if not text.startswith("tree\n"):
        raise ModelError("the file is no LightGBM text model")
    body, mark, tail = text.partition("\nend of trees")
    if not mark:
        raise ModelError("the LightGBM model is cut short: it lacks its `end of trees`", _HINT)
    head, *blocks = body.split("\nTree=")
    header = _fields(head)
    announced = len(header.get("tree_sizes", "").split())
    if "tree_sizes" in header and announced != len(blocks):
        raise ModelError(f"the LightGBM model announces {announced} trees and holds {len(blocks)}", _HINT)
    if [block.split("\n", 1)[0] for block in blocks] != [str(i) for i in range(len(blocks))]:
        raise ModelError("the LightGBM model's trees are not numbered in order", _HINT)
    return Text(header, tuple(_fields(block) for block in blocks), tail)


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.split("\n"))
    return {key: value for key, _, value in pairs}


def floats(trees: Sequence[Mapping[str, str]], key: str, sizes: npt.NDArray[Any]) -> Floats:
    """The field `key` of all trees joined; raises `ModelError` unless tree i has `sizes[i]` numbers."""
    texts = [tree.get(key, "").strip() for tree in trees]
    found = np.array([text.count(" ") + 1 if text else 0 for text in texts], dtype=np.int64)
    if not np.array_equal(found, sizes):  # some fields have several spaces in a row
        found = np.array([len(text.split()) for text in texts], dtype=np.int64)
    if not np.array_equal(found, sizes):
        raise ModelError(f"a LightGBM tree has the wrong number of {key} values", _HINT)
    values = _parsed(" ".join(text for text in texts if text))
    if len(values) != sizes.sum():
        raise ModelError(f"a LightGBM tree's {key} is not numeric", _HINT)
    return values


def _parsed(text: str) -> Floats:
    """The numbers up to the first thing that is none."""
    if not text:
        return np.zeros(0)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # numpy says so when it stops early; the count tells as well
        try:
            return np.fromstring(text, dtype=np.float64, sep=" ")
        except ValueError:
            return np.zeros(0)


def integers(trees: Sequence[Mapping[str, str]], key: str, sizes: npt.NDArray[Any]) -> Ints:
    """As `floats`, for integers."""
    values = floats(trees, key, sizes)
    if np.any(values != np.floor(values)) or not np.all(np.isfinite(values)):
        raise ModelError(f"a LightGBM tree's {key} is not an integer", _HINT)
    return values.astype(np.int64)


def counts(trees: Sequence[Mapping[str, str]], key: str) -> Ints:
    """A number that each tree gives once, as `num_leaves`; 0 where it is absent."""
    try:
        return np.array([int(tree.get(key, "0")) for tree in trees], dtype=np.int64)
    except ValueError:
        raise ModelError(f"a LightGBM tree's {key} is not an integer", _HINT) from None


def member_sets(trees: Sequence[Mapping[str, str]]) -> tuple[Ints, Ints, Floats]:
    """All categorical sets: each tree's first set (trees + 1,), each set's first member (sets + 1,), the members.

    A set is stored as 32-bit words, of which bit b of word w stands for the category 32 w + b.
    """
    held = counts(trees, "num_cat")
    first = np.concatenate(([0], np.cumsum(held)))
    with_sets = [tree for tree, count in zip(trees, held, strict=True) if count > 0]
    bounds = integers(with_sets, "cat_boundaries", held[held > 0] + 1)
    is_end = np.concatenate([np.arange(n + 1) > 0 for n in held[held > 0]] or [np.zeros(0, np.bool_)])
    words_of_set = np.diff(bounds, prepend=0)[is_end]
    words_of_tree = bounds[np.cumsum(held[held > 0] + 1) - 1]
    words = integers(with_sets, "cat_threshold", words_of_tree)
    if np.any(words_of_set < 0):
        raise ModelError("a LightGBM tree's cat_boundaries fall", _HINT)
    bits: Bytes = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little").reshape(-1, 32)
    set_of_word = np.repeat(np.arange(len(words_of_set)), words_of_set)
    word_in_set = np.arange(len(words)) - np.repeat(np.cumsum(words_of_set) - words_of_set, words_of_set)
    word, bit = np.nonzero(bits)
    sizes = np.bincount(set_of_word[word], minlength=len(words_of_set))
    return first, np.concatenate(([0], np.cumsum(sizes))), (word_in_set[word] * 32 + bit).astype(np.float64)


def features(text: Text) -> tuple[Feature, ...]:
    """The columns. Those that pandas encoded have `categories`; other categorical ones take codes."""
    count = text.number("max_feature_idx") + 1
    names = text.header.get("feature_names", "").split(" ")
    if len(names) != count:
        raise ModelError(f"the LightGBM model has {count} features and {len(names)} feature names", _HINT)
    categorical = _categorical(text, count)
    lists = _pandas_categories(text)
    if lists and len(lists) != len(categorical):
        raise ModelError(
            f"the model was trained on {len(lists)} pandas categories and splits on {len(categorical)}: which column "
            "has which categories is not in the file",
            "train with unordered pandas categories and categorical_feature='auto'",
        )
    known = dict(zip(categorical, lists, strict=True)) if lists else {}
    return tuple(
        Feature(name, "category", known.get(i, ())) if i in categorical else Feature(name)
        for i, name in enumerate(names)
    )


def _categorical(text: Text, count: int) -> list[int]:
    given = re.search(r"^\[categorical_feature: ([\d,]+)\]$", text.tail, re.MULTILINE)
    named = {int(i) for i in given.group(1).split(",") if i} if given else set()
    infos = text.header.get("feature_infos", "").split(" ")
    listed = {i for i, info in enumerate(infos) if re.fullmatch(r"-?\d+(:-?\d+)*", info)}
    return sorted(i for i in named | listed if i < count)


def _pandas_categories(text: Text) -> list[tuple[Label, ...]]:
    found = re.search(r"^pandas_categorical:(.*)$", text.tail, re.MULTILINE)
    try:
        lists = json.loads(found.group(1)) if found else None
        return [tuple(values) for values in lists or ()]
    except (ValueError, TypeError):
        raise ModelError("the LightGBM model's pandas_categorical is not readable", _HINT) from None
