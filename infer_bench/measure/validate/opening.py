"""Which models are compared, and how they are opened."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from infer_bench.errors import CannotRun, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import (
    Candidate,
    PlannedCandidate,
    plan_candidates,
    usual_candidate,
)
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.convert.cache import cached_onnx
from infer_bench.measure.validate.fan_out import AHEAD
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.workers.shared import shared_tables


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """A candidate with its predictor, or with the error that kept it from being opened."""

    candidate: Candidate
    predictor: Predictor | None
    error: InferBenchError | None

    def require(self) -> Predictor:
        """The predictor. Raises the error."""
        if self.predictor is None:
            raise self.error or CannotRun(f"{self.candidate.label} cannot be opened")
        return self.predictor


def plan_predictors(
    models: Sequence[str], engines: Sequence[str], settings: ValidateSettings, least: int
) -> list[PlannedCandidate]:
    """A candidate for each model, the reference first; at least `least` of them.

    One engine opens every model; as many as models, each its own; several with one model, that model several times.
    Raises `UsageError` for any other number.
    """
    pairs = _pairs(list(models), list(engines))
    if len(pairs) < least:
        raise UsageError("a candidate is missing", "infer-bench validate REFERENCE CANDIDATE, or two engines with -e")
    return [_plan(model, engine, settings) for model, engine in pairs]


def build_candidates(plans: Sequence[PlannedCandidate], settings: ValidateSettings) -> list[Candidate]:
    """The candidates with their artefacts, some of which are conversions that are made now."""
    return [plan.build(lambda model: cached_onnx(model, settings.allow_pickle)) for plan in plans]


def _pairs(models: list[str], engines: list[str]) -> list[tuple[str, str | None]]:
    """Every model with its engine; None for the usual one."""
    if not engines:
        return [(model, None) for model in models]
    if len(models) == 1:
        return [(models[0], engine) for engine in engines]
    if len(engines) == 1:
        return [(model, engines[0]) for model in models]
    if len(engines) != len(models):
        raise UsageError(f"{len(engines)} engines for {len(models)} models", "give one for all, one for each, or none")
    return list(zip(models, engines, strict=True))


def _plan(model: str, engine: str | None, settings: ValidateSettings) -> PlannedCandidate:
    ref = identify_model(model, allow_pickle=settings.allow_pickle)
    (plan,) = plan_candidates([ref], [engine or usual_candidate(ref)], settings.threads)
    return plan


@contextlib.contextmanager
def open_predictors(candidates: Sequence[Candidate], settings: ValidateSettings) -> Iterator[list[Opening]]:
    """A worker for each candidate, all started at the same time and ended with the context."""
    predictors: list[Predictor] = []
    shared = shared_tables(AHEAD)
    try:
        predictors += [Predictor(candidate, settings, shared) for candidate in candidates]
        pool = ThreadPoolExecutor(max_workers=len(candidates))
        try:
            errors = list(pool.map(_open, predictors))
        finally:
            pool.shutdown(wait=False)  # each thread ends with its worker, also where that is broken off
        pairs = zip(predictors, errors, strict=True)
        yield [Opening(predictor.candidate, None if error else predictor, error) for predictor, error in pairs]
    finally:
        for predictor in predictors:
            predictor.close()
        for table in shared:
            table.close()


def _open(predictor: Predictor) -> InferBenchError | None:
    try:
        predictor.open()
    except InferBenchError as error:
        return error
    return None


def read_same_output(reference: Predictor, others: Sequence[Predictor]) -> None:
    """Read the same output of all where files have several, whose order need not be the same.

    Of a candidate the one that is called as the reference's; of the reference the one of its only candidate. What the
    user has chosen stays.
    """
    for predictor in others:
        _read_output(predictor, reference.spec.output_name)
    if len(others) == 1:
        _read_output(reference, others[0].spec.output_name)


def _read_output(predictor: Predictor, name: str) -> None:
    if name in predictor.spec.unread_outputs and not predictor.candidate.options.get("output"):
        predictor.read_output(name)


def read_as_rows(predictors: Sequence[Predictor]) -> None:
    """Open TorchScript modules of one input as models of rows where others take rows: they keep no sizes to tell by.

    One that does not answer rows of so many columns stays a network.
    """
    columns = {len(predictor.spec.features) for predictor in predictors if predictor.spec.features}
    if len(columns) != 1:
        return
    for predictor in predictors:
        if predictor.candidate.artefact.format == "torchscript" and len(predictor.spec.inputs) == 1:
            with contextlib.suppress(InferBenchError):
                predictor.reopen("columns", str(*columns))
