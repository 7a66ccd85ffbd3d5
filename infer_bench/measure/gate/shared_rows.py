"""The rows that candidates and baselines answer: the same ones wherever they can, so that predictions compare."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from infer_bench.data import Table
from infer_bench.data.narrowing import hold, narrow
from infer_bench.errors import DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.column_mapping import (
    NO_ORDER,
    ColumnOrder,
    counterparts,
    note_mapping,
    note_missing,
)
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.candidates.request_file import RequestFile
from infer_bench.measure.candidates.rows import Rows, load_rows, read_rows_for, select_columns
from infer_bench.measure.candidates.unlike_requests import describe_unlike, suggest_shape
from infer_bench.measure.outputs.unlike_inputs import note_inputs
from infer_bench.measure.schedule.sequential import Pair
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.report.common import Notice
from infer_bench.typing import Array, Columns


@dataclass
class SharedRows:
    """`rows` of each model by its path, the `columns` of each candidate, and `notices` on them.

    `apart` are candidates that answer other rows than their baselines, so that predictions do not compare; `unfit`
    those whose model no candidate could open, and why.
    """

    rows: dict[str, Rows] = field(default_factory=dict)
    columns: dict[Key, Columns] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    apart: set[Key] = field(default_factory=set)
    unfit: dict[Key, InferBenchError] = field(default_factory=dict)


def share_rows(
    pairs: Sequence[Pair], data: RequestFile | None, settings: Settings, openings: EarlyOpenings | None = None
) -> SharedRows:
    """The rows of all who take part, whose models `openings` may keep open.

    Raises `DataError` for rows that cannot be read or do not fit a model.
    """
    shared = SharedRows()
    _load(_group_by_model(pairs), pairs, data, settings, shared, openings)
    if data is None:
        _hold_drawn(shared.rows)
    for pair in pairs:
        _hand_out(pair, shared, of_file=data is not None)
    if shared.apart:
        text = "models with different inputs were each given rows of their own: their answers are not compared"
        shared.notices.append(Notice("own-rows", text, "give rows with --data"))
    if any(not len(next(iter(columns.values()), ())) for columns in shared.columns.values()):
        raise DataError("there are no rows to answer", "give rows with --data")
    return shared


def _load(
    groups: Mapping[str, Sequence[Candidate]],
    pairs: Sequence[Pair],
    data: RequestFile | None,
    settings: Settings,
    shared: SharedRows,
    openings: EarlyOpenings | None,
) -> None:
    """The rows of each model; those of one that names no columns in the order of a model beside it that does."""
    failures: dict[str, DataError] = {}
    first_settings = settings if data is None or len(groups) == 1 else _without_shapes(settings)
    for path, group in groups.items():
        try:
            rows = load_rows(group, data, first_settings, NO_ORDER, openings)
            shared.rows[path] = _drop_repeated(rows, shared.rows.values())
        except UsageError:
            raise
        except DataError as error:
            failures[path] = error
        except InferBenchError as error:
            shared.unfit |= {candidate.key: error for candidate in group}
    if data is not None and len(groups) > 1:
        _read_alike(groups, data, settings, shared.rows)
    for path, group in groups.items():
        order = _order_beside(path, pairs, shared.rows)
        in_order = path in failures or (path in shared.rows and not shared.rows[path].spec.named)
        try:
            if in_order and order.names and data is not None:
                shared.rows[path] = load_rows(group, data, settings, order, openings)
            elif path in failures:
                shared.rows[path] = _rows_beside(path, group, pairs, shared.rows, failures[path])
        except DataError as error:
            whose = f" (for {group[0].model.name})" if len(groups) > 1 else ""
            raise DataError(f"{error.message}{whose}", error.hint) from None


def _without_shapes(settings: Settings) -> Settings:
    """Whose input a shape is, is known with all models."""
    return replace(settings, requests=replace(settings.requests, shapes={}))


def _read_alike(
    groups: Mapping[str, Sequence[Candidate]], data: RequestFile, settings: Settings, rows: dict[str, Rows]
) -> None:
    """Read the file again for networks that do not say how many axes a request has, or of which a shape was given."""
    specs = {path: own.spec for path, own in rows.items()}
    for path, spec in specs.items():
        if settings.requests.shapes or any(tensor.shape is None for tensor in spec.inputs):
            beside = [other for name, other in specs.items() if name != path]
            rows[path] = read_rows_for(groups[path], spec, data, settings, beside=beside)
    networks = [own for own in rows.values() if own.spec.inputs]
    for path, spec in specs.items():
        if networks and not spec.inputs and not spec.features:  # a function is handed what the network is
            rows[path] = replace(networks[0], spec=spec, notices=())


def _refuse_unlike(pair: Pair, rows: Mapping[str, Rows]) -> None:
    """Raise `DataError` where the file is requests of other sizes for one side than for the other."""
    if pair.baseline is None:
        return
    ours, theirs = pair.candidate.model, pair.baseline.model
    own, others = describe_unlike(rows[theirs.path], rows[ours.path])
    if own:
        hint = suggest_shape(rows[theirs.path].spec, rows[ours.path].spec, own, others)
        raise DataError(f"{ours.name} would answer {own} where {theirs.name} answers {others}", hint)


def _note_inputs(ours: Candidate, theirs: Candidate, shared: SharedRows, *, of_file: bool) -> Iterator[Notice]:
    """Where a candidate takes fewer columns of a file than its baseline, or other inputs of the same requests."""
    spec, reference = (shared.rows[candidate.model.path].spec for candidate in (ours, theirs))
    fed = shared.rows[theirs.model.path].columns
    if of_file:
        yield from note_missing(spec, reference, ours.model.name, theirs.model.name)
    if of_file or len(spec.inputs) == len(reference.inputs):
        yield from note_inputs(spec.inputs, reference.inputs, fed.keys(), ours.model.name)


def _drop_repeated(rows: Rows, others: Iterable[Rows]) -> Rows:
    """Requests that were drawn for another network as well are told of once."""
    entries = [replace(entry, model="") for entry in rows.inputs]
    if entries and any([replace(entry, model="") for entry in other.inputs] == entries for other in others):
        return replace(rows, inputs=(), notices=())
    return rows


def _rows_beside(
    path: str, group: Sequence[Candidate], pairs: Sequence[Pair], rows: Mapping[str, Rows], failure: DataError
) -> Rows:
    """A function, which says nothing of what it takes, is handed what was drawn for the model that it is compared with.

    Raises `failure` for another model, or where there is nothing drawn.
    """
    models = [{candidate.model.path for candidate in pair.candidates} for pair in pairs]
    drawn_rows = [rows[other] for paths in models if path in paths for other in sorted(paths - {path}) if other in rows]
    if (
        not drawn_rows
        or not drawn_rows[0].drawn_for
        or any(candidate.model.family != "callable" for candidate in group)
    ):
        raise failure
    return replace(drawn_rows[0], spec=ModelSpec("raw", (), ("output",)), inputs=(), notices=())


def _order_beside(path: str, pairs: Sequence[Pair], rows: Mapping[str, Rows]) -> ColumnOrder:
    """The columns of the first model that is compared with this one and names them."""
    for pair in pairs:
        models = {candidate.model.path: candidate.model for candidate in pair.candidates}
        for other in models.keys() - {path} if path in models else ():
            if other in rows and rows[other].spec.features and rows[other].spec.named:
                return ColumnOrder(models[other].name, rows[other].spec.feature_names)
    return NO_ORDER


def _hold_drawn(rows: dict[str, Rows]) -> None:
    """Of drawn rows make such as all models hold: whole numbers where one of them takes these."""
    for path, own in rows.items():
        pairs = [pair for other in rows.values() for pair in counterparts(other.spec, own.spec)]
        table = hold(Table(own.columns), narrow(own.spec, pairs))
        rows[path] = replace(own, columns=table.columns, records=table.columns)


def _group_by_model(pairs: Sequence[Pair]) -> Mapping[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for pair in pairs:
        for candidate in pair.candidates:
            groups.setdefault(candidate.model.path, []).append(candidate)
    return groups


def _hand_out(pair: Pair, shared: SharedRows, *, of_file: bool) -> None:
    ours, theirs = pair.candidate, pair.baseline
    has_rows = theirs is not None and theirs.key in shared.columns
    for candidate in pair.candidates:
        if candidate.key not in shared.columns and candidate.key not in shared.unfit:
            shared.columns[candidate.key] = select_columns(candidate, shared.rows[candidate.model.path])
    if theirs is None or shared.unfit.keys() & {ours.key, theirs.key}:
        return
    if of_file:
        _refuse_unlike(pair, shared.rows)
    shared.notices += _note_inputs(pair.candidate, theirs, shared, of_file=of_file)
    # Of several candidates the first gives its rows to the baseline, and the others take the baseline's.
    giver, taker = (theirs, ours) if has_rows else (ours, theirs)
    specs = [shared.rows[candidate.model.path].spec for candidate in (giver, taker)]
    columns = match_columns(shared.columns[giver.key], shared.columns[taker.key], specs, of_file=of_file)
    if columns is not None and all(spec.features for spec in specs):
        shared.notices += note_mapping(specs[1], specs[0], taker.model.name, giver.model.name)
    if columns is not None:
        shared.columns[taker.key] = columns
    elif not of_file:
        shared.apart.add(ours.key)


def match_columns(ours: Columns, theirs: Columns, specs: Sequence[ModelSpec] = (), *, of_file: bool) -> Columns | None:
    """Our rows for the other model, where it has the same columns or, without names, as many; None: its own.

    Of a file both have the same rows; which columns a model takes of it is its own affair. `specs` are ours and theirs.
    """
    if list(ours) == list(theirs):
        return ours if not of_file or all(_equal(ours[name], theirs[name]) for name in ours) else None
    if of_file:
        return None
    if set(ours) == set(theirs) and all(spec.named for spec in specs):
        return {name: ours[name] for name in theirs}
    return dict(zip(theirs, ours.values(), strict=True)) if len(ours) == len(theirs) else None


def _equal(one: Array, other: Array) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
