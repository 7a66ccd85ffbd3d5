"""Causes that a network's own file tells: operators that work as in training, weights in fewer bits."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from infer_bench.engines.training_mode import VARYING
from infer_bench.errors import ModelError
from infer_bench.formats import onnx_graph
from infer_bench.formats.graph_differences import OtherNode, find_other_nodes
from infer_bench.formats.onnx_weights import Weight, read_weights
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.own_answers import Ask, AskedSide, explain_by_own_answers
from infer_bench.measure.validate.causes.precision import (
    LEAST_SIZE,
    OtherWeight,
    describe_narrow_weights,
    describe_precision,
    describe_weights,
    other_weights,
    rounded_weights,
)
from infer_bench.measure.validate.fan_out import predict_aligned
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.measure.validate.validation import CandidateState, Validation

MOST_BYTES = 256 << 20
"""Of a file whose weights are compared though nothing differs: they are held in memory twice."""


def explain_by_itself(rows: DifferingRows, candidate: CandidateState, validation: Validation) -> Explanation | None:
    """That a network in training mode, or one that draws numbers, does not answer alike twice; else None."""
    if candidate.error is not None:
        return None
    for side in _sides_in_training(candidate, validation):
        if (explanation := explain_by_own_answers(rows, side)) is not None:
            return explanation
    return None


def _sides_in_training(candidate: CandidateState, validation: Validation) -> Iterator[AskedSide]:
    for predictor in (candidate.predictor, validation.reference):
        if not isinstance(predictor, Predictor):
            continue
        for remark in predictor.spec.remarks:
            if remark.code in VARYING:
                yield AskedSide(predictor.name, remark, _asking(predictor, validation))


def _asking(predictor: Predictor, validation: Validation) -> Ask:
    return lambda table: predict_aligned(predictor, table, validation.spec).values


def explain_by_weights(
    explanation: Explanation,
    rows: DifferingRows,
    candidate: Predictor,
    reference: Predictor | SavedPredictions,
) -> Explanation:
    """With what the weights tell, where one side has the other's in fewer bits, or other numbers under its names."""
    if not isinstance(reference, Predictor):
        return explanation
    ours, theirs = _read_weights(reference), _read_weights(candidate)
    causes = []
    for one, other, side in ((ours, theirs, candidate), (theirs, ours, reference)):
        if rounded := rounded_weights(one, other):
            causes.append(describe_precision(rows, rounded, _operators(side), side.name))
    if not ours and (narrow := describe_narrow_weights(rows, theirs, candidate.name)):
        causes.append(narrow)
    if unlike := other_weights(ours, theirs):
        causes.append(describe_weights(rows, unlike, candidate.name))
    return Explanation((*causes, *explanation.causes), 0, "") if causes else explanation


def find_unreached_weights(candidate: Predictor, reference: Predictor, *, are_equal: bool) -> list[OtherWeight]:
    """Tensors that are another model's, of two networks that answered alike: in some rows, in fewer bits, or unused.

    No conversion changes some rows of a tensor and leaves the others: rows of a table that no request has looked up
    may be another model's. One that scales a whole tensor rounds otherwise: where answers `are_equal` in every bit,
    none of them has read the tensor, which may be that of a branch. Files over `MOST_BYTES` are not looked into.
    """
    if any(side.candidate.artefact.bytes > MOST_BYTES for side in (reference, candidate)):
        return []
    unlike = other_weights(_read_weights(reference), _read_weights(candidate))
    return [weight for weight in unlike if are_equal or _is_unreached(weight)]


def _is_unreached(weight: OtherWeight) -> bool:
    """Whether a tensor may be another model's though answers round otherwise: few whole numbers may be a shape."""
    in_some_rows = weight.other_rows < weight.rows and (not weight.is_whole or weight.rows >= LEAST_SIZE)
    return in_some_rows or bool(weight.rounded_to)


def find_unreached_nodes(candidate: Predictor, reference: Predictor) -> list[OtherNode]:
    """Nodes that are another model's, of two networks whose answers are equal in every bit. See `find_other_nodes`."""
    if any(side.candidate.artefact.format != "onnx" for side in (candidate, reference)):
        return []
    paths = [Path(side.candidate.artefact.path) for side in (reference, candidate)]
    try:
        with onnx_graph.map_file(paths[0]) as ours, onnx_graph.map_file(paths[1]) as theirs:
            return find_other_nodes(ours, theirs)
    except (OSError, ModelError):
        return []


def _read_weights(predictor: Predictor) -> list[Weight]:
    """Those of an ONNX file; none where it is another format or cannot be read."""
    artefact = predictor.candidate.artefact
    if artefact.format != "onnx":
        return []
    try:
        path = Path(artefact.path)
        return read_weights(path.read_bytes(), path.parent)
    except (OSError, ModelError):
        return []


def _operators(predictor: Predictor) -> Counter[str]:
    return Counter(node.op for node in onnx_graph.all_nodes(Path(predictor.candidate.artefact.path).read_bytes()))
