"""Both classes' probabilities and the label of a binary model with one raw score, in as few operators as there are."""

import numpy as np

from infer_bench.converters.onnx.graph import Graph
from infer_bench.model import Label
from infer_bench.trees.ensemble import Dtype, Ensemble

HALF = 1.5 * 2.0**-24
"""The largest score s for which 1 / (1 + exp(-s)) is no more than 0.5 in float32, each step rounded to the nearest."""
_LARGEST_SUM = 1e38


def has_one_sigmoid(ensemble: Ensemble) -> bool:
    """Whether the positive class's probability is the sigmoid of the only raw score."""
    kinds = [link.kind for link in ensemble.links]
    return ensemble.task == "binary" and ensemble.outputs == 1 and kinds == ["sigmoid"]


def add_sigmoids(g: Graph, ensemble: Ensemble, scores: str, dtype: Dtype) -> str:
    """Probabilities (batch, 2) of a score s, as the sigmoid of -s and s."""
    slope = ensemble.links[0].a
    return g.op("Sigmoid", g.op("Mul", scores, g.const([[-slope, slope]], np.dtype(dtype))))


def suits_classifier(ensemble: Ensemble, score_dtype: Dtype, dtype: Dtype) -> bool:
    """Whether one operator may make labels and probabilities of a score: it does so in float32, of finite scores."""
    trees_alone = ensemble.linear is None and ensemble.linear_leaves is None
    largest = np.abs(ensemble.nodes.value).max(initial=0.0) * max(1, ensemble.trees) + np.abs(ensemble.base).max()
    rounded = score_dtype == dtype == "float32" and ensemble.label_rule == "argmax"
    return rounded and trees_alone and bool(largest * abs(ensemble.links[0].a) < _LARGEST_SUM)


def add_classifier(g: Graph, ensemble: Ensemble, scores: str) -> tuple[str, str]:
    """Labels (batch,), or the indices of classes that are neither all integers nor all strings, and probabilities.

    The probabilities are the softmax of `HALF` and the score, which is less than float32's rounding from that of 0 and
    the score. The label is the larger one's, the first's where they are equal: the second class's where XGBoost's
    probability is above 0.5. A softmax keeps all digits of a small probability, ONNX Runtime's Sigmoid none.
    """
    label, probabilities = g.ops(
        "LinearClassifier",
        2,
        scores,
        domain="ai.onnx.ml",
        coefficients=[0.0, ensemble.links[0].a],
        intercepts=[HALF, 0.0],
        post_transform="SOFTMAX",
        **_name_classes(ensemble.classes),
    )
    g.domains["ai.onnx.ml"] = g.opset_ml
    return label, probabilities


def are_labels(classes: tuple[Label, ...]) -> bool:
    """Whether `add_classifier` gives these classes themselves, and not their indices."""
    return {type(label) for label in classes} in ({int}, {str})


def _name_classes(classes: tuple[Label, ...]) -> dict[str, list[int] | list[str]]:
    if all(isinstance(label, str) for label in classes):
        return {"classlabels_strings": [str(label) for label in classes]}
    return {"classlabels_ints": [int(label) for label in classes] if are_labels(classes) else [0, 1]}
