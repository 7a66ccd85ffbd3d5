"""The trees of an XGBoost model's JSON as one set of node arrays."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.converters.ensemble import LT, MEMBER, Floats, Ints, Nodes, empty_nodes, make_nodes
from infer_bench.errors import NotConvertible
from infer_bench.model import Label


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """Nodes, and each tree's root and output (-1 where leaves hold a value for each output)."""

    nodes: Nodes
    roots: Ints
    output: Ints


def read(booster: Mapping[str, Any], iterations: int | None, outputs: int) -> Grown:
    """The trees of the first `iterations` rounds (None: of all)."""
    model = booster.get("gbtree", booster)["model"]
    count = len(model["trees"])
    if iterations is not None:
        count = _indptr(model, outputs)[iterations]
    trees = model["trees"][:count]
    weights = np.asarray(booster.get("weight_drop", np.ones(len(model["trees"]))), np.float32)[:count]
    none: Ints = np.zeros(0, np.int64)
    if not trees:
        return Grown(empty_nodes(), none, none)
    sizes = np.array([len(tree["left_children"]) for tree in trees], dtype=np.int64)
    roots = np.cumsum(sizes) - sizes
    vector = any(int(tree["tree_param"].get("size_leaf_vector", 1) or 1) > 1 for tree in trees)
    output = np.full(count, -1) if vector else np.asarray(model["tree_info"][:count], np.int64)
    return Grown(_nodes(trees, sizes, roots, weights, outputs if vector else 1), roots, output)


def _indptr(model: Mapping[str, Any], outputs: int) -> Sequence[int]:
    """Where each round's trees begin; older files do not say it, and then every round has the same number."""
    if "iteration_indptr" in model:
        held: Sequence[int] = model["iteration_indptr"]
        return held
    parallel = max(1, int(model["gbtree_model_param"].get("num_parallel_tree", 1)))
    return range(0, len(model["trees"]) + 1, parallel * outputs)


def _joined(trees: Sequence[Mapping[str, Any]], key: str, dtype: Any) -> npt.NDArray[Any]:
    return np.array(list(itertools.chain.from_iterable(tree[key] for tree in trees)), dtype=dtype)


def _nodes(trees: Sequence[Mapping[str, Any]], sizes: Ints, roots: Ints, weights: Any, width: int) -> Nodes:
    """A set's members go right in XGBoost and left here, so the children of categorical splits change places."""
    shift = np.repeat(roots, sizes)
    left, right = _joined(trees, "left_children", np.int64), _joined(trees, "right_children", np.int64)
    leaf = left < 0
    conditions = _joined(trees, "split_conditions", np.float32)
    if width == 1:
        value = (conditions * np.repeat(weights, sizes)).astype(np.float64)[:, None]
    else:
        value = _vectors(trees, sizes, leaf, right, width) * np.repeat(weights, sizes).astype(np.float64)[:, None]
    categorical = (_joined(trees, "split_type", np.int64) == 1) & ~leaf
    left, right = np.where(leaf, -1, left + shift), np.where(leaf, -1, right + shift)
    default_left = _joined(trees, "default_left", np.bool_)
    member_start, members = _members(trees, sizes, roots)
    return make_nodes(
        feature=np.where(leaf, 0, _joined(trees, "split_indices", np.int64)),
        threshold=conditions.astype(np.float64),
        left=np.where(categorical, right, left),
        right=np.where(categorical, left, right),
        value=value,
        mode=np.where(categorical, MEMBER, LT),
        missing_left=default_left != categorical,
        member_start=member_start,
        members=members,
    )


def _vectors(trees: Sequence[Mapping[str, Any]], sizes: Ints, leaf: Any, right: Ints, width: int) -> Floats:
    """Values (nodes, width) of vector leaves: a leaf's right child is its number among the tree's leaf weights."""
    if any("leaf_weights" not in tree for tree in trees):
        raise NotConvertible(
            "the model's vector leaves are in a format older than XGBoost 3", "save it again with XGBoost 3"
        )
    per_tree = np.array([len(tree["leaf_weights"]) // width for tree in trees], dtype=np.int64)
    first = np.repeat(np.cumsum(per_tree) - per_tree, sizes)
    held = _joined(trees, "leaf_weights", np.float32).astype(np.float64).reshape(-1, width)
    value = np.zeros((len(leaf), width))
    value[leaf] = held[(first + right)[leaf]]
    return value


def _members(trees: Sequence[Mapping[str, Any]], sizes: Ints, roots: Ints) -> tuple[Ints, Floats]:
    """The categories of each node, in compressed rows."""
    per_node = np.zeros(int(sizes.sum()), np.int64)
    for root, tree in zip(roots, trees, strict=True):
        if tree["categories_nodes"]:
            per_node[root + np.asarray(tree["categories_nodes"], np.int64)] = tree["categories_sizes"]
    return np.concatenate(([0], np.cumsum(per_node))), _joined(trees, "categories", np.float64)


def categories(held: Mapping[str, Any]) -> tuple[Label, ...]:
    """A column's categories in code order: numbers as they stand, strings as bytes in one list cut at the offsets."""
    values, offsets = held["values"], held.get("offsets")
    if offsets is None:
        return tuple(values)
    text = bytes(byte & 0xFF for byte in values)
    if not text.isascii():
        raise NotConvertible(
            "XGBoost saves category names that are not ASCII cut short, so they cannot be told from the file",
            "train on ASCII category names, or on codes",
        )
    return tuple(text[a:b].decode() for a, b in itertools.pairwise(offsets))
