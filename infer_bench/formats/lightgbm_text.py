"""LightGBM's text format, checked before its parser, which aborts the process on a broken file, sees it.

The keys are those that LightGBM writes (`src/boosting/gbdt_model_text.cpp`, `src/io/tree.cpp`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.errors import ModelError

_PER_SPLIT = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
_OPTIONAL_PER_SPLIT = ("split_gain", "internal_value", "internal_weight", "internal_count")
_OPTIONAL_PER_LEAF = ("leaf_weight", "leaf_count")
_CATEGORICAL = 1
_RANGE = re.compile(rb"none|\[[^\[\]:]+:[^\[\]:]+\]|-?\d+(:-?\d+)*")
_PARAMETER = re.compile(rb"\[[^\s:]+: .*\]")

Fields = Mapping[bytes, bytes]


def check_lightgbm(file: Path) -> None:
    """Raises `ModelError` when the file is truncated or its trees do not hold together."""
    try:
        check_text(file.read_bytes())
    except ValueError as error:
        raise ModelError(f"{file.name} is a broken LightGBM model: {error}") from None


def check_text(text: bytes) -> None:
    """The same for a model's text. Raises `ValueError` saying what is wrong."""
    if b"\r" in text:
        raise ValueError("its line ends were changed to CRLF, or a line holds a CR, which LightGBM cannot read")
    if b"\0" in text:  # LightGBM's reader never gets past one
        raise ValueError("it holds zero bytes: it was damaged, or is not text")
    start = text.find(b"\nTree=0")
    end = text.find(b"\nend of trees")
    if end < 0:
        raise ValueError("it is truncated: 'end of trees' is missing")
    header = _fields(text[: start if 0 <= start < end else end])
    blocks = list(_blocks(text[start + 1 : end + 1])) if 0 <= start < end else []
    features = _check_header(header, [len(block) for block in blocks])
    for index, block in enumerate(blocks):
        _check_numbered(block, index)
        try:
            _check_tree(_fields(block.partition(b"\n\n")[0]), features)  # LightGBM stops at an empty line, too
        except KeyError as error:
            raise ValueError(f"tree {index} lacks {error.args[0].decode()}") from None
        except (ValueError, OverflowError) as error:
            raise ValueError(f"tree {index}: {error}") from None
    _check_tail(text[end:])


def _fields(block: bytes) -> Fields:
    pairs = (line.partition(b"=") for line in block.split(b"\n"))
    return {key: value for key, mark, value in pairs if mark}


def _blocks(text: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(text):
        following = text.find(b"\nTree=", at)
        stop = len(text) if following < 0 else following + 1
        yield text[at:stop]
        at = stop


def _check_numbered(block: bytes, index: int) -> None:
    first = block.split(b"\n", 1)[0]
    if first != b"Tree=%d" % index:
        raise ValueError(f"tree {index} is missing: {first.decode('utf-8', 'replace')[:40]!r} stands in its place")


def _check_header(header: Fields, sizes: list[int]) -> int:
    """The number of features; raises when the header contradicts itself or the trees that follow."""
    for key in (b"num_class", b"num_tree_per_iteration", b"max_feature_idx", b"feature_names"):
        if key not in header:
            raise ValueError(f"its header lacks {key.decode()}")
    features = int(header[b"max_feature_idx"]) + 1
    per_iteration = int(header[b"num_tree_per_iteration"])
    if features < 1 or per_iteration < 1 or int(header[b"num_class"]) < 1:
        raise ValueError("its header counts no feature, class or tree")
    named = len(header[b"feature_names"].split())
    if named != features:
        raise ValueError(f"its header names {named} features and counts {features}")
    if b"objective" in header and not header[b"objective"].strip():
        raise ValueError("its header names no objective where one is due")
    if any(_RANGE.fullmatch(held) is None for held in header.get(b"feature_infos", b"").split()):
        raise ValueError("its feature_infos are broken")
    if b"tree_sizes" in header:
        _check_sizes([int(size) for size in header[b"tree_sizes"].split()], sizes)
    if len(sizes) % per_iteration:
        raise ValueError(f"it has {len(sizes)} trees, not a multiple of {per_iteration} an iteration")
    return features


def _check_sizes(stated: list[int], found: list[int]) -> None:
    if len(stated) != len(found):
        raise ValueError(f"its header announces {len(stated)} trees and {len(found)} are there")
    for index, (size, real) in enumerate(zip(stated, found, strict=True)):
        last = index == len(found) - 1
        if size != real and not (last and size <= real + 1):
            raise ValueError(f"tree {index} has {real} bytes where the header announces {size}: it was changed")


def _check_tree(tree: Fields, features: int) -> None:
    leaves = int(tree[b"num_leaves"])
    if leaves < 1:
        raise ValueError(f"it has {leaves} leaves")
    _numbers(tree, "leaf_value", leaves, np.float64)
    if leaves > 1:
        splits = {name: _numbers(tree, name, leaves - 1, _dtype(name)) for name in _PER_SPLIT}
        _check_range("split_feature", splits["split_feature"], features)
        _check_children(splits["left_child"], splits["right_child"], leaves)
        _check_categories(tree, splits)
        _check_optional(tree, leaves)
    if tree.get(b"is_linear", b"0").strip() == b"1":
        _check_linear(tree, leaves, features)


def _dtype(name: str) -> type[np.generic]:
    return np.float64 if name == "threshold" else np.int64


def _numbers(tree: Fields, name: str, count: int | None, dtype: type[np.generic]) -> npt.NDArray[Any]:
    try:
        values = np.array(tree[name.encode()].split(), dtype=dtype)
    except ValueError:
        raise ValueError(f"{name} holds what is no number") from None
    if count is not None and len(values) != count:
        raise ValueError(f"{name} has {len(values)} values where {count} are due")
    return values


def _check_range(name: str, values: npt.NDArray[Any], count: int) -> None:
    if len(values) and (values.min() < 0 or values.max() >= count):
        wrong = values[(values < 0) | (values >= count)][0]
        raise ValueError(f"{name} {wrong} is not in 0…{count - 1}")


def _check_children(left: npt.NDArray[Any], right: npt.NDArray[Any], leaves: int) -> None:
    """Each leaf and each node but the first is the child of exactly one node."""
    children = np.concatenate([left, right])
    nodes, ends = children[children >= 0], ~children[children < 0]
    _check_range("a child", nodes, leaves - 1)
    _check_range("a leaf", ends, leaves)
    parents = np.bincount(nodes, minlength=leaves - 1)
    if parents[0] or (parents[1:] != 1).any() or (np.bincount(ends, minlength=leaves) != 1).any():
        raise ValueError("its nodes do not form a tree")


def _check_categories(tree: Fields, splits: Mapping[str, npt.NDArray[Any]]) -> None:
    count = int(tree[b"num_cat"])
    categorical = (splits["decision_type"] & _CATEGORICAL) != 0
    if not count and not categorical.any():
        return
    if count < 1:
        raise ValueError("it splits on categories and has none")
    bounds = _numbers(tree, "cat_boundaries", count + 1, np.int64)
    words = _numbers(tree, "cat_threshold", None, np.int64)
    if bounds[0] != 0 or (np.diff(bounds) < 0).any() or bounds[-1] != len(words):
        raise ValueError("cat_boundaries do not fit cat_threshold")
    _check_range("a category's threshold", splits["threshold"][categorical], count)


def _check_optional(tree: Fields, leaves: int) -> None:
    for names, count in ((_OPTIONAL_PER_SPLIT, leaves - 1), (_OPTIONAL_PER_LEAF, leaves)):
        for name in names:
            if tree.get(name.encode(), b"").strip():
                _numbers(tree, name, count, np.float64)


def _check_linear(tree: Fields, leaves: int, features: int) -> None:
    _numbers(tree, "leaf_const", leaves, np.float64)
    counts = _numbers(tree, "num_features", leaves, np.int64)
    if (counts < 0).any():
        raise ValueError("num_features is negative")
    total = int(counts.sum())
    _numbers(tree, "leaf_coeff", total, np.float64)
    _check_range("leaf_features", _numbers(tree, "leaf_features", total, np.int64), features)


def _check_parameters(listed: bytes) -> None:
    """Each line is `[name: value]`; LightGBM crashes on others."""
    for line in listed.split(b"\n"):
        if line and _PARAMETER.fullmatch(line) is None:
            raise ValueError(f"{line.decode('utf-8', 'replace')[:40]!r} stands where a parameter is due")


def _check_tail(tail: bytes) -> None:
    """What follows the trees: parameters that end, and a category map that is whole."""
    if b"\nparameters:" in tail:
        listed, end, _ = tail.partition(b"\nparameters:")[2].partition(b"\nend of parameters")
        if not end:
            raise ValueError("it is truncated: 'end of parameters' is missing")
        _check_parameters(listed)
    mark = tail.rfind(b"\npandas_categorical:")
    if mark >= 0:
        try:
            json.loads(tail[mark:].split(b":", 1)[1].split(b"\n", 1)[0])
        except (ValueError, RecursionError):
            raise ValueError("it is truncated: pandas_categorical is not whole") from None
