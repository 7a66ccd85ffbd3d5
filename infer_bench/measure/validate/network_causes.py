"""Causes that the operators of a network tell: those that work as in training."""

from collections.abc import Iterator

from infer_bench.engines.training_mode import RANDOM, TRAINING
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.own_answers import Ask, AskedSide, explain_by_own_answers
from infer_bench.measure.validate.fan_out import predict_aligned
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.validation import CandidateState, Validation


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
            if remark.code in (TRAINING, RANDOM):
                yield AskedSide(predictor.name, remark, _asking(predictor, validation))


def _asking(predictor: Predictor, validation: Validation) -> Ask:
    return lambda table: predict_aligned(predictor, table, validation.spec).values
