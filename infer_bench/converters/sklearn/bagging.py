"""scikit-learn's bagging and AdaBoost over any estimator that has a route."""

from typing import Any, NoReturn

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.sklearn.meta_estimators import write_mean
from infer_bench.converters.sklearn.registry import (
    Predictions,
    choose_by_threshold,
    predict_most_probable,
    register_predictor,
    write_predictor,
)
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes


def _write_members(g: Graph, model: Any, frame: Frame) -> list[Predictions]:
    pairs = zip(model.estimators_, model.estimators_features_, strict=True)
    return [write_predictor(g, inner, frame.select(g, [int(i) for i in features])) for inner, features in pairs]


@register_predictor("BaggingRegressor", guards=False)
def _write_bagging_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    members = _write_members(g, model, frame)
    return Predictions(members[0].width, write_mean(g, [part.values or _refuse_member(model) for part in members]))


def _refuse_member(model: Any) -> NoReturn:
    raise NotConvertible(f"a part of {get_class_name(model)} gives another kind of answer")


@register_predictor("BaggingClassifier", guards=False)
def _write_bagging_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    classes = len(get_classes(model))
    parts = []
    for inner, member in zip(model.estimators_, _write_members(g, model, frame), strict=True):
        table = np.eye(classes)[np.asarray(inner.classes_, dtype=np.int64)]
        if not hasattr(inner, "predict_proba"):
            parts.append(g.op("Gather", g.const(table), member.choice or _refuse_member(model), axis=0))
            continue
        proba = member.probabilities or _refuse_member(model)
        parts.append(proba if len(inner.classes_) == classes else g.matmul(proba, table))
    return predict_most_probable(g, model, write_mean(g, parts))


@register_predictor("AdaBoostClassifier")
def _write_boosted_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    classes = get_classes(model)
    count, total = len(classes), ""
    for inner, weight in zip(model.estimators_, model.estimator_weights_, strict=False):
        member = write_predictor(g, inner, frame)
        same = np.asarray([[label == other for other in classes] for label in member.classes])
        table = np.where(same, weight, -1 / (count - 1) * weight)
        vote = g.op("Gather", g.const(table), member.choice or _refuse_member(model), axis=0)
        total = g.op("Add", total, vote) if total else vote
    scores = g.op("Div", total, g.const(float(model.estimator_weights_.sum())))
    if count > 2:
        shares = g.op("Div", scores, g.const(float(count - 1)))
        return Predictions(count, None, classes, g.argmax(scores), g.op("Softmax", shares, axis=1), scores)
    scores = g.op("Add", g.op("Neg", g.take(scores, [0])), g.take(scores, [1]))
    halves = g.op("Div", g.concat([g.op("Neg", scores), scores]), g.const(2.0))
    return Predictions(2, None, classes, choose_by_threshold(g, scores), g.op("Softmax", halves, axis=1), scores)


@register_predictor("AdaBoostRegressor")
def _write_boosted_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    """The weighted median of the members' predictions."""
    parts = [write_predictor(g, inner, frame).values or _refuse_member(model) for inner in model.estimators_]
    weights = np.asarray(model.estimator_weights_[: len(parts)], dtype=np.float64)
    ordered, indices = g.ops("TopK", 2, g.concat(parts), g.ints(len(parts)), axis=1, largest=0, sorted=1)
    by_value = g.op("Gather", g.const(weights), indices, axis=0)
    running = g.op("CumSum", by_value, g.const(np.int64(1), np.int64))
    half = g.op("Mul", g.take(running, [len(parts) - 1]), g.const(0.5))
    beyond_half = g.op("Cast", g.op("GreaterOrEqual", running, half), to=7)
    first = g.op("ArgMax", beyond_half, axis=1, keepdims=1)
    return Predictions(1, g.op("GatherElements", ordered, first, axis=1))
