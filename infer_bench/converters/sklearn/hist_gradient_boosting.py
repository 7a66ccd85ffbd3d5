"""scikit-learn's histogram gradient boosting, read from its predictors' node records."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.onnx.scores import add_trees
from infer_bench.converters.sklearn.meta_estimators import join_frames
from infer_bench.converters.sklearn.registry import (
    Predictions,
    choose_by_threshold,
    pair_with_complement,
    register_predictor,
    require_finite,
    write_transformer,
)
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes, iterate_transformers
from infer_bench.trees.readers.sklearn.nodes import read_histogram_stages


def encode_columns(g: Graph, model: Any, frame: Frame) -> str:
    """The columns as the predictors see them: categories first, as codes with NaN for the unknown."""
    inner = getattr(model, "_preprocessor", None)
    if inner is None:
        if getattr(model, "is_categorical_", None) is not None:
            raise NotConvertible(
                f"{get_class_name(model)} holds categories of an older scikit-learn", "fit it with >= 1.4"
            )
        return frame.numbers(g, get_class_name(model))
    parts = []
    for name, step, indices in iterate_transformers(inner):
        columns = frame.select(g, indices)
        parts.append(write_transformer(g, step, require_finite(g, columns, nan=True)) if name == "encoder" else columns)
    return join_frames(parts).numbers(g, get_class_name(model))


def _write_scores(g: Graph, model: Any, frame: Frame) -> tuple[str, int]:
    trees = read_histogram_stages(model)
    baseline = g.const(np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1))
    total = add_trees(g, encode_columns(g, model, frame), trees.parts, trees.output)
    return g.op("Add", total, baseline), int(model.n_trees_per_iteration_)


@register_predictor("HistGradientBoostingRegressor", guards=False)
def _write_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    raw, _ = _write_scores(g, model, frame)
    link = type(model._loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise NotConvertible(f"the link {link} of {get_class_name(model)} is not known")
    return Predictions(1, g.op("Exp", raw) if link == "LogLink" else raw)


@register_predictor("HistGradientBoostingClassifier", guards=False)
def _write_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    raw, width = _write_scores(g, model, frame)
    classes = get_classes(model)
    if width == 1:
        return Predictions(2, None, classes, choose_by_threshold(g, raw), pair_with_complement(g, g.expit(raw)), raw)
    return Predictions(len(classes), None, classes, g.argmax(raw), g.op("Softmax", raw, axis=1), raw)
