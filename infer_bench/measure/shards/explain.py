"""Causes for what differs in parts that were added up: the models are opened once more, here."""

from dataclasses import replace

from infer_bench.errors import CannotRun, InferBenchError
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.find_causes import explain_candidates
from infer_bench.measure.validate.run import open_comparison
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.summary.part import ComparisonPlan
from infer_bench.measure.validate.summary.values import CandidateSummary, ComparisonSummary
from infer_bench.measure.validate.trees import Structures
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.progress import Progress


def explain_summary(
    summary: ComparisonSummary, plan: ComparisonPlan, settings: ValidateSettings, progress: Progress
) -> ComparisonSummary:
    """With an explanation of each candidate that differs. Where the models are not here, it says that and why."""
    if not any(candidate.differs for candidate in summary.candidates):
        return summary
    try:
        explanations = _explain(summary, plan, settings, progress)
    except InferBenchError as error:
        explanations = [_unexplained(candidate, error) for candidate in summary.candidates]
    pairs = zip(summary.candidates, explanations, strict=True)
    return replace(summary, candidates=tuple(replace(c, explanation=explanation) for c, explanation in pairs))


def _explain(
    summary: ComparisonSummary, plan: ComparisonPlan, settings: ValidateSettings, progress: Progress
) -> list[Explanation]:
    with open_comparison(plan.models, plan.data, plan.engines, settings, progress) as validation:
        if not isinstance(validation, Validation) or len(validation.candidates) != len(summary.candidates):
            raise CannotRun("not every model can be opened here")
        for state, candidate in zip(validation.candidates, summary.candidates, strict=True):
            _check_model(validation, state, candidate)
            _restore(state, candidate)
        progress.update(1, "looking for causes")
        explain_candidates(validation, Structures(settings))
        return [state.explanation for state in validation.candidates]


def _check_model(validation: Validation, state: CandidateState, candidate: CandidateSummary) -> None:
    reference = validation.reference
    ours = reference.sha256 if isinstance(reference, SavedPredictions) else reference.candidate.artefact.sha256
    pairs = ((ours, candidate.reference.model), (state.predictor.candidate.artefact.sha256, candidate.candidate.model))
    for sha256, model in pairs:
        if sha256 != model.sha256:
            raise CannotRun(f"{model.path} is another file here than where the parts were made")


def _restore(state: CandidateState, candidate: CandidateSummary) -> None:
    state.predictor.feed_dtype = candidate.candidate.fed
    state.groups = {group.group: group for group in candidate.groups}
    state.error = CannotRun(candidate.errors[0][1]) if candidate.errors else None


def _unexplained(candidate: CandidateSummary, error: InferBenchError) -> Explanation:
    if not candidate.differs:
        return Explanation()
    rows = sum(len(part.numbers) for group in candidate.groups for part in group.differing)
    return Explanation(not_explained=rows, why=f"not explained: {error}")
