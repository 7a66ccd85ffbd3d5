"""scikit-learn's own node arrays, one tree after the other, as nodes of the ensemble form.

`tree_` casts its input to float32 and compares it with a double threshold; histogram boosting compares doubles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.errors import NotConvertible
from infer_bench.trees.ensemble import LEQ, MEMBER, Nodes, make_nodes
from infer_bench.trees.readers.sklearn.estimators import allows_nan, get_class_name
from infer_bench.typing import Array

FORESTS = ("RandomForest", "ExtraTrees")
SINGLE = ("DecisionTree", "ExtraTree")


@dataclass(frozen=True, slots=True)
class SklearnTrees:
    """The nodes of each tree, child indices counted from its own root, and the output (trees,) that each adds to."""

    parts: Sequence[Nodes]
    output: Sequence[int]


def read_tree(model: Any, values: Array, features: Array | None = None) -> Nodes:
    """The `tree_` of a fitted decision tree, its leaves adding `values` (nodes,) or (nodes, outputs).

    `features` are the columns it sees, when it sees a part of them.
    """
    tree = model.tree_
    feature = np.maximum(tree.feature, 0)
    return make_nodes(
        feature=feature if features is None else np.asarray(features)[feature],
        threshold=tree.threshold,
        left=tree.children_left,
        right=tree.children_right,
        value=values,
        mode=LEQ,
        missing_left=np.asarray(getattr(tree, "missing_go_to_left", np.zeros(tree.node_count)), dtype=bool),
    )


def read_leaf_values(model: Any) -> Array:
    """What each node of a decision tree predicts, double (nodes, outputs): class fractions, or a value a target."""
    values = model.tree_.value
    if values.shape[1] > 1 and values.shape[2] > 1:
        raise NotConvertible(
            f"{get_class_name(model)} predicts several targets of classes", "convert one model a target"
        )
    flat = values[:, 0, :] if values.shape[1] == 1 else values[:, :, 0]
    if hasattr(model, "classes_"):
        total = flat.sum(axis=1, keepdims=True)
        if np.abs(total - 1.0).max() > 1e-6:
            raise NotConvertible("the tree holds class counts of an older scikit-learn", "load and save it with >= 1.3")
    return np.asarray(flat, dtype=np.float64)


def read_stages(model: Any) -> SklearnTrees:
    """The trees of gradient boosting, stage by stage, one an output; the learning rate is in the leaves."""
    stages = model.estimators_
    parts = [read_tree(tree, model.learning_rate * tree.tree_.value[:, 0, 0]) for stage in stages for tree in stage]
    return SklearnTrees(parts, list(range(stages.shape[1])) * len(stages))


def read_histogram_stages(model: Any) -> SklearnTrees:
    """The trees of histogram boosting, iteration by iteration, one an output."""
    parts = [_read_predictor(predictor) for stage in model._predictors for predictor in stage]
    return SklearnTrees(parts, list(range(int(model.n_trees_per_iteration_))) * len(model._predictors))


def _read_predictor(predictor: Any) -> Nodes:
    """One `TreePredictor`: double thresholds, NaN sides, and the categories that go left."""
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    splits = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf)
    members = {int(i): _read_bits(predictor.raw_left_cat_bitsets[int(nodes["bitset_idx"][i])]) for i in splits}
    sizes = np.array([len(members.get(i, ())) for i in range(len(nodes))], dtype=np.int64)
    threshold = np.where(leaf, 0.0, nodes["num_threshold"])
    threshold[[i for i, values in members.items() if not values]] = -np.inf  # of no categories, only NaN goes left
    return make_nodes(
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=threshold,
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=nodes["right"].astype(np.int64),
        value=np.asarray(nodes["value"], dtype=np.float64),
        mode=np.where(sizes > 0, MEMBER, LEQ),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        member_start=np.concatenate(([0], np.cumsum(sizes))),
        members=[value for i in sorted(members) for value in members[i]],
    )


def _read_bits(words: Array) -> tuple[float, ...]:
    """The positions of the bits set in eight 32-bit words."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little")
    return tuple(float(i) for i in np.flatnonzero(bits))


def takes_nan(model: Any) -> bool:
    """Whether a tree or forest was trained so that it predicts for rows with NaN."""
    members = getattr(model, "estimators_", [model])
    supports = getattr(members[0], "_support_missing_values", None) if isinstance(members, list) else None
    return bool(supports(np.zeros((1, 1), dtype=np.float32))) if supports else allows_nan(model)


def is_constant(init: Any) -> bool:
    """Whether an init estimator predicts the same for every row; raises `NotConvertible` for one that draws lots."""
    if isinstance(init, str):
        return True
    if getattr(init, "strategy", "") in ("stratified", "uniform") and get_class_name(init) == "DummyClassifier":
        raise NotConvertible(
            f"the init estimator draws its answers at random ({init.strategy})", "use strategy='prior'"
        )
    return get_class_name(init) in ("DummyClassifier", "DummyRegressor")
