"""Before the port opens: does the model answer as its fallback does?"""

from collections.abc import Sequence
from dataclasses import dataclass

from infer_bench import data
from infer_bench.errors import EngineError, PredictionsDiffer
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.column_mapping import columns_for
from infer_bench.measure.validate.group_comparison import unlike_widths
from infer_bench.measure.validate.networks.opening import network_inputs, open_validation
from infer_bench.measure.validate.networks.run import compare_networks
from infer_bench.measure.validate.networks.validation import NetworkValidation
from infer_bench.measure.validate.opening import open_predictors
from infer_bench.measure.validate.predictors import Predictor, align_classes
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.progress import Silent
from infer_bench.stats.agreement.comparison import Comparison, compare
from infer_bench.stats.agreement.limits import Limits

ROWS = 1_000


@dataclass(frozen=True, slots=True)
class PairComparison:
    """What was found: `sentence` for a reader, or the `error` that keeps the model from being opened."""

    sentence: str
    error: str = ""


def compare_pair(
    model: Candidate, fallback: Candidate, *, max_delta: float | None, threads: int, allow_pickle: bool
) -> PairComparison:
    """Compare on rows or requests drawn from the fallback, each in a process of its own.

    `max_delta` is the largest |Δ| that passes; None: what passes in `validate`. Raises `PredictionsDiffer`, and what
    keeps the fallback from being opened.
    """
    settings = ValidateSettings(atol=max_delta, threads=threads, allow_pickle=allow_pickle)
    with open_predictors([fallback, model], settings) as openings:
        reference = openings[0].require()
        if openings[1].error is not None:
            return PairComparison("", str(openings[1].error))
        if network_inputs(openings):
            return _compare_networks(open_validation(None, openings, None, settings))
        return _compare(reference, openings[1].require(), settings)


def _compare_networks(validation: NetworkValidation) -> PairComparison:
    """On requests that are drawn for the fallback. Raises `EngineError` for a model that does not take them."""
    report = compare_networks(validation, Silent(), None)
    (result,) = report.results
    model, fallback = validation.candidates[0].predictor.name, validation.predictors[0].name
    if result.different:
        sentence = "; ".join(report.verdict.reasons if report.verdict else ())
        raise PredictionsDiffer(
            f"{model} and its fallback {fallback} differ: {sentence}",
            f"infer-bench validate {fallback} {model} says why",
        )
    if result.failed:
        raise EngineError(f"{model} does not take what its fallback {fallback} takes: {result.failed}")
    requests = sum(group.rows for group in result.groups)
    return PairComparison(f"{model} and {fallback} agree on {requests:,} drawn requests")


def _compare(reference: Predictor, candidate: Predictor, settings: ValidateSettings) -> PairComparison:
    source = reference if reference.spec.features else candidate
    if not source.spec.features:
        return PairComparison("the two were not compared: neither says its columns, so no rows can be drawn")
    table = data.draw(source.spec, source.thresholds(), ROWS, settings.seed)
    ours, theirs = (
        predictor.predict(columns_for(table, predictor.spec, source.spec, predictor.name))
        for predictor in (reference, candidate)
    )
    limits = settings.limits(reference.spec.task)
    comparison = compare(ours, align_classes(theirs, candidate.spec, reference.spec), limits)
    if unlike := unlike_widths(comparison):
        raise PredictionsDiffer(f"{candidate.name} does not answer as its fallback {reference.name} does: {unlike}")
    if not comparison.common:
        raise EngineError(f"no drawn row is predicted by both: {theirs.complaint or ours.complaint}")
    if comparison.failing:
        raise _difference(comparison, reference, candidate, limits)
    return PairComparison(f"{candidate.name} and {reference.name} agree on {comparison.rows:,} drawn rows")


def _difference(
    comparison: Comparison, reference: Predictor, candidate: Predictor, limits: Limits
) -> PredictionsDiffer:
    counts: Sequence[tuple[int, str]] = (
        (comparison.label_changes or 0, "labels change"),
        (comparison.non_finite_mismatches, "are finite on one side only"),
        (comparison.reference_alone, f"are refused by {candidate.name}"),
    )
    details = [
        f"max |Δ| {comparison.max_abs:.1e}, limit {limits.atol:.1e}",
        *(f"{n:,} {what}" for n, what in counts if n),
    ]
    message = (
        f"{candidate.name} and its fallback {reference.name} differ on {comparison.failing:,} of "
        f"{comparison.rows:,} drawn rows: {', '.join(details)}"
    )
    return PredictionsDiffer(message, f"infer-bench validate {reference.name} {candidate.name} says why")
