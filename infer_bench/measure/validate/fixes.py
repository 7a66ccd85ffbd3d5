"""What mends a cause, as a command to type or a thing to do."""

from dataclasses import replace
from pathlib import Path

from infer_bench.measure.validate.causes import counterfactual as twist
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.fan_out import Saved
from infer_bench.measure.validate.predictors import Side
from infer_bench.report.validate import Cause

_CONVERTIBLE = frozenset({"lightgbm", "xgboost", "sklearn"})
_CONVERSION = frozenset(
    {
        twist.THRESHOLD_CAST,
        twist.COMPARISON,
        twist.MISSING,
        twist.CATEGORY,
        twist.BASE_SCORE,
        twist.LINK,
        twist.LINEAR,
        twist.AVERAGE,
        twist.LABELS,
        twist.CLASSES,
    }
)


def with_fixes(found: Explanation, reference: Side | Saved, candidate: Side) -> Explanation:
    """The explanation with what mends each cause, where that is known."""
    names = {cause.name for cause in found.causes}
    return replace(found, causes=tuple(_fixed(cause, names, reference, candidate) for cause in found.causes))


def _fixed(cause: Cause, names: set[str], reference: Side | Saved, candidate: Side) -> Cause:
    command = _command(reference, candidate)
    if cause.name == twist.INPUT_CAST:
        return replace(cause, fix=f"{command} --input-dtype float64" if command else "feed the candidate float64")
    if cause.name in _CONVERSION and command:
        wide = " --input-dtype float64" if twist.INPUT_CAST in names else ""
        return replace(cause, fix=command + wide)
    if cause.name == twist.COLUMNS:
        return replace(cause, fix="give the candidate its columns in the order of training")
    if cause.name == twist.TRUNCATED and command:
        return replace(cause, fix=f"{command} --trees all, or compare with the iterations that you mean")
    return cause


def _command(reference: Side | Saved, candidate: Side) -> str:
    """The conversion that writes the candidate anew; empty where there is none."""
    artefact = candidate.entrant.artefact
    if isinstance(reference, Saved) or artefact.format != "onnx":
        return ""
    model = reference.entrant.artefact
    if model.family not in _CONVERTIBLE:
        return ""
    return f"infer-bench convert {Path(model.path).name} -o {artefact.name}"
