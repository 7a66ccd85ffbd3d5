"""Probes put to the models of a comparison."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from infer_bench.data import Table, concat
from infer_bench.data.narrowing import hold, narrow
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.measure.candidates.column_mapping import columns_for, counterparts, share_names
from infer_bench.measure.validate.fan_out import FanOut
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.predictors import Predictor, align_classes, describe_feeds
from infer_bench.measure.validate.probes.known_texts import with_known_texts
from infer_bench.measure.validate.probes.rows import Probe, as_float32, probes
from infer_bench.measure.validate.trees import Structure
from infer_bench.measure.validate.user_rows import RowBatch, batch_rows, round_table
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.typing import Array

USUAL_GROUPS = 8
"""So many kinds of probes a model of trees has: what the progress is a share of."""


def compare_on_probes(
    validation: Validation, fan_out: FanOut, rows: Table | None, structure: Structure | None, progress: Progress
) -> None:
    """Compare on every group of probes; `rows` are rows of the user's to start from, `structure` the trees to visit."""
    reference = validation.reference
    assert isinstance(reference, Predictor)
    groups = _probes(validation, reference, rows, structure)
    reference.forget_block()
    for i, probe in enumerate(groups):
        progress.update(min(1, i / USUAL_GROUPS), f"probes: {probe.name}")
        _compare(validation, reference, fan_out, probe)


def _probes(
    validation: Validation, reference: Predictor, rows: Table | None, structure: Structure | None
) -> Iterator[Probe]:
    """Each is made when the one before has been compared: of a model with thousands of columns, each takes 30 MB."""
    spec, seed = _shared_spec(validation, rows), validation.settings.seed
    thresholds = _thresholds(reference, validation.candidates)
    if not reference.feed_dtype:
        ordinary = next(probes(spec, thresholds, float32=False, seed=seed)).table
        describe_feeds(validation.predictors, ordinary, validation.spec)
    float32 = _needs_float32(validation)
    training_rows = _training_rows(validation.predictors, reference.spec)
    groups = probes(spec, thresholds, float32=float32, seed=seed, rows=rows, training_rows=training_rows)
    groups = _add_tree_visits(groups, structure, spec, float32) if structure else groups
    return leave_out_infinities(groups) if _needs_json(validation) else groups


def _needs_json(validation: Validation) -> bool:
    """Whether a side is a service, whose requests have no way to write an infinity."""
    return any(predictor.feed_dtype == "JSON" for predictor in validation.predictors)


def leave_out_infinities(groups: Iterable[Probe]) -> Iterator[Probe]:
    """The probes without the rows that hold one, and those of them that have rows left."""
    finite = (replace(probe, table=_take_finite(probe.table)) for probe in groups)
    return (probe for probe in finite if probe.table.rows)


def _take_finite(table: Table) -> Table:
    is_finite = np.ones(table.rows, dtype=np.bool_)
    for column in table.columns.values():
        if column.dtype.kind == "f":
            is_finite &= ~np.isinf(column)
    return table.take(np.flatnonzero(is_finite))


def _shared_spec(validation: Validation, rows: Table | None) -> ModelSpec:
    """The reference's, with features whose values every candidate holds too, and texts that one of the sides knows."""
    spec = validation.spec
    specs = [candidate.predictor.spec for candidate in validation.candidates]
    pairs = [pair for other in specs for pair in counterparts(other, spec)]
    return with_known_texts(narrow(spec, pairs), pairs, rows)


def _thresholds(reference: Predictor, candidates: Sequence[CandidateState]) -> dict[str, list[float]]:
    """Per feature of the reference the values at which some model's prediction may change."""
    thresholds = {name: set(values) for name, values in reference.thresholds().items()}
    for candidate in candidates:
        for name, values in _thresholds_of_candidate(candidate.predictor, reference.spec).items():
            thresholds.setdefault(name, set()).update(values)
    return {name: sorted(values) for name, values in thresholds.items()}


def _thresholds_of_candidate(predictor: Predictor, reference: ModelSpec) -> Mapping[str, tuple[float, ...]]:
    """A candidate's thresholds under the reference's names; none where it cannot tell them."""
    try:
        thresholds = predictor.thresholds()
    except InferBenchError:
        return {}
    ours, theirs = reference.feature_names, predictor.spec.feature_names
    if share_names(predictor.spec, reference):
        return {name: values for name, values in thresholds.items() if name in ours}
    if len(ours) != len(theirs):
        return {}
    names = dict(zip(theirs, ours, strict=True))
    return {names[name]: values for name, values in thresholds.items() if name in names}


def _training_rows(predictors: Sequence[Predictor], reference: ModelSpec) -> Array | None:
    """The training rows that the reference has stored, or a candidate that takes its columns in the same order."""
    for predictor in predictors:
        in_order = predictor.spec.feature_names == reference.feature_names
        if in_order or not share_names(predictor.spec, reference):
            rows = predictor.training_rows()
            if rows is not None:
                return rows
    return None


def _needs_float32(validation: Validation) -> bool:
    """Whether some model can only take what float32 holds, and the user did not ask for more."""
    if validation.settings.input_dtype is not None:
        return validation.settings.input_dtype == "float32"
    dtypes = {feature.dtype for predictor in validation.predictors for feature in predictor.spec.features}
    return "float32" in dtypes or any("float32" in predictor.feed_dtype for predictor in validation.predictors)


def _compare(validation: Validation, reference: Predictor, fan_out: FanOut, probe: Probe) -> None:
    table = round_table(probe.table, validation.settings.input_dtype)
    for candidate in validation.candidates:
        limits = replace(validation.limits_for(candidate), count_refusals=validation.settings.strict)
        candidate.groups[probe.name] = GroupComparison(probe.name, limits, candidate.reading)
    if not probe.singly and not probe.shuffled:
        size = batch_rows(len(table.columns))
        for first in range(0, table.rows, size):
            fan_out.finish(fan_out.start(RowBatch(table.slice(first, first + size), first)), probe.name)
        return
    ours = reference.predict(dict(table.columns))
    for candidate in validation.candidates:
        if candidate.error is None:
            _compare_otherwise(candidate, probe, table, ours, validation.spec)


def _compare_otherwise(
    candidate: CandidateState, probe: Probe, table: Table, ours: Predictions, spec: ModelSpec
) -> None:
    """With the candidate's predictions one row at a time, or with its columns in another order."""
    predictor = candidate.predictor
    columns = columns_for(table, predictor.spec, spec, predictor.name)
    if probe.shuffled:
        columns = dict(reversed(columns.items()))
    try:
        theirs = predictor.predict_singly(columns) if probe.singly else predictor.predict(columns)
        candidate.groups[probe.name].add(ours, align_classes(theirs, predictor.spec, spec), 0, table.take)
    except EngineError as error:
        candidate.error = error


def _add_tree_visits(groups: Iterable[Probe], structure: Structure, spec: ModelSpec, float32: bool) -> Iterator[Probe]:
    """Probes with the rows that visit the trees added to the groups of their kind, or as groups of their own.

    These come before the requests of another form.
    """
    names = list(structure.groups)
    for probe in groups:
        if probe.singly or probe.shuffled:
            yield from (Probe(name, _visits(structure, name, spec, float32)) for name in names)
            names = []
        if probe.name in names:
            names.remove(probe.name)
            visits = _like(_visits(structure, probe.name, spec, float32), probe.table)
            probe = replace(probe, table=concat([probe.table, visits]))
        yield probe


def _visits(structure: Structure, name: str, spec: ModelSpec, float32: bool) -> Table:
    """The rows of a kind that visit the trees, as the models can be fed them."""
    table = structure.groups[name]
    table = hold(as_float32(table) if float32 else table, spec)
    return table if name == "infinite" else _within_float32(table)


def _within_float32(table: Table) -> Table:
    """Without the rows that become infinite in float32: some libraries refuse those whatever the model is."""
    limit = float(np.finfo(np.float32).max)
    fits = np.ones(table.rows, dtype=np.bool_)
    for column in table.columns.values():
        if column.dtype.kind == "f":
            fits &= ~(np.abs(column) > limit)
    return table.take(np.flatnonzero(fits))


def _like(table: Table, other: Table) -> Table:
    """Columns that stand as text in one table and as numbers in the other, as objects in both."""
    columns = {}
    for name, column in table.columns.items():
        text = other.columns[name].dtype == object and column.dtype != object
        columns[name] = column.astype(object) if text else column
    return Table(columns)
