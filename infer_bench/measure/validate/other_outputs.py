"""Tables of several outputs: what is not read first is compared after it, output by output."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from infer_bench.errors import InferBenchError
from infer_bench.measure.validate.opening import Opening
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.report import verdict
from infer_bench.measure.validate.settings import PROBABILITIES
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.model import UNREAD
from infer_bench.report.common import Notice
from infer_bench.report.validate import ValidateReport


def name_other_outputs(openings: Sequence[Opening]) -> tuple[str, ...]:
    """The outputs of the reference, the first, that are not read and that some other has; none where the user chose."""
    predictors = [opening.predictor for opening in openings if opening.predictor]
    if any(opening.candidate.options.get("output") for opening in openings) or openings[0].predictor is None:
        return ()
    theirs = {name for predictor in predictors[1:] for name in predictor.spec.unread_outputs}
    return tuple(name for name in predictors[0].spec.unread_outputs if name in theirs)


def compare_other_outputs(
    validation: Validation, first: ValidateReport, compare: Callable[[Validation], ValidateReport]
) -> ValidateReport:
    """The report with a result for each candidate and each of its other outputs, and with the verdict on all.

    An output that the reference gives no numbers of, one a row, stays unread, as its notice says.
    """
    reports, names = [first], list(validation.other_outputs)
    for other in _read_others(validation):
        report = compare(other)
        if all(result.groups or result.failed for result in report.results):
            reports.append(report)
            names.remove(other.spec.output_name)
    return first if len(reports) == 1 else _merge(reports, unread=bool(names))


def _read_others(validation: Validation) -> Iterator[Validation]:
    """The comparison of each further output, with the workers of the first."""
    reference, outputs = validation.reference, {name: _sharing(validation, name) for name in validation.other_outputs}
    if not isinstance(reference, Predictor):
        return  # saved predictions are of one output
    for name, predictors in outputs.items():
        try:
            for predictor in (reference, *predictors):
                predictor.read_output(name)
        except InferBenchError:
            continue
        if reference.spec.task in PROBABILITIES:
            continue  # beside labels numbers of any scale are taken for probabilities
        candidates = [CandidateState(predictor) for predictor in predictors]
        yield _start(replace(validation, spec=reference.spec, candidates=candidates, unopened=[]), reference)


def _sharing(validation: Validation, name: str) -> list[Predictor]:
    """The predictors of candidates that have an output."""
    return [c.predictor for c in validation.candidates if name in c.predictor.spec.unread_outputs and not c.error]


def _start(validation: Validation, reference: Predictor) -> Validation:
    validation.float64_obstacle = reference.measure_rounding()
    for candidate in validation.candidates:
        candidate.choose_reading(reference, validation.settings)
    return validation


def _merge(reports: Sequence[ValidateReport], *, unread: bool) -> ValidateReport:
    results = tuple(result for report in reports for result in report.results)
    notices = dict.fromkeys(notice for report in reports for notice in report.notices if _stays(notice, unread))
    return replace(reports[0], results=results, notices=tuple(notices), verdict=verdict(results))


def _stays(notice: Notice, unread: bool) -> bool:
    return unread or notice.code != UNREAD
