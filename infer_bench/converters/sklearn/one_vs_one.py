"""scikit-learn's votes of one class against another, each pair of classes with a classifier of its own."""

from typing import Any

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.sklearn.registry import (
    Predictions,
    choose_by_threshold,
    register_predictor,
    write_predictor,
)
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes


@register_predictor("OneVsOneClassifier", guards=False)
def _write_one_against_one(g: Graph, model: Any, frame: Frame) -> Predictions:
    """The votes of the pairs, ties broken by the sum of their confidences squeezed into less than a vote."""
    if model.pairwise_indices_ is not None:
        raise NotConvertible("OneVsOneClassifier was given kernels, not columns", "fit it on columns")
    classes = get_classes(model)
    votes, sums = _count_votes(g, model, frame, len(classes))
    size = g.op("Mul", g.op("Add", g.op("Abs", sums), g.const(1.0)), g.const(3.0))
    scores = g.op("Add", votes, g.op("Div", sums, size))
    if len(classes) > 2:
        return Predictions(len(classes), None, classes, g.argmax(scores), None, scores)
    threshold = 0.0 if hasattr(model.estimators_[0], "decision_function") else 0.5
    second = g.take(scores, [1])
    return Predictions(2, None, classes, choose_by_threshold(g, second, threshold), None, second)


def _count_votes(g: Graph, model: Any, frame: Frame, classes: int) -> tuple[str, str]:
    """Votes and confidences by class, both (batch, classes); confidences are added in scikit-learn's order."""
    votes: list[list[str]] = [[] for _ in range(classes)]
    sums = [""] * classes
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    for (i, j), inner in zip(pairs, model.estimators_, strict=True):
        second, confidence = _write_pair(g, inner, frame)
        votes[i].append(g.op("Sub", g.const([[1.0]]), second))
        votes[j].append(second)
        sums[i] = g.op("Sub", sums[i], confidence) if sums[i] else g.op("Neg", confidence)
        sums[j] = g.op("Add", sums[j], confidence) if sums[j] else confidence
    return g.concat([g.op("Sum", *weights) for weights in votes]), g.concat(sums)


def _write_pair(g: Graph, inner: Any, frame: Frame) -> tuple[str, str]:
    """Whether the second class has the vote, and how confidently: both double (batch, 1)."""
    predictions = write_predictor(g, inner, frame)
    confidence = predictions.scores
    if not hasattr(inner, "decision_function") and predictions.probabilities:
        confidence = g.take(predictions.probabilities, [1])
    if predictions.choice is None or confidence is None or predictions.classes != (0, 1):
        raise NotConvertible(f"OneVsOneClassifier on {get_class_name(inner)} has no exact ONNX form here")
    return g.double(g.op("Reshape", predictions.choice, g.ints(-1, 1))), confidence
