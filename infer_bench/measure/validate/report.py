"""The report on a comparison: groups, worst rows and the verdict, from what was compared."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from infer_bench.data import Dataset
from infer_bench.errors import CannotRun, DataError, PredictionsDiffer
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.rounding import describe_rounding
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.summary.notices import notices_on
from infer_bench.measure.validate.summary.summarise import summarise
from infer_bench.measure.validate.summary.values import CandidateSummary, ComparisonSummary
from infer_bench.measure.validate.validation import Validation
from infer_bench.report.common import Environment, Json, Notice, Report, Verdict
from infer_bench.report.part import Part
from infer_bench.report.validate import (
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

MOST_ERRORS = 3
"""So many parts are named of those that could not be compared."""
PartMaker = Callable[[ComparisonSummary], Part]


def report_on(validation: Validation, *, complete: bool = True, part: PartMaker | None = None) -> ValidateReport:
    """The report, one result a candidate. One that is not `complete` has no verdict and waits for nothing.

    `part` makes of the summary what a merge needs, where only a part of the rows was compared.
    """
    dataset, limits = validation.dataset, validation.limits
    summary = summarise(validation)
    settings = {**asdict(validation.settings), "atol": limits.atol, "rtol": limits.rtol}
    del settings["requests"]  # of networks
    settings["data"] = dataset.path if dataset else None
    settings["data_sha256"] = _hash(dataset, complete) if dataset and part is None else None
    is_gone = dataset is not None and complete and part is None and not settings["data_sha256"]
    report = build_report(summary, settings, describe(PACKAGES), validation.rows_per_s, complete=complete)
    notices = (*report.notices, *([_data_gone(dataset)] if dataset and is_gone else []))
    own_part = part(summary) if part is not None and complete else None
    return replace(report, notices=notices, part=own_part)


def build_report(
    summary: ComparisonSummary,
    settings: Json,
    environment: Environment,
    rows_per_s: float | None,
    *,
    complete: bool = True,
) -> ValidateReport:
    """The report that says what a summary does."""
    results = (*(_result(summary, candidate, rows_per_s) for candidate in summary.candidates), *summary.unopened)
    return Report(
        command="validate",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=settings,
        environment=environment,
        results=results,
        notices=tuple(notices_on(summary)),
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


def verdict(
    results: Sequence[ValidateResult], describe_failing: Callable[[ValidateResult], str] | None = None
) -> Verdict:
    """Different when any candidate is, else failed when any could not be compared.

    `describe_failing` says what differs; by default how many rows do.
    """
    describe_failing = describe_failing or _failing_rows
    differing = tuple(f"{r.candidate.title}: {describe_failing(r)}" for r in results if r.different)
    errors = tuple(f"{r.candidate.title}: {r.failed}" for r in results if r.failed)
    if differing:
        return Verdict("different", PredictionsDiffer.exit_code, (*differing, *errors))
    return Verdict("failed", CannotRun.exit_code, errors) if errors else Verdict("pass", 0)


def _failing_rows(result: ValidateResult) -> str:
    failing = sum(group.failing for group in result.groups)
    rows = sum(group.rows for group in result.groups)
    return f"{failing:,} of {rows:,} rows differ"


def _result(summary: ComparisonSummary, candidate: CandidateSummary, rows_per_s: float | None) -> ValidateResult:
    limits, explanation = candidate.limits, candidate.explanation
    groups = tuple(group_result(group, candidate.outputs) for group in candidate.groups if group.comparison.rows)
    return ValidateResult(
        reference=candidate.reference,
        candidate=candidate.candidate,
        smallest_passing_atol=_passing_atol(groups),
        atol=limits.atol,
        rtol=limits.rtol,
        output_meaning=candidate.output_meaning,
        groups=groups,
        causes=explanation.causes,
        not_explained=explanation.not_explained,
        why=explanation.why,
        worst=_worst_rows(candidate.groups, candidate.outputs, limits),
        different=any(group.failing for group in groups) or (summary.settings.strict and _rounds_more(candidate)),
        rows_per_s=rows_per_s,
        failed=_failure(candidate, groups),
        by_rounding=limits.by_rounding and any(_is_by_rounding(group) for group in candidate.groups),
    )


def _is_by_rounding(group: GroupComparison) -> bool:
    """Whether the reference is a network that rounds itself, and by how much is known."""
    return bool(group.comparison.rounding.sizes) and not group.comparison.rounding.is_exact


def _rounds_more(candidate: CandidateSummary) -> bool:
    return any(group.limits.by_rounding and group.comparison.rounding.is_near for group in candidate.groups)


BLANK = "every prediction of both sides is NaN or infinite, so that no number could be compared"


def _failure(candidate: CandidateSummary, groups: Sequence[ValidateGroup]) -> str | None:
    """Why a candidate was not compared, or not to the end; None where it was."""
    if candidate.errors:
        more = len(candidate.errors) - MOST_ERRORS
        sentences = [text for _, text in candidate.errors[:MOST_ERRORS]]
        return "; ".join([*sentences, *([f"and {more:,} more"] if more > 0 else [])])
    if not groups or any(group.failing or group.rows > _uncompared(group) for group in groups):
        comparisons = [group.comparison for group in candidate.groups if group.comparison.pooled.rows]
        is_blank = all(part.pooled.is_blank and part.label_changes is None for part in comparisons)
        return BLANK if comparisons and is_blank else None
    note = next((f": {group.note}" for group in groups if group.note), "")
    return f"the reference refuses every row, so that nothing could be compared{note}"


def _uncompared(group: ValidateGroup) -> int:
    return group.refused_by_both + group.answered_though_refused


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
