"""What mends a cause, as a command to type or a thing to do."""

from dataclasses import replace
from pathlib import Path

from infer_bench.libraries import converted_families
from infer_bench.measure.validate.causes import counterfactual as change
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.report.validate import Cause

_CONVERSION = frozenset(
    {
        change.PREPARED,
        change.THRESHOLD_CAST,
        change.COMPARISON,
        change.MISSING,
        change.UNSTORED,
        change.CATEGORY,
        change.BASE_SCORE,
        change.LINK,
        change.LINEAR,
        change.AVERAGE,
        change.LABELS,
        change.CLASSES,
        change.ROUNDING,
    }
)


def with_fixes(explanation: Explanation, reference: Predictor | SavedPredictions, candidate: Predictor) -> Explanation:
    """The explanation with what mends each cause, where that is known."""
    names = {cause.name for cause in explanation.causes}
    return replace(
        explanation, causes=tuple(_with_fix(cause, names, reference, candidate) for cause in explanation.causes)
    )


def _with_fix(cause: Cause, names: set[str], reference: Predictor | SavedPredictions, candidate: Predictor) -> Cause:
    command = _command(reference, candidate)
    if cause.name == change.INPUT_CAST:
        return replace(cause, fix=f"{command} --input-dtype float64" if command else "feed the candidate float64")
    if cause.name in _CONVERSION and command:
        wide = " --input-dtype float64" if change.INPUT_CAST in names else ""
        return replace(cause, fix=command + wide)
    if cause.name == change.COLUMNS:
        return replace(cause, fix="give the candidate its columns in the order of training")
    if cause.name == change.TRUNCATED and command:
        return replace(cause, fix=f"{command} --trees all, or compare with the iterations that you mean")
    if cause.name == change.EARLY_STOPPING:
        again = f"{command}, or " if command else ""
        return replace(
            cause, fix=f"{again}compare with the iterations that you mean, by the option trees=best or trees=all"
        )
    return cause


def _command(reference: Predictor | SavedPredictions, candidate: Predictor) -> str:
    """The conversion that writes the candidate anew; empty where there is none."""
    artefact = candidate.candidate.artefact
    if isinstance(reference, SavedPredictions) or artefact.format != "onnx":
        return ""
    model = reference.candidate.artefact
    if model.family not in converted_families():
        return ""
    return f"infer-bench convert {Path(model.path).name} -o {artefact.name}"
