"""The reference's columns as another model names and takes them, and what is to be said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench.data import ColumnMatch, Dataset, Table, conform
from infer_bench.data.conform import first_misplaced
from infer_bench.errors import DataError
from infer_bench.model import Feature, ModelSpec
from infer_bench.report.common import Notice
from infer_bench.typing import Array

BY_POSITION = "by-position"
FEWER_COLUMNS = "fewer-columns"
_MOST_NAMES = 5
_ORDER_HINT = "see that they stand in the order of training"


@dataclass(frozen=True, slots=True)
class ColumnOrder:
    """The names that the model `model` gives to its columns, in its order; none where nothing is known of an order."""

    model: str = ""
    names: tuple[str, ...] = ()


NO_ORDER = ColumnOrder()


def columns_for(table: Table, spec: ModelSpec, reference: ModelSpec, name: str) -> dict[str, Array]:
    """The columns of `table` (the reference's features, in its order) for the model `name`, described by `spec`.

    Where either of the two names no columns, or names others, they are taken in order; a text category becomes its code
    where the model takes numbers, since that is what an exported file was trained on. Raises `DataError` when they do
    not fit.
    """
    if not spec.features or spec == reference:
        return dict(table.columns)
    if not reference.features:  # a function of the user's, which is handed every column
        return dict(conform(table, spec).columns)
    columns = table.columns
    if not share_names(spec, reference):
        if len(spec.features) != len(reference.features):
            raise DataError(f"{name} takes {len(spec.features)} columns, the reference {len(reference.features)}")
        columns = dict(zip(spec.feature_names, columns.values(), strict=True))
    sources = _sources(spec, reference)
    codes = {f.name: _encode(columns[f.name], sources[f.name], f) for f in spec.features}
    return dict(conform(Table(codes), spec).columns)


def share_names(spec: ModelSpec, reference: ModelSpec) -> bool:
    """Whether a model's columns are found among the reference's by name: both have names, and these do not repeat."""
    names = spec.feature_names
    are_named = spec.named and reference.named and set(names) <= set(reference.feature_names)
    return are_named and len(set(names)) == len(names)


def counterparts(spec: ModelSpec, reference: ModelSpec) -> list[tuple[str, Feature]]:
    """The reference's columns, each with the feature of a model that it feeds; empty where they do not fit."""
    if not share_names(spec, reference) and len(spec.features) != len(reference.features):
        return []
    sources = _sources(spec, reference)
    return [(sources[feature.name].name, feature) for feature in spec.features]


def _sources(spec: ModelSpec, reference: ModelSpec) -> dict[str, Feature]:
    """The reference's feature behind each of a model's."""
    if share_names(spec, reference):
        return {feature.name: feature for feature in reference.features}
    return {f.name: source for f, source in zip(spec.features, reference.features, strict=True)}


def _encode(column: Array, source: Feature, feature: Feature) -> Array:
    """A column of text categories as their codes, where the model takes numbers."""
    if column.dtype != object or feature.kind in ("string", "category") or not source.categories:
        return column
    codes = {value: float(code) for code, value in enumerate(source.categories)}
    return np.array([codes.get(value, np.nan) for value in column.tolist()], dtype=np.float64)


def note_mapping(spec: ModelSpec, reference: ModelSpec, name: str, other: str = "the reference") -> list[Notice]:
    """That the model `name` takes those of the `other` in order, and where its names would say otherwise.

    Of columns with the same names: those that it does not take.
    """
    ours, theirs = reference.feature_names, spec.feature_names
    if not ours or not theirs or ours == theirs:
        return []
    if share_names(spec, reference):
        return note_missing(spec, reference, name, other)
    if not spec.named:
        text = f"{name} does not name its columns: they were taken in {other}'s order"
    elif not reference.named:
        text = f"{other} does not name its columns: {name}'s were taken in their order"
    else:
        text = f"{name} has other names for its columns: they were taken in {other}'s order"
    own, others = (theirs, ours) if reference.named else (ours, theirs)
    place = first_misplaced(own, others) if len(own) == len(others) else None
    return [Notice(BY_POSITION, text + ("" if place is None else _in_place(others, place)))]


def note_missing(spec: ModelSpec, reference: ModelSpec, name: str, other: str = "the reference") -> list[Notice]:
    """That the model `name` lacks columns that the `other` reads; nothing of those that neither names."""
    lacking = [f.name for f in reference.features if f.name not in spec.feature_names and not f.unread]
    if not lacking or not share_names(spec, reference):
        return []
    listing = ", ".join(map(repr, lacking[:_MOST_NAMES])) + (", …" if len(lacking) > _MOST_NAMES else "")
    text = f"{name} takes {len(spec.features)} of {other}'s {len(reference.features)} columns, and not {listing}"
    return [Notice(FEWER_COLUMNS, f"{text}: what stands there changes nothing for it")]


def _in_place(names: Sequence[str], place: int) -> str:
    return f", so that column {place + 1} is {names[place]!r}"


def note_match(match: ColumnMatch, dataset: Dataset, whose: str, order: ColumnOrder = NO_ORDER) -> list[Notice]:
    """That columns of a file were taken as they stand, or in the `order` of another model, and where names disagree."""
    if not match.by_position:
        return []
    name = Path(dataset.path).name
    if not dataset.named:
        text = f"{name} does not name its columns: they were taken in the {whose}'s order"
    elif order.names and match.columns == order.names:
        text = f"the {whose} has no column names: the columns of {name} were taken in the order of {order.model}"
    elif len(match.columns) == 1:
        text = f"the {whose} has no name for its column: it was fed {match.columns[0]!r} of {name}"
    else:
        text = f"the {whose} has no column names: the {len(match.columns)} columns of {name} were taken in order"
    text += "" if match.misplaced is None else _in_place(match.columns, match.misplaced)
    return [Notice(BY_POSITION, text, _ORDER_HINT)]
