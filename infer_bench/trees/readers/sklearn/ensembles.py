"""scikit-learn's trees, forests and boosted trees in the intermediate form that the exact tree writer takes."""

from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.model import Label, Task
from infer_bench.trees.ensemble import Ensemble, LabelRule, Link, Refusal, concatenate
from infer_bench.trees.readers.sklearn.estimators import (
    get_class_name,
    get_classes,
    get_features,
    iterate_transformers,
    refuse_foreign,
)
from infer_bench.trees.readers.sklearn.nodes import (
    FORESTS,
    SINGLE,
    SklearnTrees,
    is_constant,
    read_histogram_stages,
    read_leaf_values,
    read_stages,
    read_tree,
    takes_nan,
)
from infer_bench.typing import Array

AVERAGED = tuple(f"{name}{task}" for name in FORESTS + SINGLE for task in ("Classifier", "Regressor"))
BOOSTED = ("GradientBoostingClassifier", "GradientBoostingRegressor")
HISTOGRAM = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")


def read_sklearn_trees(estimator: Any) -> Ensemble | None:
    """A lone tree model as an `Ensemble`; None for every other estimator and for what needs more than trees.

    Raises `NotConvertible` for a tree model that has no exact form.
    """
    name = get_class_name(estimator)
    if name not in AVERAGED + BOOSTED + HISTOGRAM:
        return None
    refuse_foreign(estimator)
    if name in AVERAGED:
        return _read_average(estimator)
    return _read_boosting(estimator) if name in BOOSTED else _read_plain_histogram(estimator)


def _make_ensemble(estimator: Any, trees: SklearnTrees, base: Array) -> Ensemble:
    import sklearn

    nodes, roots = concatenate(list(trees.parts))
    classes: tuple[Label, ...] = get_classes(estimator) if hasattr(estimator, "classes_") else ()
    task: Task = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    return Ensemble(
        family="sklearn",
        task=task,
        features=get_features(estimator),
        nodes=nodes,
        roots=roots,
        output=np.asarray(trees.output, dtype=np.int64),
        base=np.asarray(base, dtype=np.float64),
        classes=classes,
        versions={"scikit-learn": sklearn.__version__},
    )


def _read_average(estimator: Any) -> Ensemble | None:
    members = getattr(estimator, "estimators_", [estimator])
    values = [read_leaf_values(member) for member in members]
    width = values[0].shape[1]
    if hasattr(estimator, "classes_") and width == 1:
        return None
    parts = [read_tree(member, leaves) for member, leaves in zip(members, values, strict=True)]
    trees = SklearnTrees(parts, [-1 if width > 1 else 0] * len(parts))
    refuses: Refusal = "infinite" if takes_nan(estimator) else "not-finite"
    average = _make_ensemble(estimator, trees, np.zeros(width))
    return replace(average, divisor=float(len(parts)), row_dtype="float32", refuses=refuses)


def _read_boosting(estimator: Any) -> Ensemble | None:
    if not is_constant(estimator.init_):
        return None
    width = estimator.estimators_.shape[1]
    base = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32)).ravel()
    links: tuple[Link, ...] = ()
    rule: LabelRule = "argmax"
    if get_class_name(estimator).endswith("Classifier"):
        links = (Link("softmax"),) if width > 1 else (Link("sigmoid", 2.0 if estimator.loss == "exponential" else 1.0),)
        rule = "argmax" if width > 1 else "raw-not-negative"
    ensemble = _make_ensemble(estimator, read_stages(estimator), base)
    return replace(ensemble, links=links, label_rule=rule, row_dtype="float32", refuses="not-finite")


def read_encoded_histogram(estimator: Any) -> Ensemble | None:
    """Histogram boosting that encodes categories first, its features' `categories` being those; None for others.

    What is compared are codes: the exact writer, which takes values, has another way for such a model.
    """
    inner = getattr(estimator, "_preprocessor", None)
    if get_class_name(estimator) not in HISTOGRAM or inner is None:
        return None
    ensemble = _read_histogram_boosting(estimator)
    if ensemble is None:
        return None
    order: list[int] = []
    features = list(ensemble.features)
    for name, step, indices in iterate_transformers(inner):
        order += indices
        if name == "encoder":
            for index, values in zip(indices, step.categories_, strict=True):
                present = (value for value in np.asarray(values).tolist() if value == value and value is not None)
                features[index] = replace(features[index], kind="category", categories=tuple(present))
    nodes = ensemble.nodes
    feature = np.where(nodes.feature < 0, -1, np.asarray(order, dtype=np.int64)[np.maximum(nodes.feature, 0)])
    return replace(ensemble, features=tuple(features), nodes=replace(nodes, feature=feature))


def _read_plain_histogram(estimator: Any) -> Ensemble | None:
    if getattr(estimator, "_preprocessor", None) is not None or getattr(estimator, "is_categorical_", None) is not None:
        return None
    return _read_histogram_boosting(estimator)


def _read_histogram_boosting(estimator: Any) -> Ensemble | None:
    width = int(estimator.n_trees_per_iteration_)
    base = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
    ensemble = _make_ensemble(estimator, read_histogram_stages(estimator), base)
    if ensemble.classes:
        return replace(ensemble, links=(Link("softmax") if width > 1 else Link("sigmoid"),))
    link = type(estimator._loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        return None
    return replace(ensemble, links=(Link("exp"),) if link == "LogLink" else ())
