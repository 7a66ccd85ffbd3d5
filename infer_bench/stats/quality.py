"""How good classes are, from labels and scores: accuracy, F1 and the area under the ROC curve."""

import numpy as np

from infer_bench.typing import Floats, Ints


def accuracy(truth: Ints, predicted: Ints) -> float:
    """The share of rows (rows,) whose predicted class is the true one."""
    return float(np.mean(truth == predicted))


def f1_macro(truth: Ints, predicted: Ints, classes: int) -> float:
    """The mean over the classes 0 … `classes` - 1 that occur of 2 TP / (2 TP + FP + FN).

    Of two classes, that of class 1 alone, as is usual. See van Rijsbergen, Information Retrieval (1979), ch. 7.
    """
    scores = []
    for label in range(classes):
        hits = int(np.sum((truth == label) & (predicted == label)))
        misses = int(np.sum((truth == label) ^ (predicted == label)))
        if hits + misses:
            scores.append(2 * hits / (2 * hits + misses))
        elif classes == 2:
            scores.append(0.0)
    return scores[1] if classes == 2 else float(np.mean(scores))


def auc(truth: Ints, scores: Floats) -> float | None:
    """The area under the ROC curve of `scores` (rows, classes); over one class against the rest, the mean of all.

    Equal to the chance that a row of the class scores above another row, ties counting half (Hanley and McNeil,
    Radiology 143, 1982). Of two classes that of class 1. None where a class has no row, or no other.
    """
    classes = scores.shape[1]
    areas = [_area(truth == label, scores[:, label]) for label in ((1,) if classes == 2 else range(classes))]
    if any(area is None for area in areas):
        return None
    return float(np.mean([area for area in areas if area is not None]))


def _area(positive: np.ndarray[tuple[int], np.dtype[np.bool_]], scores: Floats) -> float | None:
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others or np.isnan(scores).any():
        return None
    ranks = _mid_ranks(scores)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def _mid_ranks(values: Floats) -> Floats:
    """Ranks from 1 on; ties share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks
