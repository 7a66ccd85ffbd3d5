"""The report on a comparison: groups, worst rows and the verdict, from what was compared."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infer_bench.data import Dataset
from infer_bench.errors import DataError, InferBenchError, PredictionsDiffer
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.bench.report import CANNOT_RUN
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.models import describe_model
from infer_bench.measure.rounding import describe_rounding
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.notices import notices_on
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.model import ModelSpec
from infer_bench.report.common import ModelInfo, Notice, Report, Verdict
from infer_bench.report.validate import (
    LABEL,
    ComparedModel,
    OutputDelta,
    ValidateGroup,
    ValidateReport,
    ValidateResult,
    WorstRow,
)
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.tally import Tally
from infer_bench.stats.agreement.worst_rows import NO_OUTPUT
from infer_bench.version import __version__


def report_on(validation: Validation, *, complete: bool = True) -> ValidateReport:
    """The report, one result a candidate. One that is not `complete` has no verdict and waits for nothing."""
    dataset, limits = validation.dataset, validation.limits
    results = (
        *(_result(validation, candidate) for candidate in validation.candidates),
        *(_unopened_result(validation, candidate, error) for candidate, error in validation.unopened),
    )
    settings = {**asdict(validation.settings), "atol": limits.atol, "rtol": limits.rtol}
    settings["data"] = dataset.path if dataset else None
    settings["data_sha256"] = _hash(dataset, complete) if dataset else None
    data_notices = [_data_gone(dataset)] if dataset and complete and not settings["data_sha256"] else []
    return Report(
        command="validate",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=settings,
        environment=describe(PACKAGES),
        results=results,
        notices=(*notices_on(validation), *data_notices),
        verdict=verdict(results) if complete else None,
        complete=complete,
    )


def _hash(dataset: Dataset, complete: bool) -> str | None:
    """The file's hash; None where it is not yet known, or where the file went away after its rows were read."""
    if not complete:
        return dataset.digest.known or None
    try:
        return dataset.sha256
    except DataError:
        return None


def _data_gone(dataset: Dataset) -> Notice:
    name = Path(dataset.path).name
    text = f"{name} can no longer be read: the report does not say by a hash which rows these were"
    return Notice("data-gone", text, level="note")


def verdict(results: Sequence[ValidateResult]) -> Verdict:
    """Different when any candidate is, else failed when any could not be compared."""
    differing = tuple(f"{_name(r.candidate)}: {_failing_rows(r)}" for r in results if r.different)
    errors = tuple(f"{_name(r.candidate)}: {r.failed}" for r in results if r.failed)
    if differing:
        return Verdict("different", PredictionsDiffer.exit_code, (*differing, *errors))
    return Verdict("failed", CANNOT_RUN, errors) if errors else Verdict("pass", 0)


def _failing_rows(result: ValidateResult) -> str:
    failing = sum(group.failing for group in result.groups)
    rows = sum(group.rows for group in result.groups)
    return f"{failing:,} of {rows:,} rows differ"


def _name(model: ComparedModel) -> str:
    return model.model.path.replace("\\", "/").rsplit("/", 1)[-1]


def _result(validation: Validation, candidate: CandidateState) -> ValidateResult:
    outputs, limits = _compared_outputs(validation, candidate), validation.limits_for(candidate)
    explanation = candidate.explanation
    groups = tuple(group_result(group, outputs) for group in candidate.groups.values() if group.comparison.rows)
    return ValidateResult(
        reference=_reference(validation),
        candidate=_compared_model(candidate.predictor),
        smallest_passing_atol=_passing_atol(groups),
        atol=limits.atol,
        rtol=limits.rtol,
        output_meaning=LABEL if candidate.reading else _output_meaning(validation.specs_of(candidate)[0]),
        groups=groups,
        causes=explanation.causes,
        not_explained=explanation.not_explained,
        why=explanation.why,
        worst=_worst_rows(candidate.groups.values(), outputs, limits),
        different=any(group.failing for group in groups) or (validation.settings.strict and _rounds_more(candidate)),
        rows_per_s=validation.rows_per_s,
        failed=_failure(candidate, groups),
        by_rounding=limits.by_rounding and any(_is_by_rounding(group) for group in candidate.groups.values()),
    )


def _is_by_rounding(group: GroupComparison) -> bool:
    """Whether the reference is a network that rounds itself, and by how much is known."""
    return bool(group.comparison.rounding.sizes) and not group.comparison.rounding.is_exact


def _rounds_more(candidate: CandidateState) -> bool:
    return any(group.limits.by_rounding and group.comparison.rounding.is_near for group in candidate.groups.values())


def _compared_outputs(validation: Validation, candidate: CandidateState) -> tuple[str, ...]:
    """The outputs' names, the reference's; of one beside two those of the one, as they are compared."""
    ours, theirs = validation.spec.outputs, candidate.predictor.spec.outputs
    return theirs if (len(ours), len(theirs)) == (2, 1) else ours


def _failure(candidate: CandidateState, groups: Sequence[ValidateGroup]) -> str | None:
    """Why a candidate was not compared, or not to the end; None where it was."""
    if candidate.error is not None:
        return str(candidate.error)
    if not groups or any(group.failing or group.rows > _uncompared(group) for group in groups):
        return None
    note = next((f": {group.note}" for group in groups if group.note), "")
    return f"the reference refuses every row, so that nothing could be compared{note}"


def _uncompared(group: ValidateGroup) -> int:
    return group.refused_by_both + group.answered_though_refused


def _unopened_result(validation: Validation, candidate: Candidate, error: InferBenchError) -> ValidateResult:
    limits = validation.limits
    model = ComparedModel(candidate.label, describe_model(candidate.artefact, None))
    return ValidateResult(_reference(validation), model, None, limits.atol, limits.rtol, failed=str(error))


def _reference(validation: Validation) -> ComparedModel:
    reference = validation.reference
    if isinstance(reference, SavedPredictions):
        return ComparedModel("saved", ModelInfo(reference.name, "predictions", "saved", "", 0), "float64")
    return _compared_model(reference)


def _compared_model(predictor: Predictor) -> ComparedModel:
    candidate = predictor.candidate
    return ComparedModel(candidate.label, describe_model(candidate.artefact, predictor.spec), predictor.feed_dtype)


def _output_meaning(spec: ModelSpec) -> str:
    if spec.task == "binary":
        return f"probability of class {spec.classes[1]}" if len(spec.classes) == 2 else "probability"
    if spec.task == "multiclass":
        return f"probabilities of {len(spec.classes)} classes"
    return {"ranking": "score", "regression": "prediction"}.get(spec.task, "raw answer")


def group_result(group: GroupComparison, outputs: Sequence[str]) -> ValidateGroup:
    """One group's figures."""
    comparison, pooled = group.comparison, group.comparison.pooled
    correlation = comparison.sample.rank_correlation() if len(comparison.outputs) == 1 else None
    answered = 0 if group.limits.count_refusals else comparison.candidate_alone
    return ValidateGroup(
        name=group.group,
        rows=comparison.rows,
        **_figures(pooled),
        label_changes=comparison.label_changes,
        flips=comparison.flips,
        non_finite_mismatches=comparison.non_finite_mismatches,
        argmax_changes=comparison.argmax_changes,
        rank_correlation=correlation,
        failing=comparison.failing,
        refusals=comparison.refusals,
        refused_by_both=comparison.rows - comparison.common - comparison.refusals - answered,
        answered_though_refused=answered,
        passing_atol=comparison.passing_atol,
        passing_rtol=comparison.passing_rtol,
        histogram={"exact" if d is None else str(d): n for d, n in pooled.spread.decades()},
        outputs=tuple(_output(_output_name(outputs, i), tally) for i, tally in enumerate(comparison.outputs)),
        note=group.complaint,
        rounding=describe_rounding(comparison.rounding) if _is_by_rounding(group) or group.is_beyond else None,
    )


def _figures(tally: Tally) -> dict[str, Any]:
    """How far predictions lie apart, over one output or all of them."""
    return {
        "max_abs_delta": tally.max_abs,
        "mean_abs_delta": tally.mean_abs,
        "p999_abs_delta": tally.quantile(0.999),
        "max_relative_delta": tally.max_relative,
        "max_ulps_float32": tally.max_ulps32,
        "max_ulps_float64": tally.max_ulps64,
        "rmse": tally.rmse,
    }


def _output_name(outputs: Sequence[str], index: int) -> str:
    """A user's function tells none of its values' names, nor how many there are."""
    if index == NO_OUTPUT:
        return ""
    return outputs[index] if index < len(outputs) else f"output {index}"


def _output(name: str, tally: Tally) -> OutputDelta:
    return OutputDelta(
        output=name,
        **_figures(tally),
        failing=tally.failing,
        flips=tally.flips,
        non_finite_mismatches=tally.non_finite_mismatches,
    )


def _passing_atol(groups: Sequence[ValidateGroup]) -> float | None:
    """The smallest that lets every group pass; None when none does, or without groups."""
    atols = [group.passing_atol for group in groups if group.passing_atol is not None]
    return max(atols) if atols and len(atols) == len(groups) else None


def _worst_rows(groups: Iterable[GroupComparison], outputs: Sequence[str], limits: Limits) -> tuple[WorstRow, ...]:
    lines: list[WorstRow] = []
    for group in groups:
        for row, output, size, ours, theirs in group.comparison.worst.lines:
            name = _output_name(outputs, output)
            features = group.features[row].record(0) if row in group.features else {}
            lines.append(WorstRow(group.group, row, name, _number(ours), _number(theirs), size, features=features))
    lines.sort(key=lambda line: (-line.abs_delta, line.group != "data", line.group, line.row))
    return tuple(lines[: limits.worst])


def _number(prediction: float) -> float | None:
    return None if prediction != prediction else prediction
