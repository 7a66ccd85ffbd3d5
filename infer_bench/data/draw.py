"""Ordinary rows drawn from the model itself, for when the user gives none."""

from collections.abc import Mapping, Sequence

import numpy as np

from infer_bench.data.narrowing import to_integers
from infer_bench.data.table import Column, Table
from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import Floats

SINGLE = np.finfo(np.float32)
LARGEST = float(SINGLE.max)


def draw(spec: ModelSpec, thresholds: Mapping[str, Sequence[float]], rows: int, seed: int) -> Table:
    """`rows` rows of the model's features that visit both sides of its splits.

    A number is drawn uniformly inside one of the intervals that the feature's `thresholds` cut the line into, so each
    side of each split is as likely as the next; without thresholds it is standard normal, and a position in a table of
    the model is any of that table's. It is one that float32 can
    hold, as most stored features can: rows that float32 rounds to the other side of a split are for `convert` and
    `validate` to make. A category is drawn from its known values. The same `seed` gives the same rows.
    """
    random = np.random.default_rng(seed)
    return Table({f.name: _column(f, thresholds.get(f.name, ()), rows, random) for f in spec.features})


def _column(feature: Feature, thresholds: Sequence[float], rows: int, random: np.random.Generator) -> Column:
    if feature.categories:
        return _categories(feature, rows, random)
    if feature.kind == "string":
        texts = feature.examples or tuple(f"text{i}" for i in range(16))
        return np.array([texts[i] for i in random.integers(0, len(texts), rows)], dtype=object)
    if feature.kind == "boolean":
        return random.integers(0, 2, rows).astype(np.bool_)
    if feature.positions is not None:
        return random.integers(*feature.positions, rows, endpoint=True)
    cuts = np.unique(np.asarray(thresholds, dtype=np.float64))
    cuts = cuts[np.isfinite(cuts)]
    if feature.kind == "category":
        return _codes(cuts, rows, random)
    values = _between(cuts, rows, random) if len(cuts) else random.standard_normal(rows)
    return to_integers(values, feature) if feature.kind == "integer" else values


def _categories(feature: Feature, rows: int, random: np.random.Generator) -> Column:
    categories = np.empty(len(feature.categories), dtype=object)
    categories[:] = feature.categories
    values = categories[random.integers(0, len(categories), rows)]
    kinds = {type(value) for value in feature.categories}
    if kinds <= {bool}:
        return np.asarray(values, dtype=np.bool_)
    if kinds <= {int, bool}:
        return np.asarray(values, dtype=np.int64)
    if kinds <= {int, float, bool}:
        return np.asarray(values, dtype=np.float64)
    return np.asarray(values)


def _codes(cuts: Column, rows: int, random: np.random.Generator) -> Column:
    """Codes of a category whose values are unknown: those the model splits on."""
    codes = cuts[cuts >= 0] if (cuts >= 0).any() else np.arange(4)
    return np.asarray(random.choice(codes, rows))


def _between(cuts: Column, rows: int, random: np.random.Generator) -> Column:
    """Uniform inside an interval between neighbouring cuts, the outermost as wide as the typical one."""
    gaps = np.diff(cuts)
    outer = _median(gaps) if len(gaps) else max(abs(float(cuts[0])), 1.0)
    with np.errstate(over="ignore"):
        spacing = float(SINGLE.eps) * min(float(np.abs(cuts).max()), LARGEST)
        outer = max(outer, 4 * spacing, float(SINGLE.tiny))
        edges = np.concatenate([[cuts[0] - outer], cuts, [cuts[-1] + outer]])
    edges = _clip(edges)
    interval = random.integers(0, len(edges) - 1, rows)
    share = random.random(rows)
    values = edges[interval] * (1 - share) + edges[interval + 1] * share
    return np.asarray(_clip(values).astype(np.float32), dtype=np.float64)


def _median(values: Floats) -> float:
    """Of one value at least: `np.median`'s, whose checks take longer than the sorting of so few."""
    ordered, half = np.sort(values), len(values) // 2
    return float(ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def _clip(values: Floats) -> Floats:
    return np.minimum(np.maximum(values, -LARGEST), LARGEST)
