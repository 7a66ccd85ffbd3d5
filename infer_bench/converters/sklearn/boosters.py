"""LightGBM and XGBoost estimators at the end of a scikit-learn pipeline, through the exact tree writer."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.onnx.links import add_both_classes, add_class_index, add_links
from infer_bench.converters.onnx.scores import add_scores
from infer_bench.converters.sklearn.registry import Predictions, register_predictor
from infer_bench.converters.sklearn.storage import read_as_xgboost
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.lightgbm import read_lightgbm
from infer_bench.trees.readers.lost_labels import note_lost_labels
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_family
from infer_bench.trees.readers.xgboost import read_xgboost

BOOSTERS = [
    "LGBMClassifier",
    "LGBMRegressor",
    "LGBMRanker",
    "XGBClassifier",
    "XGBRegressor",
    "XGBRanker",
    "XGBRFClassifier",
    "XGBRFRegressor",
]


@register_predictor(*BOOSTERS, guards=False)
def _write_booster(g: Graph, model: Any, frame: Frame) -> Predictions:
    """Rows stay double for LightGBM; the writer casts them to float32 for XGBoost, as that library does.

    What a sparse matrix does not store is zero to LightGBM and missing to XGBoost.
    """
    light = get_family(model) == "lightgbm"
    ensemble = read_lightgbm(model) if light else read_xgboost(model)
    if any(feature.categories for feature in ensemble.features):
        raise NotConvertible(
            f"{get_class_name(model)} at the end of a pipeline holds pandas categories",
            "encode them in an earlier step",
        )
    if frame.width != len(ensemble.features):
        raise NotConvertible(
            f"{get_class_name(model)} is given {frame.width} columns and knows {len(ensemble.features)}"
        )
    name = get_class_name(model)
    if note_lost_labels(model, ensemble.task):
        raise NotConvertible(f"the {name} has an objective without classes", "train it with a classifier's objective")
    rows = frame.numbers(g, name) if light else read_as_xgboost(g, frame, name)
    scores, _ = add_scores(g, ensemble, rows, "float64", "float64")
    predictions = add_links(g, ensemble.links, scores, "float64", tails=True)
    if ensemble.task not in ("binary", "multiclass"):
        return Predictions(ensemble.outputs, predictions)
    proba = add_both_classes(g, ensemble, predictions, "float64")
    classes = getattr(model, "classes_", np.asarray(ensemble.classes))
    choice = add_class_index(g, ensemble, scores, proba, "float64")
    raw = scores if hasattr(model, "decision_function") else None
    return Predictions(len(classes), None, tuple(np.asarray(classes).tolist()), choice, proba, raw)
