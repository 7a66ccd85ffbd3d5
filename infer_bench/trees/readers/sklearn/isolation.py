"""Isolation forests: a row's score is -2^(-d / c) - offset, d the mean depth at which the trees isolate it."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.errors import NotConvertible
from infer_bench.trees.ensemble import Ensemble, Link, Nodes, concatenate
from infer_bench.trees.readers.sklearn.estimators import allows_nan, get_features
from infer_bench.trees.readers.sklearn.nodes import read_tree


def read_isolation_trees(model: Any, *, sparse: bool = False) -> list[Nodes]:
    """The trees, whose leaves add the depth at which a row is isolated.

    Of `sparse` rows a tree knows no missing values: NaN goes right.
    """
    parts = []
    for i, (tree, features) in enumerate(zip(model.estimators_, model.estimators_features_, strict=True)):
        depth = model._decision_path_lengths[i] + model._average_path_length_per_tree[i] - 1.0
        nodes = read_tree(tree, depth, features)
        parts.append(replace(nodes, missing_left=np.zeros_like(nodes.missing_left)) if sparse else nodes)
    return parts


def isolation_scale(model: Any) -> float:
    """What the sum of depths is divided by: the trees times the depth to expect of a sample as large as theirs.

    Raises `NotConvertible` for a forest that was fitted on a single row.
    """
    from sklearn.ensemble._iforest import _average_path_length

    scale = len(model.estimators_) * float(_average_path_length([model._max_samples])[0])
    if scale == 0:
        raise NotConvertible("IsolationForest was fitted on a single row", "fit it on more rows")
    return scale


def read_isolation_forest(model: Any) -> Ensemble | None:
    """The forest, which predicts `decision_function`; None for any other estimator."""
    if type(model).__name__ != "IsolationForest":
        return None
    parts = read_isolation_trees(model)
    nodes, roots = concatenate(parts)
    return Ensemble(
        family="sklearn",
        task="raw",
        features=get_features(model),
        nodes=nodes,
        roots=roots,
        output=np.zeros(len(parts), dtype=np.int64),
        base=np.zeros(1),
        links=(Link("affine", -math.log(2.0)), Link("exp"), Link("affine", -1.0, -float(model.offset_))),
        divisor=isolation_scale(model),
        row_dtype="float32",
        refuses="nothing" if allows_nan(model) else "not-finite",
    )
