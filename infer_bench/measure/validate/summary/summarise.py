"""What a comparison under way comes to so far."""

from dataclasses import replace

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.remarks import notices_of
from infer_bench.measure.validate.compared_model import describe_side
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.label_reading import LabelReading
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.measure.validate.summary.notices import note_candidate_mapping, note_matching
from infer_bench.measure.validate.summary.values import CandidateSummary, ComparisonSummary, LabelSentences
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.model import ModelSpec
from infer_bench.report.common import ModelInfo
from infer_bench.report.validate import LABEL, ComparedModel, ValidateResult


def summarise(validation: Validation) -> ComparisonSummary:
    """The summary of what was compared."""
    unopened = (_unopened_result(validation, candidate, error) for candidate, error in validation.unopened)
    return ComparisonSummary(
        validation.settings,
        tuple(_summarise(validation, candidate) for candidate in validation.candidates),
        tuple(unopened),
        tuple(note_matching(validation)),
        notices_of((predictor.name, predictor.spec) for predictor in validation.predictors),
        validation.float64_obstacle,
    )


def _summarise(validation: Validation, candidate: CandidateState) -> CandidateSummary:
    part, spec = validation.settings.part, validation.specs_of(candidate)[0]
    errors = () if candidate.error is None else ((part.index if part else 0, str(candidate.error)),)
    return CandidateSummary(
        name=candidate.predictor.name,
        reference=_reference(validation),
        candidate=_compared_model(candidate.predictor),
        limits=validation.limits_for(candidate),
        output_meaning=LABEL if candidate.reading else _output_meaning(spec),
        outputs=_compared_outputs(validation, candidate),
        groups=tuple(_without_reading(group) for group in candidate.groups.values()),
        labels=None if candidate.reading is None else _sentences(candidate.reading),
        mapping=tuple(note_candidate_mapping(validation, candidate)),
        errors=errors,
        explanation=candidate.explanation,
    )


def _without_reading(group: GroupComparison) -> GroupComparison:
    return replace(group, reading=None, _waiting=[], _is_of_interest=True)


def _sentences(reading: LabelReading) -> LabelSentences:
    return LabelSentences(reading.reason, reading.remarks, reading.hint)


def _compared_outputs(validation: Validation, candidate: CandidateState) -> tuple[str, ...]:
    """The outputs' names, the reference's; of one beside two those of the one, as they are compared."""
    ours, theirs = validation.spec.outputs, candidate.predictor.spec.outputs
    return theirs if (len(ours), len(theirs)) == (2, 1) else ours


def _unopened_result(validation: Validation, candidate: Candidate, error: InferBenchError) -> ValidateResult:
    limits = validation.limits
    model = describe_side(candidate, None)
    return ValidateResult(_reference(validation), model, None, limits.atol, limits.rtol, failed=str(error))


def _reference(validation: Validation) -> ComparedModel:
    reference = validation.reference
    if isinstance(reference, SavedPredictions):
        info = ModelInfo(reference.name, "predictions", "saved", reference.sha256, reference.bytes)
        return ComparedModel("saved", info, "float64")
    return _compared_model(reference)


def _compared_model(predictor: Predictor) -> ComparedModel:
    return describe_side(predictor.candidate, predictor.spec, predictor.feed_dtype)


def _output_meaning(spec: ModelSpec) -> str:
    if spec.task == "binary":
        return f"probability of class {spec.classes[1]}" if len(spec.classes) == 2 else "probability"
    if spec.task == "multiclass":
        return f"probabilities of {len(spec.classes)} classes"
    return {"ranking": "score", "regression": "prediction"}.get(spec.task, "raw answer")
