"""scikit-learn's histogram gradient boosting, read from its predictors' node records."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.onnx.tree_sums import Term, Tree, add_trees
from infer_bench.converters.sklearn.meta_estimators import side_by_side
from infer_bench.converters.sklearn.registry import (
    Answer,
    above,
    classes_of,
    kind,
    predictor,
    require,
    transform,
    two_columns,
)
from infer_bench.errors import NotConvertible
from infer_bench.typing import Array


def read_predictor(predictor_: Any) -> Tree:
    """One `TreePredictor`: double thresholds, NaN sides, and the categories that go left."""
    nodes = predictor_.nodes
    leaf = nodes["is_leaf"].astype(bool)
    left = np.where(leaf, -1, nodes["left"].astype(np.int64))
    split = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf)
    members = {int(i): _bits(predictor_.raw_left_cat_bitsets[int(nodes["bitset_idx"][i])]) for i in split}
    nothing = [i for i, found in members.items() if not found]  # a set of no categories: nothing but NaN goes left
    threshold = np.where(leaf, 0.0, nodes["num_threshold"])
    threshold[nothing] = -np.inf
    members = {i: found for i, found in members.items() if found}
    return Tree(
        nodes["feature_idx"].astype(np.int64),
        threshold,
        left,
        nodes["right"].astype(np.int64),
        nodes["missing_go_to_left"].astype(bool),
        members,
    )


def _bits(words: Array) -> tuple[float, ...]:
    """The positions of the bits set in eight 32-bit words."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little")
    return tuple(float(i) for i in np.flatnonzero(bits))


def prepare(g: Graph, model: Any, frame: Frame) -> str:
    """The columns as the predictors see them: categories first, as codes with NaN for the unknown."""
    inner = getattr(model, "_preprocessor", None)
    if inner is None:
        if getattr(model, "is_categorical_", None) is not None:
            raise NotConvertible(f"{kind(model)} holds categories of an older scikit-learn", "fit it with >= 1.4")
        return frame.numbers(g, kind(model))
    parts = []
    for name, step, _ in inner.transformers_:
        indices = [int(i) for i in inner._transformer_to_input_indices.get(name, [])]
        chosen = frame.select(g, indices)
        if indices and name == "encoder":
            chosen = require(g, chosen, nan=True)
        if indices:
            parts.append(transform(g, step, chosen) if name == "encoder" else chosen)
    return side_by_side(parts).numbers(g, kind(model))


def _raw(g: Graph, model: Any, frame: Frame) -> tuple[str, int]:
    width = int(model.n_trees_per_iteration_)
    terms = [
        Term(read_predictor(found), np.asarray(found.nodes["value"], dtype=np.float64), target)
        for stage in model._predictors
        for target, found in enumerate(stage)
    ]
    baseline = g.const(np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1))
    total = add_trees(g, prepare(g, model, frame), terms, width)
    return g.op("Add", total, baseline), width


@predictor("HistGradientBoostingRegressor", guards=False)
def _regressor(g: Graph, model: Any, frame: Frame) -> Answer:
    raw, _ = _raw(g, model, frame)
    link = type(model._loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise NotConvertible(f"the link {link} of {kind(model)} is not known")
    return Answer(1, g.op("Exp", raw) if link == "LogLink" else raw)


@predictor("HistGradientBoostingClassifier", guards=False)
def _classifier(g: Graph, model: Any, frame: Frame) -> Answer:
    raw, width = _raw(g, model, frame)
    classes = classes_of(model)
    if width == 1:
        return Answer(2, None, classes, above(g, raw), two_columns(g, g.expit(raw)), raw)
    return Answer(len(classes), None, classes, g.argmax(raw), g.op("Softmax", raw, axis=1), raw)
