"""Columns that several models can take: of each the narrowest kind and dtype, and numbers that these hold."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from infer_bench.data.table import Column, Table
from infer_bench.model import Feature, Kind, ModelSpec

NUMERIC: tuple[Kind, ...] = ("float", "integer", "boolean")
"""From the widest to the narrowest."""
_EXACT = 2**53
"""Beyond it a double does not hold every integer."""


def narrow(spec: ModelSpec, pairs: Iterable[tuple[str, Feature]]) -> ModelSpec:
    """`spec` with features whose values other models hold too; `pairs` are its columns with the others' features."""
    features = {feature.name: feature for feature in spec.features}
    for name, other in pairs:
        features[name] = narrower(features[name], other)
    return replace(spec, features=tuple(features[name] for name in spec.feature_names))


def narrower(feature: Feature, other: Feature) -> Feature:
    """A feature whose values both hold. Text, and a category beside a float, stay as they are."""
    if feature.kind in NUMERIC and other.kind in NUMERIC and not (feature.categories or other.categories):
        kind = max(feature.kind, other.kind, key=NUMERIC.index)
        dtype, positions = _narrower_dtype(feature.dtype, other.dtype), _common(feature.positions, other.positions)
        return replace(feature, kind=kind, dtype=dtype, positions=positions)
    if feature.kind == "category" and other.kind in NUMERIC and takes_integers(other):
        return replace(feature, dtype=other.dtype or "int64")
    return feature


def _narrower_dtype(one: str, other: str) -> str:
    """The one with the smaller range; an unknown one holds whatever a double does."""
    return min((one, other), key=_largest)


def _common(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    """The positions that both have; those of one where they have none in common."""
    if one is None or other is None:
        return one or other
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else one


def takes_integers(feature: Feature) -> bool:
    """Whether its values are whole numbers wherever they are not missing."""
    return feature.kind in ("integer", "boolean") or (feature.dtype != "" and np.dtype(feature.dtype).kind in "iub")


def holds_gaps(feature: Feature) -> bool:
    """Whether a number may be missing or infinite: an integer or a boolean has no such value, a float has."""
    return feature.dtype == "" or np.dtype(feature.dtype).kind == "f"


def hold(table: Table, spec: ModelSpec) -> Table:
    """The table with numbers that the features hold: whole ones within their dtype's range, yes or no, or float16.

    What is missing or infinite becomes 0 where the dtype is one of integers or booleans, which have no such value.
    """
    features = {feature.name: feature for feature in spec.features}
    return Table({name: _hold(column, features.get(name, Feature(name))) for name, column in table.columns.items()})


def _hold(column: Column, feature: Feature) -> Column:
    if column.dtype.kind not in "fiub":
        return column
    if feature.kind == "boolean" or takes_integers(feature):
        gaps = ~np.isfinite(column)
        whole = _whole(np.where(gaps, 0, column), feature)
        if feature.kind != "category" and not (gaps.any() and holds_gaps(feature)):
            return whole
        return np.where(gaps & holds_gaps(feature), column, whole.astype(np.float64))
    if feature.dtype == "float16" and column.dtype.kind == "f":
        limit = float(np.finfo(np.float16).max)
        finite = np.where(np.isfinite(column), np.clip(column, -limit, limit), column)
        return finite.astype(np.float16).astype(np.float64)
    return column


def _whole(values: Column, feature: Feature) -> Column:
    return np.asarray(values != 0) if feature.kind == "boolean" else to_integers(values, feature)


def to_integers(values: Column, feature: Feature) -> Column:
    """Finite numbers as int64, within the range of the feature's dtype and of what a double holds exactly."""
    low, high = integer_range(feature)
    return np.clip(np.rint(values.astype(np.float64)), low, high).astype(np.int64)


def integer_range(feature: Feature) -> tuple[int, int]:
    """The smallest and the largest integer that a feature can take."""
    if feature.dtype == "bool":
        return 0, 1
    if feature.dtype and np.dtype(feature.dtype).kind in "iu":
        limits = np.iinfo(feature.dtype)
        return max(int(limits.min), -_EXACT), min(int(limits.max), _EXACT)
    return -_EXACT, _EXACT


def _largest(dtype: str) -> float:
    if not dtype:
        return float(np.finfo(np.float64).max)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return 1.0
    return float(np.iinfo(kind).max) if kind.kind in "iu" else float(np.finfo(kind).max)
