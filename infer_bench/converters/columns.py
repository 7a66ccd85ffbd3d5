"""The columns that the trees of a converted file read, made from the file's input.

A feature may be read in several ways: as it is, with the zero band as missing, or rounded to a category code. A file
whose features are read in one way each keeps the input's columns; otherwise the columns are laid out anew.
"""

from dataclasses import dataclass

import numpy as np

from infer_bench.converters.ensemble import LEAF, MEMBER, Bools, Ensemble, Ints
from infer_bench.converters.graph import Graph

PLAIN, ZERO_MISSING, ROUNDED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """`feature` and `way` (columns,) of each column, and the column (nodes,) that each node reads (0 for leaves)."""

    feature: Ints
    way: Ints
    of_node: Ints


def plan(ensemble: Ensemble) -> Columns:
    """Lay the columns out; the input's own order is kept where every feature is read in one way."""
    nodes, width = ensemble.nodes, len(ensemble.features)
    way = np.where(nodes.mode == MEMBER, ROUNDED, np.where(nodes.zero_missing, ZERO_MISSING, PLAIN))
    if ensemble.rounding == "none":
        way = np.where(way == ROUNDED, PLAIN, way)
    inner = nodes.mode != LEAF
    used = np.unique(nodes.feature[inner] * 3 + way[inner])
    feature, ways = used // 3, used % 3
    if len(np.unique(feature)) == len(feature):
        full = np.zeros(width, np.int64)
        full[feature] = ways
        return Columns(np.arange(width), full, np.where(inner, nodes.feature, 0))
    place = np.searchsorted(used, nodes.feature * 3 + way)
    return Columns(feature, ways, np.where(inner, place, 0))


def add_columns(g: Graph, x: str, ensemble: Ensemble, columns: Columns, dtype: type) -> str:
    """Add the nodes that make the columns out of the input `x` (batch, features)."""
    if not np.array_equal(columns.feature, np.arange(len(ensemble.features))):
        x = g.take(x, columns.feature)
    zero, rounded = columns.way == ZERO_MISSING, columns.way == ROUNDED
    if zero.any():
        near = g.op("LessOrEqual", g.op("Abs", x), g.const(_edges(ensemble, zero), dtype))
        x = g.op("Where", near, g.const(np.nan, dtype), x)
    if rounded.any():
        x = _round(g, x, rounded, ensemble.rounding == "truncate")
    return x


def _edges(ensemble: Ensemble, zero: Bools) -> np.ndarray:
    """The zero band where zero is missing; -1, which no magnitude is below, elsewhere."""
    return np.where(zero, ensemble.zero_band, -1.0)


def _round(g: Graph, x: str, rounded: Bools, toward_zero: bool) -> str:
    whole = g.op("Mul", g.op("Sign", x), g.op("Floor", g.op("Abs", x))) if toward_zero else g.op("Floor", x)
    return whole if rounded.all() else g.op("Where", g.const(rounded, np.bool_), whole, x)
