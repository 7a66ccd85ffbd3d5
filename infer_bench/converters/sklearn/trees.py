"""scikit-learn's trees, forests and boosted trees, read from their own node arrays.

`tree_` casts its input to float32 and compares it with a double threshold; histogram boosting compares doubles. Votes
and sums are kept in double and in the trees' order, so that a label never flips on a tie.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.onnx.scores import add_trees
from infer_bench.converters.sklearn.registry import (
    Predictions,
    choose_by_threshold,
    pair_with_complement,
    predict_most_probable,
    register_predictor,
    require_finite,
    write_predictor,
)
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes
from infer_bench.trees.readers.sklearn.isolation import isolation_scale, read_isolation_trees
from infer_bench.trees.readers.sklearn.nodes import (
    FORESTS,
    SINGLE,
    is_constant,
    read_leaf_values,
    read_stages,
    read_tree,
    takes_nan,
)


def round_to_float32(g: Graph, frame: Frame, model: Any) -> str:
    """The rows rounded to float32, as double; those that scikit-learn refuses are marked.

    These are the infinite in float32, and NaN in a sparse matrix or where the trees know no missing values.
    """
    x = g.double(g.op("Cast", frame.numbers(g, get_class_name(model)), to=1))
    require_finite(g, Frame.of(x, frame.width), nan=takes_nan(model) and frame.storage == "dense")
    return x


def write_average(g: Graph, x: str, models: Sequence[Any]) -> str:
    """The mean of the trees' predictions, summed in order, (batch, outputs)."""
    leaves = [read_leaf_values(model) for model in models]
    parts = [read_tree(model, column) for model, values in zip(models, leaves, strict=True) for column in values.T]
    total = add_trees(g, x, parts, list(range(leaves[0].shape[1])) * len(models))
    return g.op("Div", total, g.const(float(len(models)))) if len(models) > 1 else total


@register_predictor(*(f"{name}Classifier" for name in FORESTS + SINGLE), guards=False)
def _write_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    get_classes(model)
    x = round_to_float32(g, frame, model)
    proba = write_average(g, x, getattr(model, "estimators_", [model]))
    return predict_most_probable(g, model, proba)


@register_predictor(*(f"{name}Regressor" for name in FORESTS + SINGLE), guards=False)
def _write_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    x = round_to_float32(g, frame, model)
    return Predictions(model.n_outputs_, write_average(g, x, getattr(model, "estimators_", [model])))


def _write_stages(g: Graph, model: Any, frame: Frame) -> tuple[str, int]:
    x = round_to_float32(g, frame, model)
    trees, width = read_stages(model), model.estimators_.shape[1]
    total = add_trees(g, x, trees.parts, trees.output)
    total = g.op("Add", total, _write_start(g, model, Frame.of(x, frame.width), width))
    return total, width


def _write_start(g: Graph, model: Any, frame: Frame, width: int) -> str:
    """The raw prediction before the first tree."""
    init = model.init_
    if is_constant(init):
        return g.const(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)))
    if not get_class_name(init).startswith((*FORESTS, *SINGLE)):
        raise NotConvertible(
            f"the init estimator {get_class_name(init)} of {get_class_name(model)} computes in float32",
            "use init=None, 'zero' or a forest",
        )
    predictions = write_predictor(g, init, frame)
    return predictions.values if predictions.values else _write_link(g, model, predictions.probabilities or "", width)


def _write_link(g: Graph, model: Any, probabilities: str, width: int) -> str:
    """Raw scores of an init estimator's probabilities."""
    tiny = np.finfo(np.float64).eps
    proba = g.op("Min", g.op("Max", probabilities, g.const(tiny)), g.const(1 - tiny))
    if width > 1:
        log = g.op("Log", proba)
        return g.op("Sub", log, g.op("ReduceMean", log, g.ints(1), keepdims=1))
    one = g.take(proba, [1])
    odds = g.op("Log", g.op("Div", one, g.op("Sub", g.const(1.0), one)))
    return g.op("Mul", odds, g.const(0.5)) if model.loss == "exponential" else odds


@register_predictor("GradientBoostingRegressor", guards=False)
def _write_boosted_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    return Predictions(1, _write_stages(g, model, frame)[0])


@register_predictor("GradientBoostingClassifier", guards=False)
def _write_boosted_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    raw, width = _write_stages(g, model, frame)
    classes = get_classes(model)
    if width > 1:
        return Predictions(len(classes), None, classes, g.argmax(raw), g.op("Softmax", raw, axis=1), raw)
    doubled = g.op("Mul", raw, g.const(2.0)) if model.loss == "exponential" else raw
    choice = g.flat(g.op("Cast", g.op("GreaterOrEqual", raw, g.const([[0.0]])), to=7))
    return Predictions(2, None, classes, choice, pair_with_complement(g, g.expit(doubled)), raw)


@register_predictor("IsolationForest", guards=False)
def _write_isolation(g: Graph, model: Any, frame: Frame) -> Predictions:
    x = g.double(g.op("Cast", frame.numbers(g, get_class_name(model)), to=1))
    parts, scale = read_isolation_trees(model, sparse=frame.storage != "dense"), isolation_scale(model)
    total = add_trees(g, x, parts, [0] * len(parts))
    power = g.op("Pow", g.const(2.0), g.op("Neg", g.op("Div", total, g.const(scale))))
    scores = g.op("Sub", g.op("Neg", power), g.const(float(model.offset_)))
    return Predictions(
        2, None, (-1, 1), choose_by_threshold(g, total, _find_deepest_outlier(model, scale)), None, scores
    )


def _find_deepest_outlier(model: Any, scale: float) -> float:
    """The greatest sum of depths that scikit-learn still calls an outlier, by bisection of doubles.

    The offset is often a training row's score, so that the sign of score - offset hangs on the last bit of a power.
    """
    low, high = -1.0, 1e9
    while low < (middle := low + (high - low) / 2) < high:
        outlier = (-(2 ** -np.divide(np.array([middle]), scale)) - model.offset_)[0] < 0
        low, high = (middle, high) if outlier else (low, middle)
    return low
