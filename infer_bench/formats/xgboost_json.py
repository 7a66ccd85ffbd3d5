"""XGBoost's JSON and UBJSON model, checked before its parser sees it (schema: XGBoost's `doc/model.schema`)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from infer_bench.errors import ModelError
from infer_bench.formats.ubjson import decode
from infer_bench.typing import Ints

_PER_NODE = ("left_children", "right_children", "split_indices", "split_conditions", "default_left")
_CATEGORICAL = 1

Node = Mapping[str, Any]


def check_xgboost(file: Path, form: str) -> None:
    """Raises `ModelError` when the file is truncated or its trees do not hold together."""
    try:
        check_document(decode(file.read_bytes()) if form == "xgboost-ubj" else _json(file.read_bytes()))
    except KeyError as error:
        raise ModelError(f"{file.name} is a broken XGBoost model: {error.args[0]!r} is missing") from None
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, IndexError) as error:
        raise ModelError(f"{file.name} is a broken XGBoost model: {error}") from None


def _json(data: bytes) -> Any:
    """The document; the standard library also knows the NaN and Infinity that XGBoost may write."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if "truncated" in str(error):
            raise ValueError("it is truncated") from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from None


def check_document(document: Any) -> None:
    """Raises `ValueError`, `KeyError` or `TypeError` saying what is wrong."""
    learner = document["learner"]
    parameters = learner["learner_model_param"]
    features = int(parameters["num_feature"])
    groups = max(int(parameters.get("num_class", 0)), int(parameters.get("num_target", 1)), 1)
    str(learner["objective"]["name"])
    for key in ("feature_names", "feature_types"):
        if len(learner.get(key, ())) not in (0, features):
            raise ValueError(f"{key} has {len(learner[key])} entries for {features} features")
    _check_booster(learner["gradient_booster"], features, groups)


def _check_booster(booster: Node, features: int, groups: int) -> None:
    name = booster["name"]
    if name == "gblinear":
        weights = len(booster["model"]["weights"])
        if weights != (features + 1) * groups:
            raise ValueError(f"it has {weights} weights where {(features + 1) * groups} are due")
    elif name == "dart":
        trees = _check_trees(booster["gbtree"]["model"], features, groups)
        if len(booster["weight_drop"]) != trees:
            raise ValueError(f"it has {len(booster['weight_drop'])} tree weights for {trees} trees")
    elif name == "gbtree":
        _check_trees(booster["model"], features, groups)
    else:
        raise ValueError(f"an unknown booster {str(name)[:40]!r}")


def _check_trees(model: Node, features: int, groups: int) -> int:
    trees = model["trees"]
    stated = int(model["gbtree_model_param"]["num_trees"])
    if not stated == len(trees) == len(model["tree_info"]):
        raise ValueError(f"it announces {stated} trees, has {len(trees)} and assigns {len(model['tree_info'])}")
    _check_range("tree_info", _ints(model["tree_info"]), groups)
    _check_iterations(model, len(trees))
    for index, tree in enumerate(trees):
        try:
            _check_tree(tree, features)
        except KeyError as error:
            raise ValueError(f"tree {index} lacks {error.args[0]!r}") from None
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"tree {index}: {error}") from None
    return len(trees)


def _check_iterations(model: Node, trees: int) -> None:
    if "iteration_indptr" in model:
        ends = _ints(model["iteration_indptr"])
        if len(ends) and (ends[0] != 0 or ends[-1] != trees or (np.diff(ends) < 0).any()):
            raise ValueError("iteration_indptr does not cover the trees")


def _check_tree(tree: Node, features: int) -> None:
    nodes = int(tree["tree_param"]["num_nodes"])
    if nodes < 1:
        raise ValueError(f"it has {nodes} nodes")
    for name in _PER_NODE:
        _check_length(tree, name, nodes)
    np.asarray(tree["split_conditions"], dtype=np.float64)
    left, right = _ints(tree["left_children"]), _ints(tree["right_children"])
    width = int(tree["tree_param"].get("size_leaf_vector", 1))
    if width > 1:
        right = _check_vectors(tree, left, right, width)
    else:
        _check_length(tree, "base_weights", nodes)
    inner = _check_children(left, right)
    if "parents" in tree:
        _check_length(tree, "parents", nodes)
        _check_parents(_ints(tree["parents"]), left[inner], right[inner], np.flatnonzero(inner))
    _check_range("a feature", _ints(tree["split_indices"])[inner], features)
    if "split_type" in tree:
        _check_length(tree, "split_type", nodes)
        _check_categories(tree, inner)


def _check_length(tree: Node, name: str, count: int) -> None:
    if len(tree[name]) != count:
        raise ValueError(f"{name} has {len(tree[name])} values where {count} are due")


def _ints(values: Any) -> Ints:
    array = np.asarray(values)
    if len(array) and array.dtype.kind not in "iub":
        raise ValueError(f"{array.dtype} where whole numbers are due")
    return array.astype(np.int64)


def _check_range(name: str, values: Ints, count: int) -> None:
    if len(values) and (values.min() < 0 or values.max() >= count):
        raise ValueError(f"{name} {values[(values < 0) | (values >= count)][0]} is not in 0…{count - 1}")


def _check_children(left: Ints, right: Ints) -> npt.NDArray[np.bool_]:
    """Which nodes split. No node has two parents and the root none, so nothing that is reached goes round."""
    inner = left != -1
    if (inner != (right != -1)).any():
        raise ValueError("a node has one child")
    children = np.concatenate([left[inner], right[inner]])
    _check_range("a child", children, len(left))
    parents = np.bincount(children, minlength=len(left))
    if parents[0] or parents.max() > 1:
        raise ValueError("its nodes do not form a tree")
    return np.asarray(inner)


def _check_parents(parents: Ints, left: Ints, right: Ints, nodes: Ints) -> None:
    """XGBoost walks up as well: each child of the splits `nodes` must lead back to its own."""
    if (parents[left] != nodes).any() or (parents[right] != nodes).any():
        raise ValueError("a node is the child of one node and names another its parent")


def _check_vectors(tree: Node, left: Ints, right: Ints, width: int) -> Ints:
    """The right children of a tree whose leaves hold vectors: there a leaf's right child is the vector's index."""
    leaf = left == -1
    if "leaf_weights" in tree:
        _check_range("a leaf's vector", right[leaf], len(tree["leaf_weights"]) // width)
    else:
        _check_length(tree, "base_weights", len(left) * width)
    return np.where(leaf, -1, right)


def _check_categories(tree: Node, inner: npt.NDArray[np.bool_]) -> None:
    splits = np.flatnonzero((_ints(tree["split_type"]) == _CATEGORICAL) & inner)
    if not len(splits) and not len(tree.get("categories_nodes", ())):
        return
    nodes, starts = _ints(tree["categories_nodes"]), _ints(tree["categories_segments"])
    sizes, values = _ints(tree["categories_sizes"]), _ints(tree["categories"])
    if not len(nodes) == len(starts) == len(sizes) or not np.isin(splits, nodes).all():
        raise ValueError("its categories do not cover its splits")
    if (starts < 0).any() or (sizes < 0).any() or (starts + sizes > len(values)).any():
        raise ValueError("its categories lie outside of their list")
    _check_range("a category", values, 1 << 24)
