"""scikit-learn's histogram gradient boosting, read from its predictors' node records."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.onnx.scores import add_trees
from infer_bench.converters.sklearn.meta_estimators import side_by_side
from infer_bench.converters.sklearn.registry import Answer, above, predictor, require, transform, two_columns
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes, iterate_transformers
from infer_bench.trees.readers.sklearn.nodes import read_histogram_stages


def prepare(g: Graph, model: Any, frame: Frame) -> str:
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
        parts.append(transform(g, step, require(g, columns, nan=True)) if name == "encoder" else columns)
    return side_by_side(parts).numbers(g, get_class_name(model))


def _raw(g: Graph, model: Any, frame: Frame) -> tuple[str, int]:
    trees = read_histogram_stages(model)
    baseline = g.const(np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1))
    total = add_trees(g, prepare(g, model, frame), trees.parts, trees.output)
    return g.op("Add", total, baseline), int(model.n_trees_per_iteration_)


@predictor("HistGradientBoostingRegressor", guards=False)
def _regressor(g: Graph, model: Any, frame: Frame) -> Answer:
    raw, _ = _raw(g, model, frame)
    link = type(model._loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise NotConvertible(f"the link {link} of {get_class_name(model)} is not known")
    return Answer(1, g.op("Exp", raw) if link == "LogLink" else raw)


@predictor("HistGradientBoostingClassifier", guards=False)
def _classifier(g: Graph, model: Any, frame: Frame) -> Answer:
    raw, width = _raw(g, model, frame)
    classes = get_classes(model)
    if width == 1:
        return Answer(2, None, classes, above(g, raw), two_columns(g, g.expit(raw)), raw)
    return Answer(len(classes), None, classes, g.argmax(raw), g.op("Softmax", raw, axis=1), raw)
