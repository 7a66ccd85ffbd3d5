"""The report on a comparison of networks: a group of requests, its outputs, and the verdict."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.outputs.figures import report_outputs, worst_requests
from infer_bench.measure.outputs.group import NetworkGroup
from infer_bench.measure.validate.compared_model import describe_side
from infer_bench.measure.validate.networks.notices import notices_on
from infer_bench.measure.validate.networks.saved_outputs import SavedOutputs
from infer_bench.measure.validate.networks.validation import NetworkCandidate, NetworkValidation
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.report import BLANK, verdict
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.report.common import ModelInfo, Report
from infer_bench.report.validate import ComparedModel, ValidateGroup, ValidateReport, ValidateResult
from infer_bench.stats.agreement.tensors.output_comparison import OutputComparison
from infer_bench.version import __version__

MEANING = "outputs of a network"
EMPTY = "every output of both sides is empty, so that nothing could be compared"


def report_on(validation: NetworkValidation, *, complete: bool = True) -> ValidateReport:
    """The report, one result a candidate. One that is not `complete` has no verdict."""
    limits = validation.limits
    results = (
        *(_result(validation, candidate) for candidate in validation.candidates),
        *(_unopened_result(validation, candidate, str(error)) for candidate, error in validation.unopened),
    )
    settings = {**_settings(validation.settings), "atol": limits.atol, "rtol": limits.rtol}
    return Report(
        command="validate",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={**settings, **validation.data_settings},
        environment=describe(PACKAGES),
        results=results,
        notices=tuple(notices_on(validation)),
        verdict=verdict(results, _failing_requests) if complete else None,
        complete=complete,
        inputs=tuple(validation.drawn_inputs),
    )


def _settings(settings: ValidateSettings) -> dict[str, Any]:
    """Without the wishes for what is drawn: what came of them stands in `inputs`."""
    return {name: value for name, value in asdict(settings).items() if name != "requests"}


def _failing_requests(result: ValidateResult) -> str:
    failing, count = (sum(getattr(group, name) for group in result.groups) for name in ("failing", "rows"))
    names = [o.output for group in result.groups for o in group.outputs if o.failing]
    where = f" in {', '.join(dict.fromkeys(names))}" if 0 < len(set(names)) <= 3 else ""
    near = "" if failing else " by less than another model would (--strict)"
    return f"{failing:,} of {count:,} requests differ{where}{near}"


def _result(validation: NetworkValidation, candidate: NetworkCandidate) -> ValidateResult:
    limits, explanation = validation.limits, candidate.explanation
    groups = tuple(_group(group) for group in candidate.groups.values() if group.comparison.requests)
    outputs = [output for group in candidate.groups.values() for output in group.comparison.outputs.values()]
    is_near = any(output.is_near(limits) for output in outputs)
    near = validation.settings.strict and (is_near or bool(candidate.unreached or candidate.other_nodes))
    return ValidateResult(
        reference=_reference(validation),
        candidate=_compared_model(candidate.predictor),
        smallest_passing_atol=_passing_atol(groups),
        atol=limits.atol,
        rtol=limits.rtol,
        output_meaning=MEANING,
        groups=groups,
        causes=explanation.causes,
        not_explained=explanation.not_explained,
        why=explanation.why,
        worst=worst_requests(candidate.groups.values(), limits),
        different=near or any(group.failing for group in groups),
        rows_per_s=validation.requests_per_s,
        failed=_failure(candidate, outputs),
        by_rounding=limits.by_rounding and any(output.method for output in outputs),
    )


def _failure(candidate: NetworkCandidate, outputs: Sequence[OutputComparison]) -> str | None:
    """Why a candidate was not compared, or not to the end; None where it was."""
    if candidate.error is not None:
        return str(candidate.error)
    if outputs and all(output.is_empty for output in outputs):
        return EMPTY
    is_blank = [output.tally.is_blank for output in outputs if output.tally.rows]
    has_text = any(not output.tally.rows and output.requests for output in outputs)
    return BLANK if is_blank and all(is_blank) and not has_text else None


def _group(group: NetworkGroup) -> ValidateGroup:
    comparison = group.comparison
    outputs = report_outputs(group)
    roundings = [output.tensor.rounding for output in outputs if output.tensor and output.tensor.rounding]
    labels = [output.tensor.label_changes for output in outputs if output.tensor]
    changes = [count for count in labels if count is not None]
    atols = [output.tally.passing_atol for output in comparison.outputs.values()]
    alone = len(comparison.reference_alone) + len(comparison.candidate_alone)
    mismatched = sum(output.non_finite_mismatches for output in outputs)
    cannot_pass = (
        alone or mismatched or comparison.missing or any(o.unlike or o.unequal for o in comparison.outputs.values())
    )
    return ValidateGroup(
        name=group.name,
        rows=comparison.requests,
        max_abs_delta=max((output.max_abs_delta for output in outputs), default=0.0),
        max_relative_delta=max((output.max_relative_delta for output in outputs), default=0.0),
        label_changes=sum(changes) if changes else None,
        flips=0,
        non_finite_mismatches=mismatched,
        failing=len(group.failing),
        refusals=alone,
        refused_by_both=comparison.refused_by_both,
        passing_atol=None if cannot_pass else max(atols, default=0.0),
        passing_rtol=None,
        outputs=outputs,
        note=group.complaint,
        rounding=max(roundings, key=lambda rounding: rounding.ratio, default=None),
        missing_outputs=comparison.missing,
        extra_outputs=comparison.extra,
    )


def _passing_atol(groups: Sequence[ValidateGroup]) -> float | None:
    atols = [group.passing_atol for group in groups if group.passing_atol is not None]
    return max(atols) if atols and len(atols) == len(groups) else None


def _unopened_result(validation: NetworkValidation, candidate: Candidate, error: str) -> ValidateResult:
    model = describe_side(candidate, None)
    return ValidateResult(
        _reference(validation), model, None, validation.limits.atol, validation.limits.rtol, failed=error
    )


def _reference(validation: NetworkValidation) -> ComparedModel:
    reference = validation.reference
    if isinstance(reference, SavedOutputs):
        return ComparedModel("saved", ModelInfo(reference.name, "predictions", "saved", "", 0))
    return _compared_model(reference)


def _compared_model(predictor: Predictor) -> ComparedModel:
    return describe_side(predictor.candidate, predictor.spec)
