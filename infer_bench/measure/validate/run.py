"""`validate`: does it still predict the same, and if not, why."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from infer_bench.data import Dataset, Table
from infer_bench.errors import DataError, UsageError
from infer_bench.measure.candidates.rows import refuse_shapes_of_rows
from infer_bench.measure.validate import find_causes
from infer_bench.measure.validate.fan_out import FanOut, stream
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.networks.opening import is_saved_outputs, network_inputs, open_validation
from infer_bench.measure.validate.networks.rows_or_tensors import RowsOrTensors
from infer_bench.measure.validate.networks.run import compare_networks
from infer_bench.measure.validate.networks.validation import NetworkValidation
from infer_bench.measure.validate.opening import (
    Opening,
    build_candidates,
    open_predictors,
    plan_predictors,
    read_as_rows,
    read_same_output,
)
from infer_bench.measure.validate.other_outputs import compare_other_outputs, name_other_outputs
from infer_bench.measure.validate.partial_reports import PartialReports
from infer_bench.measure.validate.predictors import Predictor, describe_feeds
from infer_bench.measure.validate.probes.run import compare_on_probes
from infer_bench.measure.validate.report import report_on
from infer_bench.measure.validate.saved_predictions import SavedPredictions, is_predictions
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.summary.part import ComparisonPlan, files_of, make_part
from infer_bench.measure.validate.trees import Structure, Structures, rename_columns
from infer_bench.measure.validate.user_rows import UserRows
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.progress import Progress, Silent
from infer_bench.report.validate import ValidateReport

__all__ = ["run", "validate"]

Save = Callable[[ValidateReport], None]


def validate(
    reference: str,
    *candidates: str,
    data: str | None = None,
    engines: Sequence[str] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> ValidateReport:
    """Compare what artefacts predict on the user's rows and on probes made to find differences.

    `reference` and `candidates` are model files, `package.module:function`, or (the reference) saved predictions: an
    npy file or `rows.parquet:column`. `engines` are candidates as in `onnxruntime:feed=dataframe`: one for all, one for
    each, or several for the reference alone. The other keywords are the fields of `ValidateSettings`: `atol=1e-6`.

    The report's verdict is `pass`, `different` (exit code 4) or `failed` (6). Raises `UsageError` for settings that
    make no sense and `CannotRun` when the reference, every candidate or the data cannot be used.
    """
    own = ValidateSettings(**settings)
    return run((reference, *candidates), data=data, engines=engines, settings=own, progress=progress)


def run(
    models: Sequence[str],
    *,
    data: str | None,
    engines: Sequence[str],
    settings: ValidateSettings,
    progress: Progress | None = None,
    save: Save | None = None,
) -> ValidateReport:
    """As `validate`, with the settings made and the reference first among `models`.

    `save` gets what is known so far, every few seconds, and when the comparison is interrupted or fails.
    """
    progress = progress or Silent()
    with open_comparison(models, data, engines, settings, progress) as validation:
        if isinstance(validation, NetworkValidation):
            return compare_networks(validation, progress, save)
        if data is None or settings.part is None:
            report = _compare_all(validation, progress, save)
            return compare_other_outputs(validation, report, lambda other: _compare_all(other, progress, None))
        return _compare_all(validation, progress, save, ComparisonPlan(tuple(models), tuple(engines), data))


@contextlib.contextmanager
def open_comparison(
    models: Sequence[str], data: str | None, engines: Sequence[str], settings: ValidateSettings, progress: Progress
) -> Iterator[Validation | NetworkValidation]:
    """The comparison of these models, opened in workers that end with the context. Raises what `validate` raises."""
    progress.update(0, "reading the models")
    saved = models[0] if is_predictions(models[0]) or is_saved_outputs(models[0]) else None
    plans = plan_predictors(models if saved is None else models[1:], engines, settings, 2 if saved is None else 1)
    rows = RowsOrTensors.open(saved, data)
    rows.check(settings)  # what needs no worker comes before the first is started
    candidates = build_candidates(plans, settings)
    with open_predictors(candidates, settings) as openings:
        read_as_rows([opening.predictor for opening in openings if opening.predictor])
        if network_inputs(openings):
            if settings.part is not None:
                raise UsageError("networks that take tensors are compared in one run", "leave out --shard")
            yield open_validation(saved, openings, rows.file, settings)
            return
        if not any(opening.predictor for opening in openings):
            openings[0].require()  # whether the file holds rows or tensors is asked once a model says what it takes
        for opening in openings:
            if opening.predictor is not None:
                refuse_shapes_of_rows(opening.predictor.spec, settings.requests)
        predictions, dataset = rows.require(settings)
        if predictions is None and openings[0].predictor is not None:
            read_same_output(openings[0].predictor, [o.predictor for o in openings[1:] if o.predictor])
        validation = _validation(predictions, openings, dataset, settings)
        validation.other_outputs = () if predictions else name_other_outputs(openings)
        _name_columns_for_functions(validation)
        if dataset is None and not validation.spec.features:
            raise DataError("there is nothing to draw rows from", "give rows with --data")
        if isinstance(validation.reference, Predictor):
            validation.float64_obstacle = validation.reference.measure_rounding()
        yield validation


def _validation(
    predictions: SavedPredictions | None,
    openings: Sequence[Opening],
    dataset: Dataset | None,
    settings: ValidateSettings,
) -> Validation:
    """Who is compared. Raises what kept the reference, or every candidate, from being opened."""
    others = openings if predictions else openings[1:]
    own = openings[0].require() if predictions is None else None
    candidates = [CandidateState(opening.predictor) for opening in others if opening.predictor]
    unopened = [(opening.candidate, opening.error) for opening in others if opening.error]
    if not candidates:
        others[0].require()
    spec = own.spec if own else candidates[0].predictor.spec
    reference = predictions or openings[0].require()
    for candidate in candidates:
        candidate.choose_reading(reference, settings)
    return Validation(reference, spec, candidates, unopened, dataset, settings)


def _name_columns_for_functions(validation: Validation) -> None:
    """Let functions have the rows under the file's names where the reference has only places for its columns."""
    rows, spec = validation.user_rows, validation.spec
    if rows is None or spec.named or not rows.dataset.named:
        return
    names = rows.match.columns
    features = tuple(replace(f, name=name, invented=False) for f, name in zip(spec.features, names, strict=True))
    for candidate in validation.candidates:
        if not candidate.predictor.spec.features:
            candidate.predictor.spec = replace(candidate.predictor.spec, features=features)


def _compare_all(
    validation: Validation, progress: Progress, save: Save | None, plan: ComparisonPlan | None = None
) -> ValidateReport:
    """The whole comparison, or the part of the `plan`; one that is interrupted or fails saves what is known."""
    start = time.monotonic_ns()

    def save_partial() -> None:
        if save is not None:
            save(report_on(validation, complete=False))

    fan_out = FanOut(validation.reference, validation.spec, validation.candidates)
    try:
        _compare(validation, fan_out, PartialReports(progress, save_partial) if save else progress)
    except BaseException:
        save_partial()
        raise
    finally:
        fan_out.close()
    rows, number = validation.user_rows, validation.settings.part
    if rows is None or number is None or plan is None:
        return report_on(validation)
    elapsed_ns = time.monotonic_ns() - start
    return report_on(validation, part=lambda summary: make_part(summary, rows, number, plan, elapsed_ns))


def _compare(validation: Validation, fan_out: FanOut, progress: Progress) -> None:
    """On the user's rows and on the probes; then look for causes, unless others' parts are to be added."""
    settings, structures = validation.settings, Structures(validation.settings)
    sample = _compare_on_user_rows(validation, fan_out, progress)
    with_probes = settings.probes != "off" and settings.has_first_part
    if with_probes and isinstance(validation.reference, Predictor) and validation.spec.features:
        progress.update(0, "reading the trees")
        compare_on_probes(validation, fan_out, sample, _trees_to_visit(validation, structures), progress)
    if settings.part is not None:
        find_causes.leave_to_merge(validation)
        return
    progress.update(1, "looking for causes")
    find_causes.explain_candidates(validation, structures)


def _compare_on_user_rows(validation: Validation, fan_out: FanOut, progress: Progress) -> Table | None:
    """Unless only probes are compared. Returns the first rows; None without any."""
    rows = validation.user_rows
    if rows is None:
        return None
    if validation.settings.part is not None:
        rows.dataset.digest.start(files_of(rows.blocks))
    batch = next(rows.batches(), None)
    sample = batch.table if batch is not None else None
    if sample is not None:
        describe_feeds(validation.predictors, sample, validation.spec)
    if validation.settings.probes != "only":
        _calibrate(validation, rows)
        for candidate in validation.candidates:
            candidate.groups["data"] = GroupComparison("data", validation.limits_for(candidate), candidate.reading)
        rows_per_s = stream(fan_out, rows.batches(), rows.count, "data", progress)
        validation.rows_per_s = rows_per_s if rows.count else None
    return sample


def _calibrate(validation: Validation, rows: UserRows) -> None:
    """Where blocks can go to other parts, begin each with what the reference rounds on the first rows of all."""
    reference = validation.reference
    if not isinstance(reference, Predictor) or not reference.measures_rounding:
        return
    if len(rows.all_blocks) > 1 and rows.count:
        reference.calibrate_rounding(rows.first_batch().table.columns)


def _trees_to_visit(validation: Validation, structures: Structures) -> Structure | None:
    """The trees that probes visit: the reference's, or the first candidate's that can be read."""
    for predictor in validation.predictors:
        structure = structures.of(predictor)
        if structure is not None and predictor is not validation.reference:
            structure = rename_columns(structure, predictor.spec, validation.spec)
        if structure is not None:
            return structure
    return None
