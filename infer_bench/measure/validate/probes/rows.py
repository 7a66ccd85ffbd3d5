"""Rows made to find differences: on every split, missing, infinite, zero, and categories that nobody has seen."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.data import Column, Table, draw
from infer_bench.data.narrowing import NUMERIC, hold, holds_gaps, takes_integers
from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import Floats

Thresholds = Mapping[str, Sequence[float]]

ORDINARY_ROWS = 1_024
LEAST, MOST = 1_024, 16_384
"""How many rows lie on thresholds: as many as it takes to visit each, within these bounds."""
FEW = 512
ROWS_AT_ONCE = 64
"""So many are drawn for with one call."""
ZERO_BAND = 1e-35
"""LightGBM reads what is this near to zero as zero."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A group of rows. `singly`: the candidate predicts one row at a time; `shuffled`: with its columns reversed."""

    name: str
    table: Table
    singly: bool = False
    shuffled: bool = False


def probes(
    spec: ModelSpec,
    thresholds: Thresholds,
    *,
    float32: bool,
    seed: int,
    rows: Table | None = None,
    training_rows: Floats | None = None,
    most: int = MOST,
) -> Iterator[Probe]:
    """Groups of rows for a model with these `thresholds` per feature, each made when it is asked for.

    `rows` are rows of the user's to start from, else they are drawn from the model; `training_rows` (rows, features)
    are those that the model has kept. With `float32` every number is one that float32 can hold, so that a model which
    takes float32 sees the same row; a column of whole numbers holds these alone, within the range of its dtype. No more
    than `most` rows lie on thresholds.
    """
    maker = _Maker(spec, thresholds, float32, seed, rows, most)
    if training_rows is not None and training_rows.shape[1] != len(spec.features):
        training_rows = None
    groups = itertools.chain(maker.groups(training_rows), maker.other_requests())
    return (probe for probe in groups if probe.table.rows)


class _Maker:
    def __init__(
        self, spec: ModelSpec, thresholds: Thresholds, float32: bool, seed: int, rows: Table | None, most: int
    ) -> None:
        self._spec, self._thresholds, self._float32, self._most = spec, thresholds, float32, most
        self._random = np.random.default_rng(seed)
        self._ordinary = draw(spec, thresholds, ORDINARY_ROWS, seed)
        self._rows = rows
        self._numbers = [f.name for f in spec.features if f.kind == "float" and not f.categories]
        self._integers = [f.name for f in spec.features if f.kind == "integer" and not f.categories]
        self._with_gaps = [f.name for f in spec.features if f.kind in NUMERIC and not f.categories and holds_gaps(f)]
        self._categories = [f for f in spec.features if f.kind in ("category", "string") and _holds_others(f)]

    def groups(self, training_rows: Floats | None) -> Iterator[Probe]:
        yield Probe("drawn", self._as_fed(self._ordinary))
        if training_rows is not None:
            yield Probe("stored rows", self._training_rows(training_rows))
        yield Probe("thresholds", self._on_thresholds())
        if self._with_gaps:
            yield Probe("NaN", self._with((np.nan,), self._with_gaps))
            yield Probe("infinite", self._with((np.inf, -np.inf), self._with_gaps))
        if self._numbers or self._integers:
            zeros = (0.0, -0.0, ZERO_BAND / 2, -ZERO_BAND / 2, 2 * ZERO_BAND)
            yield Probe("zero", self._with(zeros, [*self._numbers, *self._integers]))
        if self._categories:
            yield Probe("unseen categories", self._unseen(fractional=False))
        if any(_takes_fractions(feature) for feature in self._categories):
            yield Probe("fractional categories", self._unseen(fractional=True))

    def other_requests(self) -> Iterator[Probe]:
        """Ordinary rows one at a time, and with their columns in another order."""
        few = self._as_fed(self._ordinary.slice(0, 64))
        yield Probe("one at a time", few, singly=True)
        yield Probe("shuffled columns", few, shuffled=True)

    def _training_rows(self, rows: Floats) -> Table:
        """Rows of the model's own, which are numbers throughout."""
        return self._as_fed(Table({f.name: rows[:, i].copy() for i, f in enumerate(self._spec.features)}))

    def _background(self, count: int) -> dict[str, Column]:
        """Ordinary rows, of the user's and drawn ones in turn."""
        own = self._rows
        ordinary = self._ordinary.take(self._random.integers(0, self._ordinary.rows, count))
        if own is None or not own.rows:
            return dict(ordinary.columns)
        mine = own.take(self._random.integers(0, own.rows, count))
        pick = self._random.random(count) < 0.5
        return {f.name: _mix(pick, mine.columns[f.name], ordinary.columns[f.name]) for f in self._spec.features}

    def _on_thresholds(self) -> Table:
        """Every number on one of its thresholds or next to it, so that whichever path a row takes, it is tested."""
        points = {n: self._around(self._thresholds[n]) for n in self._numbers if len(self._thresholds.get(n, ()))}
        points |= {n: _whole_around(self._thresholds[n]) for n in self._integers if len(self._thresholds.get(n, ()))}
        if not points:
            return self._ordinary.slice(0, 0)
        count = int(np.clip(2 * max(len(values) for values in points.values()), LEAST, max(LEAST, self._most)))
        columns = self._background(count)
        for name, values in points.items():
            turns = np.tile(values, (-(-count // len(values)), 1))
            columns[name] = self._random.permuted(turns, axis=1).ravel()[:count]
        return self._as_fed(Table(columns))

    def _around(self, thresholds: Sequence[float]) -> Floats:
        """Each threshold and its neighbours in float32, and in float64 where both models can tell them apart."""
        exact = np.asarray(thresholds, dtype=np.float64)
        exact = exact[np.isfinite(exact)]
        with np.errstate(over="ignore"):
            near = exact.astype(np.float32)
        single = [near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))]
        points = [values.astype(np.float64) for values in single]
        if not self._float32:
            points += [exact, np.nextafter(exact, -np.inf), np.nextafter(exact, np.inf)]
        distinct = np.unique(np.concatenate(points))
        return np.asarray(distinct[np.isfinite(distinct)])

    def _with(self, values: Sequence[float], names: Sequence[str]) -> Table:
        """A value in one of the columns, in some, and in all: the columns in turn."""
        count = max(FEW, 2 * len(names) * len(values))
        columns = self._background(min(count, 4 * FEW))
        count = len(next(iter(columns.values())))
        share = self._random.choice([0.0, 0.25, 1.0], count, p=[0.7, 0.2, 0.1])
        hit, choice = self._hits(share, len(names)), self._choices(len(values), count, len(names))
        hit[np.arange(count) % len(names), np.arange(count)] = True
        for i, name in enumerate(names):
            columns[name] = np.where(hit[i], np.asarray(values)[choice[i]], columns[name])
        return self._as_fed(Table(columns))

    def _hits(self, share: Column, columns: int) -> npt.NDArray[np.bool_]:
        """Which values are hit (columns, rows), of each row about its share.

        Some rows at a time: numbers for all values of all rows would take more room than the rows themselves.
        """
        parts = [self._random.random((len(part), columns)) < part[:, np.newaxis] for part in _cut(share)]
        return np.ascontiguousarray(np.concatenate(parts).T)

    def _choices(self, values: int, rows: int, columns: int) -> npt.NDArray[np.uint8]:
        """The place of a value (columns, rows) for each."""
        sizes = [len(part) for part in _cut(np.arange(rows))]
        parts = [self._random.integers(0, values, (size, columns)).astype(np.uint8) for size in sizes]
        return np.ascontiguousarray(np.concatenate(parts).T)

    def _unseen(self, *, fractional: bool) -> Table:
        features = [f for f in self._categories if _takes_fractions(f)] if fractional else self._categories
        columns = self._background(FEW // 2)
        for i, feature in enumerate(features):
            hit = (np.arange(FEW // 2) % len(features) == i) | (self._random.random(FEW // 2) < 0.1)
            columns[feature.name] = self._strange(feature, columns[feature.name], hit, fractional)
        return hold(Table(columns), self._spec)

    def _strange(self, feature: Feature, column: Column, hit: Column, fractional: bool) -> Column:
        if column.dtype == object:
            return np.where(hit, np.array("never seen", dtype=object), column)
        numbers = np.asarray(column, dtype=np.float64)
        if fractional:
            return np.where(hit, numbers + 0.5, numbers)
        codes = [float(v) for v in self._thresholds.get(feature.name, ())] or [0.0]
        highest = max(codes + [float(v) for v in feature.categories])
        strange = self._random.choice([highest + 1, highest + 7, 1e6, -1.0], len(numbers))
        return np.where(hit, strange, numbers)

    def _as_fed(self, table: Table) -> Table:
        return hold(as_float32(table) if self._float32 else table, self._spec)


def _cut(values: Column) -> list[Column]:
    return [values[start : start + ROWS_AT_ONCE] for start in range(0, len(values), ROWS_AT_ONCE)]


def _whole_around(thresholds: Sequence[float]) -> Floats:
    """The whole numbers next to each threshold."""
    exact = np.asarray(thresholds, dtype=np.float64)
    exact = exact[np.isfinite(exact)]
    low, high = np.floor(exact), np.ceil(exact)
    return np.unique(np.concatenate([low - 1, low, high, high + 1]))


def _holds_others(feature: Feature) -> bool:
    """Whether a column can hold a value that is none of its categories: text cannot, where a side takes its code."""
    return _coded(feature) or not takes_integers(feature)


def _takes_fractions(feature: Feature) -> bool:
    return _coded(feature) and not takes_integers(feature)


def _coded(feature: Feature) -> bool:
    """Whether a category is fed as a number."""
    return feature.kind == "category" and not any(isinstance(value, str) for value in feature.categories)


def _mix(pick: Column, mine: Column, ordinary: Column) -> Column:
    if mine.dtype == object or ordinary.dtype == object:
        mine, ordinary = mine.astype(object), ordinary.astype(object)
    return np.where(pick, mine, ordinary)


def as_float32(table: Table) -> Table:
    """Numbers rounded to what float32 can hold, still double; what is beyond its range becomes its largest number."""
    with np.errstate(over="ignore"):
        return Table({n: _round(c) if c.dtype.kind == "f" else c for n, c in table.columns.items()})


def _round(column: Column) -> Column:
    single = column.astype(np.float32)
    beyond = np.isinf(single)
    if beyond.any():
        beyond &= np.isfinite(column)
        single[beyond] = np.copysign(np.finfo(np.float32).max, column[beyond])
    return single.astype(np.float64)
