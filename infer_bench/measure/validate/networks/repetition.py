"""Networks that answer the same request otherwise each time: they cannot be told from another network."""

from collections.abc import Mapping

from infer_bench.engines.training_mode import VARYING
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.measure.outputs.group import NetworkGroup, named_predictions
from infer_bench.measure.outputs.names import columns_of, rename_outputs
from infer_bench.measure.validate.networks.validation import NetworkCandidate, NetworkValidation
from infer_bench.measure.validate.predictors import Predictor


def except_unrepeatable(validation: NetworkValidation) -> None:
    """Give candidates an error in place of a difference where one side differs from itself in the same outputs."""
    for candidate in validation.candidates:
        differing = _differing_outputs(validation, candidate)
        sides: list[tuple[Predictor, Mapping[str, str]]] = [(candidate.predictor, candidate.names)]
        if isinstance(validation.reference, Predictor):
            sides.insert(0, (validation.reference, {}))
        for predictor, names in sides:
            remark = next((r for r in predictor.spec.remarks if r.code in VARYING), None)
            if differing and remark and differing <= _varying_outputs(validation, predictor, names):
                text = (
                    f"{predictor.name} {remark.message}, so that {', '.join(sorted(differing)[:3])} cannot be compared"
                )
                candidate.error = EngineError(text, remark.hint)
                candidate.groups.clear()
                break


def _differing_outputs(validation: NetworkValidation, candidate: NetworkCandidate) -> set[str]:
    """The outputs that differ, none where that is not for their values alone."""
    groups = [group.comparison for group in candidate.groups.values()]
    if candidate.error is not None or any(group.missing or group.reference_alone for group in groups):
        return set()
    return {name for group in groups for name, output in group.outputs.items() if output.failing(validation.limits)}


def _varying_outputs(validation: NetworkValidation, predictor: Predictor, names: Mapping[str, str]) -> set[str]:
    """The outputs in which two answers to the same requests differ, under the names by which they are compared."""
    table = validation.requests[0].table
    group = NetworkGroup("again", validation.limits)
    try:
        columns = columns_of(table, predictor.spec.inputs, validation.inputs, predictor.name)
        answers = [predictor.predict_outputs(columns) for _ in range(2)]
    except InferBenchError:
        return set()
    group.add(*(named_predictions(answer, rename_outputs(answer.outputs, names)) for answer in answers))
    return {name for name, output in group.comparison.outputs.items() if output.failing(validation.limits)}
