"""How good each candidate's classes are on the rows that it answered."""

from collections.abc import Sequence

import numpy as np

from infer_bench.errors import DataError
from infer_bench.measure.class_quality import encode_labels, measure_quality, spread_scores
from infer_bench.measure.schedule.measurements import Measurement
from infer_bench.model import ModelSpec
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Notice, Quality
from infer_bench.typing import Array, Floats, Ints


def judge_classes(measurement: Measurement, spec: ModelSpec | None, truth: Array | None) -> Quality | None:
    """The quality against `truth`, the classes of the first rows; None for a model that predicts none of them."""
    predictions = measurement.predictions
    if truth is None or spec is None or predictions is None or predictions.ndim != 2:
        return None
    rows = min(len(predictions), len(truth))
    scores = spread_scores(predictions[:rows]) if rows and predictions.shape[1] else np.empty((0, 0))
    codes = _encode_truth(truth[:rows], scores, spec)
    if codes is None:
        return None
    return measure_quality(codes, _predicted_classes(measurement, scores, spec), scores)


def _encode_truth(truth: Array, scores: Floats, spec: ModelSpec) -> Ints | None:
    """The number of each row's class; None where the model has no such classes."""
    count = scores.shape[1]
    if spec.classes:
        codes = encode_labels(truth, count, spec.classes)
        return codes if len(spec.classes) == count and (codes >= 0).any() else None
    if count < 2 or (count == 2 and not _are_shares(scores)):
        return None
    try:
        return encode_labels(truth, count)
    except DataError:
        return None


def _are_shares(scores: Floats) -> bool:
    """Of two columns that are one number and what it lacks to one: whether it lies between 0 and 1."""
    return bool(((scores >= 0) & (scores <= 1)).all())


def _predicted_classes(measurement: Measurement, scores: Floats, spec: ModelSpec) -> Ints:
    """The engine's own labels where it gives them, else the class that scores most."""
    labels = measurement.labels
    if labels is not None and spec.classes and len(labels) >= len(scores):
        return encode_labels(labels[: len(scores)], scores.shape[1], spec.classes)
    classes: Ints = scores.argmax(axis=1).astype(np.int64)
    return classes


def note_useless_labels(results: Sequence[BenchResult], truth: Array | None) -> tuple[Notice, ...]:
    """What to say where labels were given and no model predicts such classes."""
    measured = [result for result in results if result.request is not None]
    if truth is None or not measured or any(result.quality is not None for result in measured):
        return ()
    return (Notice("labels", "no candidate predicts the classes that the labels name", "are they the model's own?"),)
