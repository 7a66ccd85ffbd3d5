"""The reference's columns as another model names and takes them."""

import numpy as np

from infer_bench.data import Table, conform
from infer_bench.errors import DataError
from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import Array


def columns_for(table: Table, spec: ModelSpec, reference: ModelSpec, name: str) -> dict[str, Array]:
    """The columns of `table` (the reference's features, in its order) for the model `name`, described by `spec`.

    A model without names of its own takes them in order; a text category becomes its code where the model takes
    numbers, since that is what an exported file was trained on. Raises `DataError` when they do not fit.
    """
    if not spec.features or spec == reference:
        return dict(table.columns)
    if not reference.features:  # a function of the user's, which is handed every column
        return dict(conform(table, spec).columns)
    names = spec.feature_names
    if not set(names) <= set(reference.feature_names) or len(set(names)) != len(names):
        if len(names) != len(reference.features):
            raise DataError(f"{name} takes {len(names)} columns, the reference {len(reference.features)}")
        table = Table(dict(zip(names, table.columns.values(), strict=True)))
    sources = _sources(spec, reference)
    codes = {f.name: _encode(table.columns[f.name], sources[f.name], f) for f in spec.features}
    return dict(conform(Table(codes), spec).columns)


def _sources(spec: ModelSpec, reference: ModelSpec) -> dict[str, Feature]:
    """The reference's feature behind each of a model's."""
    by_name = {feature.name: feature for feature in reference.features}
    if all(feature.name in by_name for feature in spec.features):
        return by_name
    return {f.name: source for f, source in zip(spec.features, reference.features, strict=True)}


def _encode(column: Array, source: Feature, feature: Feature) -> Array:
    """A column of text categories as their codes, where the model takes numbers."""
    if column.dtype != object or feature.kind in ("string", "category") or not source.categories:
        return column
    codes = {value: float(code) for code, value in enumerate(source.categories)}
    return np.array([codes.get(value, np.nan) for value in column.tolist()], dtype=np.float64)


def by_position(spec: ModelSpec, reference: ModelSpec) -> bool:
    """Whether a model takes the reference's columns in order, having other names for them."""
    names = spec.feature_names
    return bool(names) and not set(names) <= set(reference.feature_names)
