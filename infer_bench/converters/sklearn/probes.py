"""Rows to compare a converted scikit-learn model on, drawn from the model itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.converters.sklearn.inputs import find_text_columns
from infer_bench.converters.sklearn.split_points import Points, find_points
from infer_bench.converters.sklearn.text.hostile import HOSTILE, LONG
from infer_bench.trees.readers.sklearn.estimators import get_feature_names
from infer_bench.typing import Array

Table = dict[str, Array]
UNSEEN = "a value that no training row had"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind: column name -> values, float64 or (strings, None where missing) object."""

    name: str
    table: Table

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.table.values()))) if self.table else 0


class Probes:
    """Draws the row groups of one fitted estimator. Every number is a float32 when `single`."""

    def __init__(self, estimator: Any, *, seed: int = 0, rows: int = 256, single: bool = False) -> None:
        self.names = get_feature_names(estimator)
        self.text = find_text_columns(estimator, range(len(self.names)))
        self.points: Points = find_points(estimator, len(self.names))
        self.rng = np.random.default_rng(seed)
        self.rows, self.single = rows, single

    def draw_groups(self) -> Iterator[Group]:
        """Ordinary rows; batch 0 and 1; rows far outside of the training's; interesting values, ±1 ulp beside them;
        NaN, infinite, zero, unseen values; texts that are hard to take apart.
        """
        yield Group("ordinary", self.draw_ordinary(self.rows))
        yield Group("empty", self.draw_ordinary(0))
        yield Group("single", self.draw_ordinary(1))
        yield Group("distant", self._draw_distant(self.rows // 4))
        yield from self._vary_each(
            "threshold", {i: self._draw_edges(i) for i in range(len(self.names)) if i not in self.text}
        )
        yield from self._vary_each("nan", {i: self._get_missing(i) for i in range(len(self.names))}, whole=True)
        numeric = [i for i in range(len(self.names)) if i not in self.text]
        far = [] if self.points.near else [1e38, -1e38, 1e300]
        yield from self._vary_each("inf", {i: np.array([np.inf, -np.inf, *far]) for i in numeric})
        yield from self._vary_each(
            "zero", {i: np.array([0.0, -0.0, 1e-40, -1e-40, 1e-36]) for i in numeric}, whole=True
        )
        yield from self._vary_each("unseen", {i: self._get_unseen(i) for i in range(len(self.names))})
        hostile = np.array([*HOSTILE, *LONG], dtype=object)
        yield from self._vary_each("text", dict.fromkeys(sorted(self.points.raw_texts), hostile))

    def draw_ordinary(self, rows: int) -> Table:
        """Rows as the model's own attributes suggest them."""
        return {name: self._draw_column(i, rows) for i, name in enumerate(self.names)}

    def _draw_distant(self, rows: int) -> Table:
        """Rows up to a thousand times farther out, where classifiers are sure and their probabilities tiny."""
        table = self.draw_ordinary(rows)
        times = 10 ** self.rng.uniform(0.5, 3, rows)
        for index, name in enumerate(self.names):
            if index not in self.text:
                centre = self.points.spread.get(index, (0.0, 1.0))[0]
                table[name] = self._round(centre + (table[name] - centre) * times)
        return table

    def _draw_column(self, index: int, rows: int) -> Array:
        if index in self.text:
            texts = sorted(self.points.texts.get(index, {"a"}))
            return np.array([texts[i] for i in self.rng.integers(0, len(texts), rows)], dtype=object)
        numbers = np.array(sorted(self.points.numbers.get(index, ())))
        centre, spread = self.points.spread.get(index, (0.0, 1.0))
        out = self.rng.normal(centre, spread or 1.0, rows)
        if len(numbers):
            picked = numbers[self.rng.integers(0, len(numbers), rows)]
            width = np.ptp(numbers) or 1.0
            near = picked + self.rng.normal(0, 0.1 * width, rows) * (self.rng.random(rows) < 0.5)
            out = np.where(self.rng.random(rows) < 0.8, near, out)
        return self._round(out)

    def _round(self, values: Array) -> Array:
        """Numbers as the converted model's input can hold them."""
        with np.errstate(over="ignore"):
            return values.astype(np.float32).astype(np.float64) if self.single else np.asarray(values, dtype=np.float64)

    def _draw_edges(self, index: int) -> Array:
        numbers = np.array(sorted(self.points.numbers.get(index, ())))
        if len(numbers) > 64:
            numbers = self.rng.choice(numbers, 64, replace=False)
        with np.errstate(over="ignore"):
            short = numbers.astype(np.float32)
        inf = np.float32(np.inf)
        beside = [short, np.nextafter(short, inf), np.nextafter(short, -inf)]
        exact = [numbers, np.nextafter(numbers, np.inf), np.nextafter(numbers, -np.inf)]
        return np.concatenate([part.astype(np.float64) for part in [*exact, *beside]])

    def _get_missing(self, index: int) -> Array:
        marker = self.points.markers.get(index)
        return np.array([marker], dtype=object) if index in self.text else np.array([np.nan])

    def _get_unseen(self, index: int) -> Array:
        if index in self.text:
            return np.array([UNSEEN, "0", " "], dtype=object)
        return np.array([-1.0, 0.5, 2.5, 1e6, 123456.75])

    def _vary_each(self, name: str, values: Mapping[int, Array], *, whole: bool = False) -> Iterator[Group]:
        """One group: for each column, ordinary rows with its values put in; with `whole` also rows of them all over."""
        total = sum(len(column_values) for column_values in values.values()) + (1 if whole else 0)
        if not any(len(column_values) for column_values in values.values()):
            return
        table = self.draw_ordinary(total)
        at = 0
        for index, column_values in values.items():
            column = table[self.names[index]]
            column[at : at + len(column_values)] = column_values if index in self.text else self._round(column_values)
            if whole:
                column[total - 1] = column_values[0]
            at += len(column_values)
        yield Group(name, table)
