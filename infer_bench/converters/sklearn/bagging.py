"""scikit-learn's bagging and AdaBoost over any estimator that has a route."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.sklearn.registry import Answer, above, answer, by_probability, predictor
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes


def _members(g: Graph, model: Any, frame: Frame) -> list[Answer]:
    found = []
    for inner, features in zip(model.estimators_, model.estimators_features_, strict=True):
        found.append(answer(g, inner, frame.select(g, [int(i) for i in features])))
    return found


@predictor("BaggingRegressor", guards=False)
def _bagging_regressor(g: Graph, model: Any, frame: Frame) -> Answer:
    found = _members(g, model, frame)
    return Answer(found[0].width, _mean(g, [part.values or _missing(model) for part in found]))


def _missing(model: Any) -> str:
    raise NotConvertible(f"a part of {get_class_name(model)} gives another kind of answer")


def _mean(g: Graph, parts: list[str]) -> str:
    total = parts[0]
    for part in parts[1:]:
        total = g.op("Add", total, part)
    return g.op("Div", total, g.const(float(len(parts))))


@predictor("BaggingClassifier", guards=False)
def _bagging_classifier(g: Graph, model: Any, frame: Frame) -> Answer:
    classes = len(get_classes(model))
    parts = []
    for inner, found in zip(model.estimators_, _members(g, model, frame), strict=True):
        table = np.eye(classes)[np.asarray(inner.classes_, dtype=np.int64)]
        if not hasattr(inner, "predict_proba"):
            parts.append(g.op("Gather", g.const(table), found.choice or _missing(model), axis=0))
            continue
        proba = found.probabilities or _missing(model)
        parts.append(proba if len(inner.classes_) == classes else g.matmul(proba, table))
    return by_probability(g, model, _mean(g, parts))


@predictor("AdaBoostClassifier")
def _boosted_classifier(g: Graph, model: Any, frame: Frame) -> Answer:
    classes = get_classes(model)
    count, total = len(classes), ""
    for inner, weight in zip(model.estimators_, model.estimator_weights_, strict=False):
        found = answer(g, inner, frame)
        same = np.asarray([[label == other for other in classes] for label in found.classes])
        table = np.where(same, weight, -1 / (count - 1) * weight)
        vote = g.op("Gather", g.const(table), found.choice or _missing(model), axis=0)
        total = g.op("Add", total, vote) if total else vote
    scores = g.op("Div", total, g.const(float(model.estimator_weights_.sum())))
    if count > 2:
        scaled = g.op("Div", scores, g.const(float(count - 1)))
        return Answer(count, None, classes, g.argmax(scores), g.op("Softmax", scaled, axis=1), scores)
    scores = g.op("Add", g.op("Neg", g.take(scores, [0])), g.take(scores, [1]))
    halves = g.op("Div", g.concat([g.op("Neg", scores), scores]), g.const(2.0))
    return Answer(2, None, classes, above(g, scores), g.op("Softmax", halves, axis=1), scores)


@predictor("AdaBoostRegressor")
def _boosted_regressor(g: Graph, model: Any, frame: Frame) -> Answer:
    """The weighted median of the members' answers."""
    parts = [answer(g, inner, frame).values or _missing(model) for inner in model.estimators_]
    weights = np.asarray(model.estimator_weights_[: len(parts)], dtype=np.float64)
    ordered, indices = g.ops("TopK", 2, g.concat(parts), g.ints(len(parts)), axis=1, largest=0, sorted=1)
    gathered = g.op("Gather", g.const(weights), indices, axis=0)
    summed = g.op("CumSum", gathered, g.const(np.int64(1), np.int64))
    half = g.op("Mul", g.take(summed, [len(parts) - 1]), g.const(0.5))
    reached = g.op("Cast", g.op("GreaterOrEqual", summed, half), to=7)
    first = g.op("ArgMax", reached, axis=1, keepdims=1)
    return Answer(1, g.op("GatherElements", ordered, first, axis=1))
