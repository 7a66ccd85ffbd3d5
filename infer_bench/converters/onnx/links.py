"""From raw scores to predictions and labels, as plain ONNX nodes."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.columns import NUMBER
from infer_bench.converters.onnx.graph import Graph
from infer_bench.trees.ensemble import Dtype, Ensemble, Link


def add_links(g: Graph, links: tuple[Link, ...], scores: str, dtype: Dtype, *, tails: bool = False) -> str:
    """The tensor of predictions (batch, outputs) of `dtype`, from raw scores of the same dtype.

    With `tails`, of double scores only, probabilities next to 0 keep all their digits, as what is computed from them
    may need; it takes four nodes instead of one.
    """
    for link in links:
        scores = _add_link(g, link, scores, np.dtype(dtype), tails)
    return scores


def _add_link(g: Graph, link: Link, x: str, dtype: Any, tails: bool) -> str:
    if link.kind == "sigmoid":
        x = x if link.a == 1.0 else g.op("Mul", x, g.const(link.a, dtype))
        return g.expit(x) if tails else g.op("Sigmoid", x)
    if link.kind == "softmax":
        return g.op("Softmax", x, axis=1)
    if link.kind == "exp":
        return g.op("Exp", x)
    if link.kind == "softplus":
        return g.op("Log", g.op("Add", g.op("Exp", x), g.const(1.0, dtype)))
    if link.kind == "signed-square":
        return g.op("Mul", x, g.op("Abs", x))
    if link.kind == "normalise":
        return g.op("Div", x, g.total(x))
    if link.kind == "clip":
        return g.op("Clip", x, g.const(link.a, dtype), g.const(link.b, dtype))
    if link.kind == "sort":
        return g.ops("TopK", 2, x, g.const([int(link.a)], np.int64), axis=1, largest=0)[0]
    if link.kind == "affine":
        return g.op("Add", g.op("Mul", x, g.const(link.a, dtype)), g.const(link.b, dtype))
    return g.op(
        "Cast", g.op("Greater", x, g.const(link.a, dtype)), to=NUMBER["float64" if dtype.itemsize == 8 else "float32"]
    )


def add_both_classes(g: Graph, ensemble: Ensemble, predictions: str, dtype: Dtype) -> str:
    """Probabilities (batch, classes): a binary model's one column p becomes 1 - p and p, as p (-1, 1) + (1, 0)."""
    if ensemble.task != "binary" or ensemble.outputs != 1:
        return predictions
    kind = np.dtype(dtype)
    return g.op("Gemm", predictions, g.const([[-1.0, 1.0]], kind), g.const([1.0, 0.0], kind))


def add_class_index(g: Graph, ensemble: Ensemble, scores: str, probabilities: str, dtype: Dtype) -> str:
    """The index of each row's class, int64 (batch,)."""
    if ensemble.label_rule == "raw-not-negative":
        return g.flat(g.op("Cast", g.op("GreaterOrEqual", scores, g.const(0.0, np.dtype(dtype))), to=7))
    return g.argmax(probabilities)
