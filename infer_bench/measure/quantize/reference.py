"""What a form's outputs cost, against those of the original on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from infer_bench.errors import DataError, EngineError
from infer_bench.measure.class_quality import encode_labels, measure_quality, spread_scores
from infer_bench.report.common import Quality
from infer_bench.report.quantize import Flips
from infer_bench.stats.paired_classes import mcnemar
from infer_bench.typing import Array, Ints

Outputs = Mapping[str, Array]
_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The original's `outputs` on the judged rows; `scores` names the output that classes are told by."""

    outputs: Outputs
    scores: str | None
    truth: Ints | None

    def classes(self, outputs: Outputs) -> Ints | None:
        """The class of each row (rows,); None where no output tells classes."""
        if self.scores is None:
            return None
        classes: Ints = np.argmax(spread_scores(outputs[self.scores]), axis=1).astype(np.int64)
        return classes

    def quality(self, outputs: Outputs) -> Quality | None:
        """How good the classes are; None without true labels."""
        classes = self.classes(outputs)
        if classes is None or self.truth is None or self.scores is None:
            return None
        scores = spread_scores(outputs[self.scores])
        return measure_quality(self.truth, classes, scores)

    def flips(self, outputs: Outputs) -> Flips | None:
        """The rows that got another class."""
        before, after = self.classes(self.outputs), self.classes(outputs)
        if before is None or after is None:
            return None
        changed = int(np.sum(before != after))
        if self.truth is None:
            return Flips(len(before), changed)
        worse = int(np.sum((before == self.truth) & (after != self.truth)))
        better = int(np.sum((before != self.truth) & (after == self.truth)))
        return Flips(len(before), changed, worse, better, mcnemar(worse, better))

    def deltas(self, outputs: Outputs) -> dict[str, float]:
        """The largest |difference| of each output of fractions; infinite where only one of two is finite.

        Whole numbers beside them are labels, which flip; alone they are compared too.
        """
        return {name: largest_delta(self.outputs[name], outputs[name]) for name in self.compared_outputs}

    @property
    def compared_outputs(self) -> tuple[str, ...]:
        """The outputs whose values are compared."""
        kinds = {name: array.dtype.kind for name, array in self.outputs.items()}
        fractions = tuple(name for name, kind in kinds.items() if kind == "f")
        return fractions or tuple(name for name, kind in kinds.items() if kind in "iub")


def largest_delta(reference: Array, candidate: Array) -> float:
    """max |Δ| of two arrays of one shape. Raises `EngineError` for shapes that differ."""
    if reference.shape != candidate.shape:
        raise EngineError(f"the outputs have other shapes: {reference.shape} and {candidate.shape}")
    a, b = reference.astype(np.float64), candidate.astype(np.float64)
    alike = (a == b) | (np.isnan(a) & np.isnan(b))
    if alike.all():
        return 0.0
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    return float(np.max(np.abs(a[~alike] - b[~alike])))


def read_reference(outputs: Outputs, labels: Array | None, *, flips_limited: bool) -> Reference:
    """Choose the output that tells classes: probabilities, or with true labels or a limit on flips any of two columns.

    Raises `DataError` for labels that no output can have.
    """
    scores = _find_scores(outputs, certain=labels is not None or flips_limited)
    if labels is None:
        return Reference(outputs, scores, None)
    if scores is None:
        raise DataError("no output of the model tells classes, so labels judge nothing", "leave --labels out")
    return Reference(outputs, scores, encode_labels(labels, spread_scores(outputs[scores]).shape[1]))


def _find_scores(outputs: Outputs, *, certain: bool) -> str | None:
    tables = {name: array for name, array in outputs.items() if array.dtype.kind == "f" and array.ndim in (1, 2)}
    for name, array in tables.items():
        if _are_probabilities(array):
            return name
    wide = [name for name, array in tables.items() if array.ndim == 2 and array.shape[1] > 1]
    return wide[0] if wide and certain else None


def _are_probabilities(array: Array) -> bool:
    """Within 0 to 1, and rows of several that sum to one."""
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        return False
    several = array.ndim == 2 and array.shape[1] > 1
    return not several or bool(np.allclose(array.astype(np.float64).sum(axis=1), 1, atol=_SUM_TOLERANCE))
