"""How good a model's classes are, against the true ones."""

from collections.abc import Sequence

import numpy as np

from infer_bench.errors import DataError
from infer_bench.report.common import Quality
from infer_bench.stats.agreement.predictions import label_key
from infer_bench.stats.quality import accuracy, auc, f1_macro
from infer_bench.typing import Array, Floats, Ints


def spread_scores(values: Array) -> Floats:
    """Scores as (rows, classes); one column is the probability of the second of two."""
    scores: Floats = values.astype(np.float64).reshape(len(values), -1)
    return np.column_stack([1 - scores, scores]) if scores.shape[1] == 1 else scores


def encode_labels(labels: Sequence[object] | Array, count: int, classes: Sequence[object] = ()) -> Ints:
    """The number of each label's class: its place in `classes`, -1 for one that is none of them.

    Without the classes the label itself, where all are such numbers, else its place among the labels in order. Raises
    `DataError` for another number of labels than `count`.
    """
    if classes:
        places = {label_key(name): place for place, name in enumerate(classes)}
        return np.array([places.get(label_key(label), -1) for label in np.asarray(labels).tolist()], dtype=np.int64)
    values = np.asarray(labels)
    if values.dtype.kind in "iub" and len(values):
        numbers = values.astype(np.int64)
        if numbers.min() >= 0 and numbers.max() < count:
            return numbers
    names, codes = np.unique(values, return_inverse=True)
    if len(names) != count:
        raise DataError(f"there are {len(names)} different labels and the model has {count} classes")
    return codes.astype(np.int64)


def measure_quality(truth: Ints, classes: Ints, scores: Floats) -> Quality:
    """Accuracy, F1 and AUC of predicted `classes` (rows,) and `scores` (rows, classes)."""
    return Quality(accuracy(truth, classes), f1_macro(truth, classes, scores.shape[1]), auc(truth, scores), len(truth))
