"""scikit-learn's trees, forests and boosted trees in the intermediate form that the exact tree writer takes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.converters.onnx.tree_sums import nodes_of
from infer_bench.converters.sklearn.hist_gradient_boosting import read_predictor
from infer_bench.converters.sklearn.inputs import feature_names
from infer_bench.converters.sklearn.registry import classes_of, kind, refuse_foreign
from infer_bench.converters.sklearn.trees import FORESTS, SINGLE, is_constant, leaf_values, read_tree, takes_nan
from infer_bench.model import Feature, Label, Task
from infer_bench.trees.ensemble import Ensemble, LabelRule, Link, Nodes, Refusal, concatenate
from infer_bench.typing import Array

AVERAGED = tuple(f"{name}{task}" for name in FORESTS + SINGLE for task in ("Classifier", "Regressor"))
BOOSTED = ("GradientBoostingClassifier", "GradientBoostingRegressor")
HISTOGRAM = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")


def read_sklearn_trees(estimator: Any) -> Ensemble | None:
    """A lone tree model as an `Ensemble`; None for every other estimator and for what needs more than trees.

    Raises `NotConvertible` for a tree model that has no exact form.
    """
    name = kind(estimator)
    if name not in AVERAGED + BOOSTED + HISTOGRAM:
        return None
    refuse_foreign(estimator)
    if name in AVERAGED:
        return _averaged(estimator)
    return _boosted(estimator) if name in BOOSTED else _histogram(estimator)


def _ensemble(estimator: Any, parts: Sequence[Nodes], output: Sequence[int], base: Array) -> Ensemble:
    import sklearn

    nodes, roots = concatenate(list(parts))
    classes: tuple[Label, ...] = classes_of(estimator) if hasattr(estimator, "classes_") else ()
    task: Task = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    return Ensemble(
        family="sklearn",
        task=task,
        features=tuple(Feature(name) for name in feature_names(estimator)),
        nodes=nodes,
        roots=roots,
        output=np.asarray(output, dtype=np.int64),
        base=np.asarray(base, dtype=np.float64),
        classes=classes,
        versions={"scikit-learn": sklearn.__version__},
    )


def _averaged(estimator: Any) -> Ensemble | None:
    members = getattr(estimator, "estimators_", [estimator])
    values = [leaf_values(member) for member in members]
    width = values[0].shape[1]
    if hasattr(estimator, "classes_") and width == 1:
        return None
    parts = [nodes_of(read_tree(member), found) for member, found in zip(members, values, strict=True)]
    output = [-1 if width > 1 else 0] * len(parts)
    refuses: Refusal = "infinite" if takes_nan(estimator) else "not-finite"
    averaged = _ensemble(estimator, parts, output, np.zeros(width))
    return replace(averaged, divisor=float(len(parts)), row_dtype="float32", refuses=refuses)


def _boosted(estimator: Any) -> Ensemble | None:
    if not is_constant(estimator.init_):
        return None
    stages = estimator.estimators_
    parts = [
        nodes_of(read_tree(tree), estimator.learning_rate * tree.tree_.value[:, 0, 0])
        for stage in stages
        for tree in stage
    ]
    width = stages.shape[1]
    base = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32)).ravel()
    links: tuple[Link, ...] = ()
    rule: LabelRule = "argmax"
    if kind(estimator).endswith("Classifier"):
        links = (Link("softmax"),) if width > 1 else (Link("sigmoid", 2.0 if estimator.loss == "exponential" else 1.0),)
        rule = "argmax" if width > 1 else "raw-not-negative"
    ensemble = _ensemble(estimator, parts, list(range(width)) * len(stages), base)
    return replace(ensemble, links=links, label_rule=rule, row_dtype="float32", refuses="not-finite")


def read_encoded_histogram(estimator: Any) -> Ensemble | None:
    """Histogram boosting that encodes categories first, its features' `categories` being those; None for others.

    What is compared are codes: the exact writer, which takes values, has another way for such a model.
    """
    inner = getattr(estimator, "_preprocessor", None)
    if kind(estimator) not in HISTOGRAM or inner is None:
        return None
    read = _boosted_histogram(estimator)
    if read is None:
        return None
    order: list[int] = []
    features = list(read.features)
    for name, step, _ in inner.transformers_:
        indices = [int(i) for i in inner._transformer_to_input_indices.get(name, ())]
        order += indices
        if name == "encoder":
            for index, values in zip(indices, step.categories_, strict=True):
                known = tuple(value for value in np.asarray(values).tolist() if value == value and value is not None)
                features[index] = Feature(features[index].name, "category", known)
    nodes = read.nodes
    feature = np.where(nodes.feature < 0, -1, np.asarray(order, dtype=np.int64)[np.maximum(nodes.feature, 0)])
    return replace(read, features=tuple(features), nodes=replace(nodes, feature=feature))


def _histogram(estimator: Any) -> Ensemble | None:
    if getattr(estimator, "_preprocessor", None) is not None or getattr(estimator, "is_categorical_", None) is not None:
        return None
    return _boosted_histogram(estimator)


def _boosted_histogram(estimator: Any) -> Ensemble | None:
    parts = [
        nodes_of(read_predictor(found), found.nodes["value"]) for stage in estimator._predictors for found in stage
    ]
    width = int(estimator.n_trees_per_iteration_)
    base = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
    ensemble = _ensemble(estimator, parts, list(range(width)) * len(estimator._predictors), base)
    if ensemble.classes:
        return replace(ensemble, links=(Link("softmax") if width > 1 else Link("sigmoid"),))
    link = type(estimator._loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        return None
    return replace(ensemble, links=(Link("exp"),) if link == "LogLink" else ())
