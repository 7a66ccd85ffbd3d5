"""Why networks differ, as far as their files tell: weights in fewer bits, or other numbers under the same names."""

import numpy as np

from infer_bench.data import Table
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.network_causes import (
    explain_by_weights,
    find_unreached_nodes,
    find_unreached_weights,
)
from infer_bench.measure.validate.networks.validation import NetworkCandidate, NetworkValidation
from infer_bench.measure.validate.predictors import Predictor


def explain_candidates(validation: NetworkValidation) -> None:
    """Give every candidate that differs what the weights of both files tell, and others what no request reached."""
    reference = validation.reference
    for candidate in validation.candidates:
        if candidate.error is not None or not isinstance(reference, Predictor):
            continue
        rows = _differing_requests(candidate)
        candidate.unreached, candidate.other_nodes = (), ()
        if len(rows.numbers):
            candidate.explanation = explain_by_weights(Explanation(), rows, candidate.predictor, reference)
        else:
            are_equal = _are_equal(candidate)
            candidate.unreached = find_unreached_weights(candidate.predictor, reference, are_equal=are_equal)
            if are_equal:
                candidate.other_nodes = find_unreached_nodes(candidate.predictor, reference)


def _are_equal(candidate: NetworkCandidate) -> bool:
    """Whether no number of any answer is another than the reference's, in the last bit."""
    outputs = [output for group in candidate.groups.values() for output in group.comparison.outputs.values()]
    return all(output.tally.max_abs == 0 for output in outputs)


def _differing_requests(candidate: NetworkCandidate) -> DifferingRows:
    """The requests that differ, without their inputs and outputs."""
    pairs = [(group.name, number) for group in candidate.groups.values() for number in sorted(group.failing)]
    count = len(pairs)
    nothing, yes, no = np.zeros((count, 0)), np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    groups = np.array([name for name, _ in pairs], dtype=object)
    numbers = np.array([number for _, number in pairs], dtype=np.int64)
    return DifferingRows(groups, numbers, Table({}), nothing, nothing, yes, no, no, no, no)
