"""What is to be known of a comparison besides its figures."""

from collections.abc import Sequence
from pathlib import Path

from infer_bench.measure.candidates.column_mapping import note_mapping, note_match
from infer_bench.measure.candidates.remarks import notices_of
from infer_bench.measure.rounding import describe_rounding, worst_rounding
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.report.common import Notice
from infer_bench.stats.agreement.rounding import SAME


def notices_on(validation: Validation) -> list[Notice]:
    """What is to be known of how columns were matched and models were read."""
    notices, spec, rows = [], validation.spec, validation.user_rows
    in_order_of = ""
    if rows is not None and spec.features:
        columns = rows.match
        notices += note_match(columns, rows.dataset, "reference", rows.order)
        in_order_of = rows.order.model if columns.columns == rows.order.names else ""
        if columns.extra:
            notices.append(
                Notice("extra-columns", _extra_columns(columns.extra, Path(rows.dataset.path).name), level="note")
            )
    for candidate in validation.candidates:
        if candidate.predictor.name != in_order_of and not candidate.predictor.is_function:
            notices += note_mapping(candidate.predictor.spec, spec, candidate.predictor.name)
        notices += _note_refusals(candidate) + _note_labels(candidate)
    notices += _rounding_notices(validation)
    return [*notices, *notices_of((predictor.name, predictor.spec) for predictor in validation.predictors)]


def _note_refusals(candidate: CandidateState) -> list[Notice]:
    """That a candidate answers probes which the reference refuses."""
    counts = ", ".join(
        f"{group.comparison.candidate_alone:,} {group.group}"
        for group in candidate.groups.values()
        if group.comparison.candidate_alone and not group.limits.count_refusals
    )
    if not counts:
        return []
    name = candidate.predictor.name
    text = f"{name} answers probes that the reference refuses ({counts}): there is nothing to compare"
    return [Notice("answers-refused", text, "--strict counts them as different")]


def _note_labels(candidate: CandidateState) -> list[Notice]:
    """That labels alone were compared, and how many are other ones."""
    reading, comparisons = candidate.reading, [group.comparison for group in candidate.groups.values()]
    if reading is None or not comparisons:
        return []
    changes, rows = sum(part.label_changes or 0 for part in comparisons), sum(part.rows for part in comparisons)
    remarks = "".join(f"; {remark}" for remark in reading.remarks)
    text = f"{reading.reason}: only labels were compared, {changes:,} of {rows:,} disagree{remarks}"
    return [Notice("labels-only", text, reading.hint)]


def _rounding_notices(validation: Validation) -> list[Notice]:
    """A network that cannot be computed in float64, and candidates that round more than the reference."""
    notices = []
    if validation.float64_obstacle:
        text = f"what the reference rounds is not known ({validation.float64_obstacle}): the tolerance decides"
        notices.append(Notice("no-float64", text))
    for candidate in validation.candidates:
        groups = [group for group in candidate.groups.values() if group.limits.by_rounding]
        tallies = [group.comparison.rounding for group in groups]
        worst = worst_rounding(map(describe_rounding, tallies))
        name = candidate.predictor.name
        if worst is not None and any(tally.is_near for tally in tallies):
            ratio = f"{worst.ratio:.0f} × what float32 rounds"
            text = f"{name} rounds more than the reference: {ratio}, where up to {SAME:g} × is the same"
            hint = "--strict counts that as different, --atol decides by a tolerance of your own"
            notices.append(Notice("rounding", text, hint))
    return notices


def _extra_columns(columns: Sequence[str], name: str) -> str:
    names = ", ".join(repr(column) for column in columns[:3]) + (", …" if len(columns) > 3 else "")
    sentence = (
        "column {} is not the model's and was" if len(columns) == 1 else "columns {} are not the model's and were"
    )
    return f"{len(columns)} {sentence.format(f'of {name}')} not used: {names}"
