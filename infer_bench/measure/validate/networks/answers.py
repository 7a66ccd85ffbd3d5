"""What a network in a worker gives for a block of requests, under the names by which outputs are compared."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.measure.outputs.group import named_predictions
from infer_bench.measure.outputs.names import columns_of, pair_names, rename_outputs
from infer_bench.measure.validate.networks.saved_outputs import SavedOutputs
from infer_bench.measure.validate.networks.validation import NetworkCandidate, NetworkValidation
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.report.common import Notice
from infer_bench.stats.agreement.tensors.named_predictions import NamedPredictions
from infer_bench.typing import Columns
from infer_bench.workers.tasks.network_outputs import OutputVariants, RequestOutputs


def compare_block(validation: NetworkValidation, group: str, table: Table, first: int) -> None:
    """Let all networks answer a block at once, and compare. Raises the reference's error; a candidate's costs it."""
    candidates = [candidate for candidate in validation.candidates if candidate.error is None]
    asks: list[Callable[[], RequestOutputs | InferBenchError]] = []
    reference = validation.reference
    if isinstance(reference, Predictor):
        asks.append(lambda: _ask(reference, table, validation))
    asks += [_asking(candidate.predictor, table, validation) for candidate in candidates]
    with ThreadPoolExecutor(max_workers=max(1, len(asks))) as pool:
        answers = list(pool.map(lambda ask: ask(), asks))
    ours = _reference_predictions(validation, answers, table, first)
    for candidate, answer in zip(candidates, answers[len(answers) - len(candidates) :], strict=True):
        if isinstance(answer, InferBenchError):
            candidate.error = answer
        else:
            _compare(validation, candidate, group, ours, answer, table)


def forgive_refusals(validation: NetworkValidation, candidate: NetworkCandidate, name: str) -> None:
    """Note that a candidate refuses requests of the group `name`, in place of counting them as different."""
    group = candidate.groups.get(name)
    count = 0 if group is None else len(group.comparison.reference_alone)
    if group is None or not count:
        return
    group.comparison = replace(group.comparison, reference_alone=frozenset())
    if not group.comparison.outputs:
        del candidate.groups[name]
    text = f"{candidate.predictor.name} refuses {count} {name} requests that the reference answers: {group.complaint}"
    validation.notices = [*validation.notices, Notice("refuses-others", text, "see that it is sent none of these")]


def _asking(
    predictor: Predictor, table: Table, validation: NetworkValidation
) -> Callable[[], RequestOutputs | InferBenchError]:
    return lambda: _ask(predictor, table, validation)


def _ask(predictor: Predictor, table: Table, validation: NetworkValidation) -> RequestOutputs | InferBenchError:
    try:
        columns = columns_of(table, predictor.spec.inputs, validation.inputs, predictor.name)
    except InferBenchError as error:
        return error
    try:
        answer = predictor.predict_outputs(columns)
        validation.answering.add(predictor.name)
    except EngineError as error:  # of every request: those of another block may be taken
        validation.refusals.setdefault(predictor.name, error)
        return RequestOutputs({}, np.ones(table.rows, dtype=np.bool_), error.message)
    except InferBenchError as error:
        return error
    return answer


def predict_outputs(validation: NetworkValidation, table: Table) -> Columns:
    """What the first model gives that takes the requests; nothing where none does."""
    for predictor in validation.predictors:
        answer = _ask(predictor, table, validation)
        if not isinstance(answer, InferBenchError) and answer.outputs:
            return answer.outputs
    return {}


def require_answers(validation: NetworkValidation) -> None:
    """Raises the reference's error where it has answered no request at all; that of a candidate costs it."""
    reference = validation.reference
    if isinstance(reference, Predictor) and reference.name not in validation.answering:
        raise validation.refusals[reference.name]
    for candidate in validation.candidates:
        if candidate.predictor.name in validation.refusals and candidate.predictor.name not in validation.answering:
            candidate.error = candidate.error or validation.refusals[candidate.predictor.name]
            candidate.groups.clear()


def _reference_predictions(
    validation: NetworkValidation, answers: list[RequestOutputs | InferBenchError], table: Table, first: int
) -> NamedPredictions:
    reference = validation.reference
    if isinstance(reference, SavedOutputs):
        return reference.predictions(first, table.rows)
    answer = answers[0]
    if isinstance(answer, InferBenchError):
        raise answer
    return named_predictions(answer, answer.outputs, _ask_variants(reference, table, validation))


def _compare(
    validation: NetworkValidation,
    candidate: NetworkCandidate,
    group: str,
    ours: NamedPredictions,
    answer: RequestOutputs,
    table: Table,
) -> None:
    """Add a candidate's answers; what it rounds itself is asked for where the reference's says nothing, or little."""
    names = candidate.names = candidate.names or pair_names(list(ours.outputs), list(answer.outputs))
    variants = None
    if ours.yardstick is None or ours.yardstick.is_coarse:
        variants = _ask_variants(candidate.predictor, table, validation)
    theirs = named_predictions(answer, rename_outputs(answer.outputs, names), variants, names)
    candidate.groups[group].add(ours, theirs)


def _ask_variants(predictor: Predictor, table: Table, validation: NetworkValidation) -> OutputVariants | None:
    """None where it is not known what the network rounds, of which the first reason is kept."""
    if not validation.limits.by_rounding:
        return None
    try:
        columns = columns_of(table, predictor.spec.inputs, validation.inputs, predictor.name)
        variants = predictor.predict_variants(columns)
        validation.coarse[predictor.name] = variants.is_coarse
        return variants
    except EngineError as error:
        validation.obstacles.setdefault(predictor.name, error.message)
        return None
