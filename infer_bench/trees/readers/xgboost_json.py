"""XGBoost's JSON model as arrays: what its `learner` holds, checked, and all trees' fields side by side."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.model import Feature, Kind, Label
from infer_bench.trees.ensemble import LT, MEMBER, Nodes, make_nodes
from infer_bench.typing import Floats, Ints

_HINT = "the file is damaged; save the model again"
_KINDS: Mapping[str, Kind] = {"c": "category", "int": "integer", "i": "boolean"}


@dataclass(frozen=True, slots=True)
class Learner:
    """The parts of a model's `learner` that decide its answers.

    `base_score` is as stored, in the space of answers; `grown` the tree or linear model below its booster's name.
    """

    objective: str
    booster: str
    classes: int
    targets: int
    base_score: tuple[float, ...]
    features: tuple[Feature, ...]
    attributes: Mapping[str, str]
    grown: Mapping[str, Any]
    weight_drop: tuple[float, ...]
    version: str


def learner(document: str | bytes | Mapping[str, Any]) -> Learner:
    """Read the document that `save_raw("json")` gives; raises `ModelError` when a needed part is missing."""
    try:
        whole = json.loads(document) if isinstance(document, str | bytes) else document
        return _learner(whole)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise ModelError(f"the XGBoost model is incomplete: {type(error).__name__} {error}", _HINT) from None


def _learner(whole: Mapping[str, Any]) -> Learner:
    held = whole["learner"]
    shape, booster = held["learner_model_param"], held["gradient_booster"]
    inner = booster.get("gbtree", booster)  # dart wraps a gbtree
    objective = held["objective"]
    return Learner(
        objective=objective["name"],
        booster=booster["name"],
        classes=int(shape["num_class"]),
        targets=max(1, int(shape.get("num_target", 1)), _quantiles(objective)),
        base_score=_numbers(shape["base_score"]),
        features=_features(held, int(shape["num_feature"]), inner["model"]),
        attributes=held.get("attributes", {}),
        grown=inner["model"],
        weight_drop=tuple(float(weight) for weight in booster.get("weight_drop", ())),
        version=".".join(str(part) for part in whole.get("version", ())),
    )


def _numbers(text: Any) -> tuple[float, ...]:
    """A number, or numbers in brackets, as newer versions write them."""
    return tuple(float(part) for part in str(text).strip("[]() ").split(",") if part.strip())


def _quantiles(objective: Mapping[str, Any]) -> int:
    return len(_numbers(objective.get("quantile_loss_param", {}).get("quantile_alpha", "")))


def _features(held: Mapping[str, Any], count: int, grown: Mapping[str, Any]) -> tuple[Feature, ...]:
    names = held.get("feature_names") or [f"f{i}" for i in range(count)]
    types = held.get("feature_types") or ["float"] * count
    if len(names) != count or len(types) != count:
        raise ModelError(f"the XGBoost model has {count} features and {len(names)} feature names", _HINT)
    encoded = grown.get("cats", {}).get("enc", [])
    known = [_categories(values, name) for values, name in zip(encoded, names, strict=False)] or [()] * count
    return tuple(
        Feature(str(name), _KINDS.get(kind, "float"), known[i] if kind == "c" else ())
        for i, (name, kind) in enumerate(zip(names, types, strict=True))
    )


def _categories(held: Mapping[str, Any], name: str) -> tuple[Label, ...]:
    """Numbers as they stand; strings as bytes in one list, cut at the offsets.

    The offsets count characters where they should count bytes, so that other than ASCII is lost beyond repair.
    """
    values, offsets = held["values"], held.get("offsets")
    if offsets is None:
        return tuple(values)
    if any(not 0 <= byte < 128 for byte in values):
        raise NotConvertible(
            f"XGBoost stores the categories of {name!r} cut short, because they are not plain ASCII",
            "rename the categories in ASCII and train again, or train on codes",
        )
    text = bytes(values)
    return tuple(text[a:b].decode() for a, b in itertools.pairwise(offsets))


def joined(trees: Sequence[Mapping[str, Any]], key: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The field `key` of all trees, one after the other."""
    try:
        return np.array(list(itertools.chain.from_iterable(tree.get(key, ()) for tree in trees)), dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"an XGBoost tree's {key} is broken: {error}", _HINT) from None


def sizes(trees: Sequence[Mapping[str, Any]], key: str) -> Ints:
    """How many entries the field `key` of each tree has."""
    return np.array([len(tree.get(key, ())) for tree in trees], dtype=np.int64)


def nodes(trees: Sequence[Mapping[str, Any]], weights: Floats) -> tuple[Nodes, Ints]:
    """All nodes, and each tree's root; `weights` (trees,) scale the leaves in float32, as dart does.

    A split compares x < t in float32. The set of a categorical split lists what goes right.
    """
    count = sizes(trees, "left_children")
    for key in ("right_children", "split_indices", "split_conditions", "default_left"):
        if not np.array_equal(sizes(trees, key), count) or not count.all():
            raise ModelError(f"an XGBoost tree has the wrong number of {key}", _HINT)
    roots = np.cumsum(count) - count
    shift = np.repeat(roots, count)
    left, right = joined(trees, "left_children", np.int64), joined(trees, "right_children", np.int64)
    leaf = left < 0
    limit = np.repeat(count, count)
    if np.any(~leaf & ((left >= limit) | (right >= limit) | (right < 0))):
        raise ModelError("an XGBoost tree refers to a node that does not exist", _HINT)
    condition = joined(trees, "split_conditions", np.float64).astype(np.float32)
    value = _leaf_values(trees, condition, right, leaf) * np.repeat(weights, count)[:, None].astype(np.float32)
    start, members, member_node = _sets(trees, shift, len(left))
    default_left = joined(trees, "default_left", np.int64) != 0
    made = make_nodes(
        feature=joined(trees, "split_indices", np.int64),
        threshold=np.where(member_node, 0.0, condition.astype(np.float64)),
        left=np.where(leaf, -1, np.where(member_node, right, left) + shift),
        right=np.where(leaf, -1, np.where(member_node, left, right) + shift),
        value=value.astype(np.float64),
        mode=np.where(member_node, MEMBER, LT),
        missing_left=default_left ^ member_node,
        member_start=start,
        members=members,
    )
    return made, roots


def _leaf_values(
    trees: Sequence[Mapping[str, Any]], condition: npt.NDArray[np.float32], right: Ints, leaf: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """(nodes, width). A leaf's value stands in place of a threshold; leaves with several values refer to a table."""
    width = max((int(tree["tree_param"].get("size_leaf_vector", 1)) for tree in trees), default=1)
    if width <= 1:
        return condition[:, None]
    if any("leaf_weights" not in tree for tree in trees):  # before 3.1 every node has its values in base_weights
        return joined(trees, "base_weights", np.float32).reshape(len(leaf), width)
    table = joined(trees, "leaf_weights", np.float32).reshape(-1, width)
    rows = sizes(trees, "leaf_weights") // width
    first = np.repeat(np.cumsum(rows) - rows, sizes(trees, "left_children"))
    index = np.where(leaf, first + right, 0)
    if len(index) and (index.min() < 0 or index.max() >= len(table)):
        raise ModelError("an XGBoost tree refers to a leaf that does not exist", _HINT)
    found: npt.NDArray[np.float32] = table[index]
    return found


def _sets(trees: Sequence[Mapping[str, Any]], shift: Ints, count: int) -> tuple[Ints, Floats, npt.NDArray[np.bool_]]:
    """Where each node's members start, the members, and which nodes are categorical."""
    node_counts, per_set = sizes(trees, "categories_nodes"), joined(trees, "categories_sizes", np.int64)
    roots = np.repeat(np.array([shift[i] for i in _firsts(trees)], dtype=np.int64), node_counts)
    node = joined(trees, "categories_nodes", np.int64) + roots
    categories = joined(trees, "categories", np.int64)
    segments = joined(trees, "categories_segments", np.int64)
    totals = sizes(trees, "categories")
    begin = segments + np.repeat(np.cumsum(totals) - totals, node_counts)
    if len(node) and (node.max() >= count or len(per_set) != len(node) or np.any(begin + per_set > len(categories))):
        raise ModelError("an XGBoost tree's categories are broken", _HINT)
    order = np.argsort(node, kind="stable")
    node, begin, per_set = node[order], begin[order], per_set[order]
    per_node = np.zeros(count, np.int64)
    per_node[node] = per_set
    within = np.arange(per_set.sum()) - np.repeat(np.cumsum(per_set) - per_set, per_set)
    members = categories[np.repeat(begin, per_set) + within].astype(np.float64)
    categorical = joined(trees, "split_type", np.int64) == 1 if any("split_type" in tree for tree in trees) else None
    flags = np.zeros(count, np.bool_) if categorical is None else categorical
    flags[node] = True
    return np.concatenate(([0], np.cumsum(per_node))), members, flags


def _firsts(trees: Sequence[Mapping[str, Any]]) -> Ints:
    count = sizes(trees, "left_children")
    return np.cumsum(count) - count
