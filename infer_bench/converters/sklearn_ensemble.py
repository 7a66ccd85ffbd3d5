"""scikit-learn's forests and boosted trees in the intermediate form, for reading and counterfactuals (not for writing)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.converters.ensemble import LEQ, Ensemble, Floats, Link, Nodes, concatenate, make_nodes
from infer_bench.errors import NotConvertible
from infer_bench.model import Feature, Task

_AVERAGED = ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees")


def read_sklearn(model: Any) -> Ensemble:
    """The trees of a decision tree, a forest or gradient boosting. Raises `NotConvertible` for anything else."""
    name = type(model).__name__
    if name in {f"{kind}{what}" for kind in _AVERAGED for what in ("Classifier", "Regressor")}:
        return _averaged(model)
    if name in ("GradientBoostingClassifier", "GradientBoostingRegressor"):
        return _boosted(model)
    raise NotConvertible(f"the structure of a {name} cannot be read")


def _averaged(model: Any) -> Ensemble:
    trees = getattr(model, "estimators_", None) or [model]
    classes = tuple(np.asarray(model.classes_).tolist()) if hasattr(model, "classes_") else ()
    parts = [_tree(tree, _fractions(tree, len(classes))) for tree in trees]
    nodes, roots = concatenate(parts)
    width = nodes.value.shape[1]
    output = np.zeros(len(roots), np.int64) if width == 1 else np.full(len(roots), -1)
    return _ensemble(model, nodes, roots, output, np.zeros(width), classes, divisor=float(len(trees)))


def _fractions(tree: Any, classes: int) -> Floats:
    values = tree.tree_.value
    if values.shape[1] > 1:
        raise NotConvertible("several targets cannot be read")
    flat = np.asarray(values[:, 0, :], dtype=np.float64)
    return flat[:, 1:] if classes == 2 else flat


def _tree(tree: Any, value: Floats) -> Nodes:
    held = tree.tree_
    missing = getattr(held, "missing_go_to_left", np.zeros(held.node_count))
    return make_nodes(
        feature=held.feature,
        threshold=held.threshold,
        left=held.children_left,
        right=held.children_right,
        value=value,
        mode=LEQ,
        missing_left=np.asarray(missing, dtype=np.bool_),
    )


def _boosted(model: Any) -> Ensemble:
    stages = model.estimators_
    rate = model.learning_rate
    parts = [_tree(tree, rate * tree.tree_.value[:, 0, :1]) for stage in stages for tree in stage]
    nodes, roots = concatenate(parts)
    width = stages.shape[1]
    if not (isinstance(model.init_, str) or type(model.init_).__name__.startswith("Dummy")):
        raise NotConvertible("an init estimator cannot be read")
    base = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)).ravel()
    classes = tuple(np.asarray(model.classes_).tolist()) if hasattr(model, "classes_") else ()
    links: tuple[Link, ...] = ()
    if classes:
        links = (Link("softmax"),) if width > 1 else (Link("sigmoid", 2.0 if model.loss == "exponential" else 1.0),)
    output = np.tile(np.arange(width), len(stages))
    return _ensemble(model, nodes, roots, output, np.asarray(base, dtype=np.float64), classes, links=links)


def _ensemble(
    model: Any,
    nodes: Nodes,
    roots: npt.NDArray[np.int64],
    output: npt.NDArray[np.int64],
    base: Floats,
    classes: tuple[Any, ...],
    *,
    divisor: float = 1.0,
    links: tuple[Link, ...] = (),
) -> Ensemble:
    names = getattr(model, "feature_names_in_", None)
    listed = [str(name) for name in names] if names is not None else [f"f{i}" for i in range(model.n_features_in_)]
    task: Task = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    return Ensemble(
        family="sklearn",
        task=task,
        features=tuple(Feature(name) for name in listed),
        nodes=nodes,
        roots=roots,
        output=output,
        base=base,
        links=links,
        divisor=divisor,
        classes=classes,
        row_dtype="float32",
    )
