"""scikit-learn's trees, forests and boosted trees, read from their own node arrays.

`tree_` casts its input to float32 and compares it with a double threshold; histogram boosting compares doubles. Votes
and sums are kept in double and in the trees' order, so that a label never flips on a tie.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.onnx.tree_sums import Term, Tree, add_trees
from infer_bench.converters.sklearn.registry import (
    Answer,
    above,
    allows_nan,
    answer,
    by_probability,
    classes_of,
    kind,
    predictor,
    require,
    two_columns,
)
from infer_bench.errors import NotConvertible
from infer_bench.typing import Array

FORESTS = ("RandomForest", "ExtraTrees")
SINGLE = ("DecisionTree", "ExtraTree")


def read_tree(model: Any, features: Array | None = None) -> Tree:
    """The `tree_` of a fitted decision tree; `features` are the columns it sees, when it sees a part of them."""
    tree = model.tree_
    feature = np.maximum(tree.feature, 0)
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    if features is not None:
        feature = np.asarray(features)[feature]
    return Tree(feature, tree.threshold, tree.children_left, tree.children_right, np.asarray(missing, dtype=bool))


def leaf_values(model: Any) -> Array:
    """What each node answers, double (nodes, outputs): class fractions, or a value a target."""
    values = model.tree_.value
    if values.shape[1] > 1 and values.shape[2] > 1:
        raise NotConvertible(f"{kind(model)} predicts several targets of classes", "convert one model a target")
    flat = values[:, 0, :] if values.shape[1] == 1 else values[:, :, 0]
    if hasattr(model, "classes_"):
        total = flat.sum(axis=1, keepdims=True)
        if np.abs(total - 1.0).max() > 1e-6:
            raise NotConvertible("the tree holds class counts of an older scikit-learn", "load and save it with >= 1.3")
    return np.asarray(flat, dtype=np.float64)


def as_float32(g: Graph, frame: Frame, model: Any) -> str:
    """The rows rounded to float32, as double; those that scikit-learn refuses (infinite in float32) are marked."""
    x = g.double(g.op("Cast", frame.numbers(g, kind(model)), to=1))
    require(g, Frame.of(x, frame.width), nan=takes_nan(model))
    return x


def takes_nan(model: Any) -> bool:
    """Whether a tree or forest was trained so that it answers rows with NaN."""
    members = getattr(model, "estimators_", [model])
    supports = getattr(members[0], "_support_missing_values", None) if isinstance(members, list) else None
    return bool(supports(np.zeros((1, 1), dtype=np.float32))) if supports else allows_nan(model)


def average(g: Graph, x: str, models: Sequence[Any]) -> str:
    """The mean of the trees' answers, summed in order, (batch, outputs)."""
    terms, width = [], 1
    for model in models:
        tree, values = read_tree(model), leaf_values(model)
        width = values.shape[1]
        terms += [Term(tree, values[:, i], i) for i in range(width)]
    total = add_trees(g, x, terms, width)
    return g.op("Div", total, g.const(float(len(models)))) if len(models) > 1 else total


@predictor(*(f"{name}Classifier" for name in FORESTS + SINGLE), guards=False)
def _classifier(g: Graph, model: Any, frame: Frame) -> Answer:
    classes_of(model)
    x = as_float32(g, frame, model)
    proba = average(g, x, getattr(model, "estimators_", [model]))
    return by_probability(g, model, proba)


@predictor(*(f"{name}Regressor" for name in FORESTS + SINGLE), guards=False)
def _regressor(g: Graph, model: Any, frame: Frame) -> Answer:
    x = as_float32(g, frame, model)
    return Answer(model.n_outputs_, average(g, x, getattr(model, "estimators_", [model])))


def _boosted(g: Graph, model: Any, frame: Frame) -> tuple[str, int]:
    x = as_float32(g, frame, model)
    stages = model.estimators_
    terms = [
        Term(read_tree(tree), model.learning_rate * tree.tree_.value[:, 0, 0], target)
        for stage in stages
        for target, tree in enumerate(stage)
    ]
    width = stages.shape[1]
    total = add_trees(g, x, terms, width)
    total = g.op("Add", total, _start(g, model, Frame.of(x, frame.width), width))
    return total, width


def is_constant(init: Any) -> bool:
    """Whether an init estimator answers the same for every row; raises `NotConvertible` for one that draws lots."""
    if isinstance(init, str):
        return True
    if getattr(init, "strategy", "") in ("stratified", "uniform") and kind(init) == "DummyClassifier":
        raise NotConvertible(
            f"the init estimator draws its answers at random ({init.strategy})", "use strategy='prior'"
        )
    return kind(init) in ("DummyClassifier", "DummyRegressor")


def _start(g: Graph, model: Any, frame: Frame, width: int) -> str:
    """The raw prediction before the first tree."""
    init = model.init_
    if is_constant(init):
        return g.const(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)))
    if not kind(init).startswith((*FORESTS, *SINGLE)):
        raise NotConvertible(
            f"the init estimator {kind(init)} of {kind(model)} computes in float32", "use init=None, 'zero' or a forest"
        )
    found = answer(g, init, frame)
    return found.values if found.values else _link(g, model, found.probabilities or "", width)


def _link(g: Graph, model: Any, probabilities: str, width: int) -> str:
    """Raw scores of an init estimator's probabilities."""
    tiny = np.finfo(np.float64).eps
    proba = g.op("Min", g.op("Max", probabilities, g.const(tiny)), g.const(1 - tiny))
    if width > 1:
        log = g.op("Log", proba)
        return g.op("Sub", log, g.op("ReduceMean", log, g.ints(1), keepdims=1))
    one = g.take(proba, [1])
    odds = g.op("Log", g.op("Div", one, g.op("Sub", g.const(1.0), one)))
    return g.op("Mul", odds, g.const(0.5)) if model.loss == "exponential" else odds


@predictor("GradientBoostingRegressor", guards=False)
def _boosted_regressor(g: Graph, model: Any, frame: Frame) -> Answer:
    return Answer(1, _boosted(g, model, frame)[0])


@predictor("GradientBoostingClassifier", guards=False)
def _boosted_classifier(g: Graph, model: Any, frame: Frame) -> Answer:
    raw, width = _boosted(g, model, frame)
    classes = classes_of(model)
    if width > 1:
        return Answer(len(classes), None, classes, g.argmax(raw), g.op("Softmax", raw, axis=1), raw)
    doubled = g.op("Mul", raw, g.const(2.0)) if model.loss == "exponential" else raw
    reached = g.flat(g.op("Cast", g.op("GreaterOrEqual", raw, g.const([[0.0]])), to=7))
    return Answer(2, None, classes, reached, two_columns(g, g.expit(doubled)), raw)


@predictor("IsolationForest", guards=False)
def _isolation(g: Graph, model: Any, frame: Frame) -> Answer:
    x = g.double(g.op("Cast", frame.numbers(g, kind(model)), to=1))
    terms = []
    for i, (tree, features) in enumerate(zip(model.estimators_, model.estimators_features_, strict=True)):
        depth = model._decision_path_lengths[i] + model._average_path_length_per_tree[i] - 1.0
        terms.append(Term(read_tree(tree, features), depth, 0))
    total = add_trees(g, x, terms, 1)
    scale = len(model.estimators_) * _path_length(model._max_samples)
    if scale == 0:
        raise NotConvertible("IsolationForest was fitted on a single row", "fit it on more rows")
    power = g.op("Pow", g.const(2.0), g.op("Neg", g.op("Div", total, g.const(scale))))
    scores = g.op("Sub", g.op("Neg", power), g.const(float(model.offset_)))
    return Answer(2, None, (-1, 1), above(g, total, _deepest_outlier(model, scale)), None, scores)


def _path_length(samples: int) -> float:
    from sklearn.ensemble._iforest import _average_path_length

    return float(_average_path_length([samples])[0])


def _deepest_outlier(model: Any, scale: float) -> float:
    """The greatest sum of depths that scikit-learn still calls an outlier, by bisection of doubles.

    The offset is often a training row's score, so that the sign of score - offset hangs on the last bit of a power.
    """
    low, high = -1.0, 1e9
    while low < (middle := low + (high - low) / 2) < high:
        outlier = (-(2 ** -np.divide(np.array([middle]), scale)) - model.offset_)[0] < 0
        low, high = (middle, high) if outlier else (low, middle)
    return low
