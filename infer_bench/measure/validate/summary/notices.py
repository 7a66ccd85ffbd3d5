"""What is to be known of a comparison besides its figures."""

from collections.abc import Sequence
from pathlib import Path

from infer_bench.measure.candidates.column_mapping import note_mapping, note_match
from infer_bench.measure.rounding import describe_rounding, worst_rounding
from infer_bench.measure.validate.summary.values import CandidateSummary, ComparisonSummary
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.report.common import Notice
from infer_bench.stats.agreement.rounding import SAME


def note_matching(validation: Validation) -> list[Notice]:
    """What is to be known of how the file's columns were matched."""
    notices, spec, rows = [], validation.spec, validation.user_rows
    if rows is not None and spec.features:
        columns = rows.match
        notices += note_match(columns, rows.dataset, "reference", rows.order)
        if columns.extra:
            text = _extra_columns(columns.extra, Path(rows.dataset.path).name)
            notices.append(Notice("extra-columns", text, level="note"))
    return notices


def note_candidate_mapping(validation: Validation, candidate: CandidateState) -> list[Notice]:
    """How the columns of one candidate were matched with the reference's."""
    spec, rows, predictor = validation.spec, validation.user_rows, candidate.predictor
    in_order_of = ""
    if rows is not None and spec.features:
        in_order_of = rows.order.model if rows.match.columns == rows.order.names else ""
    if predictor.name == in_order_of or predictor.is_function:
        return []
    return note_mapping(predictor.spec, spec, predictor.name)


def notices_on(summary: ComparisonSummary) -> list[Notice]:
    """What is to be known of how columns were matched and models were read, and of what came of it."""
    notices = [*summary.matching]
    for candidate in summary.candidates:
        notices += [*candidate.mapping, *_note_refusals(candidate), *_note_labels(candidate)]
    return [*notices, *_rounding_notices(summary), *summary.remarks]


def _note_refusals(candidate: CandidateSummary) -> list[Notice]:
    """That a candidate answers probes which the reference refuses."""
    counts = ", ".join(
        f"{group.comparison.candidate_alone:,} {group.group}"
        for group in candidate.groups
        if group.comparison.candidate_alone and not group.limits.count_refusals
    )
    if not counts:
        return []
    text = f"{candidate.name} answers probes that the reference refuses ({counts}): there is nothing to compare"
    return [Notice("answers-refused", text, "--strict counts them as different")]


def _note_labels(candidate: CandidateSummary) -> list[Notice]:
    """That labels alone were compared, and how many are other ones."""
    labels, comparisons = candidate.labels, [group.comparison for group in candidate.groups]
    if labels is None or not comparisons:
        return []
    changes, rows = sum(part.label_changes or 0 for part in comparisons), sum(part.rows for part in comparisons)
    remarks = "".join(f"; {remark}" for remark in labels.remarks)
    text = f"{labels.reason}: only labels were compared, {changes:,} of {rows:,} disagree{remarks}"
    return [Notice("labels-only", text, labels.hint)]


def _rounding_notices(summary: ComparisonSummary) -> list[Notice]:
    """A network that cannot be computed in float64, and candidates that round more than the reference."""
    notices = []
    if summary.float64_obstacle:
        text = f"what the reference rounds is not known ({summary.float64_obstacle}): the tolerance decides"
        notices.append(Notice("no-float64", text))
    for candidate in summary.candidates:
        tallies = [group.comparison.rounding for group in candidate.groups if group.limits.by_rounding]
        worst = worst_rounding(map(describe_rounding, tallies))
        if worst is not None and any(tally.is_near for tally in tallies):
            ratio = f"{worst.ratio:.0f} × what float32 rounds"
            text = f"{candidate.name} rounds more than the reference: {ratio}, where up to {SAME:g} × is the same"
            hint = "--strict counts that as different, --atol decides by a tolerance of your own"
            notices.append(Notice("rounding", text, hint))
    return notices


def _extra_columns(columns: Sequence[str], name: str) -> str:
    names = ", ".join(repr(column) for column in columns[:3]) + (", …" if len(columns) > 3 else "")
    sentence = (
        "column {} is not the model's and was" if len(columns) == 1 else "columns {} are not the model's and were"
    )
    return f"{len(columns)} {sentence.format(f'of {name}')} not used: {names}"
