"""Which labels are compared, and nothing else, where one of two sides gives no probabilities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from infer_bench.errors import DataError
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.model import Label, ModelSpec
from infer_bench.stats.agreement.predictions import Labels, Predictions, label_key
from infer_bench.typing import Floats, Ints

Read = Callable[[Predictions], Labels]
EVEN = 0.5
"""A probability above it means the second class, unless the user's threshold or the library says otherwise."""
_SAVE = "save the probabilities (predict_proba) to have them compared"
_EXPORT = "export the probabilities too, to have them compared"
_FEW = 3


@dataclass(frozen=True, slots=True)
class LabelReading:
    """How the labels of both sides are had. `reason` says why nothing else is compared, `remarks` what was assumed."""

    reason: str
    ours: Read
    theirs: Read
    remarks: tuple[str, ...] = ()
    hint: str = _SAVE

    def alone(self, reference: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions]:
        """Both sides' predictions without a number."""
        return _alone(reference, self.ours(reference)), _alone(candidate, self.theirs(candidate))


def choose_reading(
    reference: Predictor | SavedPredictions, candidate: Predictor, threshold: float | None
) -> LabelReading | None:
    """How labels are compared with labels; None where both sides give numbers.

    Saved labels are told from numbers by their dtype, or by their values where the candidate's classes are such values.
    Raises `DataError` for saved text where the candidate gives no classes.
    """
    spec = candidate.spec
    if isinstance(reference, SavedPredictions):
        if reference.labels is not None:
            return _of_saved_labels(reference, reference.labels, candidate, threshold)
        if not spec.labels_only:
            return None
        reason = f"{candidate.name} gives labels alone"
        return LabelReading(reason, _by_value(spec.classes, threshold), _own_labels, hint=_EXPORT)
    if reference.spec.labels_only == spec.labels_only or not (reference.spec.classes and spec.classes):
        return None
    giver = reference if reference.spec.labels_only else candidate
    return LabelReading(f"{giver.name} gives labels alone", _own_labels, _own_labels, hint=_EXPORT)


def _of_saved_labels(
    saved: SavedPredictions, labels: Labels, candidate: Predictor, threshold: float | None
) -> LabelReading | None:
    read, remarks = _reader_for(saved, labels, candidate, threshold)
    if read is None:
        if saved.is_text:
            text = f"{saved.name} holds text, and {candidate.name} gives no classes to compare it with"
            raise DataError(text, "save its numbers, or compare it with a classifier")
        return None
    what = "whole numbers, taken for class labels" if saved.is_float else "class labels"
    return LabelReading(f"{saved.name} holds {what}", _own_labels, read, remarks)


def _reader_for(
    saved: SavedPredictions, labels: Labels, candidate: Predictor, threshold: float | None
) -> tuple[Read | None, tuple[str, ...]]:
    """How the candidate's labels are had, with what was assumed; None where it has none that fit the saved ones."""
    spec, names = candidate.spec, [name for name in labels.names if name == name]
    if spec.classes:
        known = {label_key(name) for name in spec.classes}
        if saved.is_float and not all(label_key(name) in known for name in names):
            return None, ()
        return _reader_for_classes(names, spec, threshold, candidate.name)
    if candidate.is_function:
        return (_own_labels if saved.is_text else None), ()
    count = len(spec.outputs)
    if saved.is_text or not set(names) <= set(range(max(2, count))):
        return None, ()
    remark = f"{candidate.name} names no classes: " + (
        f"its answer above {EVEN if threshold is None else threshold:g} was read as 1"
        if count == 1
        else "the place of its largest output was read as its label"
    )
    return _by_value(tuple(range(max(2, count))), threshold), (remark,)


def _reader_for_classes(
    names: Sequence[Label], spec: ModelSpec, threshold: float | None, name: str
) -> tuple[Read, tuple[str, ...]]:
    aliases = _aliases(names, spec.classes)
    known = {label_key(aliases.get(label, label)) for label in spec.classes}
    strangers = [label for label in names if label_key(label) not in known]
    remarks = []
    if aliases:
        pairs = ", ".join(f"{theirs!r} as {ours!r}" for theirs, ours in list(aliases.items())[:_FEW])
        remarks.append(f"the classes of {name} were read in their order: {pairs}")
    if strangers:
        verb = "is no class" if len(strangers) == 1 else "are no classes"
        remarks.append(f"{', '.join(map(repr, strangers[:_FEW]))} {verb} of {name}")
    decide = _own_labels if threshold is None or spec.task != "binary" else _by_value(spec.classes, threshold)

    def read(predictions: Predictions) -> Labels:
        labels = decide(predictions)
        return replace(labels, names=tuple(aliases.get(label, label) for label in labels.names))

    return read, tuple(remarks)


def _aliases(names: Sequence[Label], classes: Sequence[Label]) -> dict[Label, Label]:
    """By each class the saved label that it is, where one side numbers what the other names; else nothing."""
    if {label_key(name) for name in names} & {label_key(name) for name in classes}:
        return {}
    numbers = range(len(classes))
    if list(classes) == list(numbers) and len(names) == len(classes) and len(set(map(type, names))) == 1:
        return dict(zip(classes, sorted(names, key=lambda name: (str(type(name)), name)), strict=True))
    return dict(zip(classes, numbers, strict=True)) if names and set(names) <= set(numbers) else {}


def _own_labels(predictions: Predictions) -> Labels:
    """The labels that a side gives itself; those of its largest output where it gives none."""
    if predictions.labels is not None:
        return predictions.labels
    return _by_value(tuple(range(max(2, predictions.values.shape[1]))), None)(predictions)


def _by_value(classes: tuple[Label, ...], threshold: float | None) -> Read:
    """Labels of one probability by the threshold, and of several outputs by the largest; none for what is no number."""

    def read(predictions: Predictions) -> Labels:
        values = predictions.values
        if values.shape[1] == 1 or (values.shape[1] == 2 and threshold is not None):
            return Labels(classes[:2], _above(values[:, -1], EVEN if threshold is None else threshold))
        codes = np.where(np.isfinite(values).all(axis=1), np.nan_to_num(values).argmax(axis=1), -1)
        return Labels(classes if len(classes) >= values.shape[1] else tuple(range(values.shape[1])), codes)

    return read


def _above(values: Floats, threshold: float) -> Ints:
    """1 for a probability above the threshold, 0 for another, -1 for what is no probability."""
    with np.errstate(invalid="ignore"):
        within = np.abs(values - EVEN) <= EVEN + 1e-6
        return np.where(within, values > threshold, -1).astype(np.int64)


def _alone(predictions: Predictions, labels: Labels) -> Predictions:
    """Labels without numbers (rows, 0); of a row without any number there is no label either."""
    codes = labels.codes
    if not labels.text:
        codes = np.where(np.isfinite(predictions.values).any(axis=1), codes, -1)
    values = np.empty((len(predictions.values), 0))
    return replace(predictions, values=values, labels=replace(labels, codes=codes, text=False), units=None)
