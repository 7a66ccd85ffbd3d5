"""Rows drawn from an ensemble itself, on which a wrong conversion shows: splits reached, missing, extremes, zeros."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from infer_bench.model import Label
from infer_bench.trees.ensemble import LEAF, LT, MEMBER, Ensemble
from infer_bench.trees.paths import Boxes, boxes
from infer_bench.typing import Array, Bools, Columns, Floats, Ints

_ZEROS = (0.0, -0.0, 1e-35, -1e-35, 1.1e-35, -1.1e-35, 9e-36, -9e-36, 1e-45, -1e-45)
_ODD_CODES = (-1.0, -0.5, 0.5, 2.5, 1e6, 16777216.0, 2147483648.0, 4294967298.0)


def probe_rows(ensemble: Ensemble, *, seed: int = 0, limit: int = 4000) -> dict[str, Floats]:
    """Groups of rows, each float64 (rows, features) with categories as codes; about `limit` rows in all.

    `ordinary`: values between and around the thresholds. `thresholds`: at a split's value and next to it in float32
    and in float64, the rest of the row chosen so that the row reaches that split. `nan`, `infinity`, `zero`: one
    feature at a time, then all. `categories`: unseen, fractional and negative codes. A feature with known categories
    holds a code or NaN. The same seed gives the same rows; when there are more splits than room, a sample is taken.
    """
    draw = _Draw(ensemble, seed)
    groups = {
        "ordinary": draw.ordinary(max(1, limit // 8)),
        "thresholds": draw.thresholds(limit // 2),
        "nan": draw.each((np.nan,), limit // 12),
        "infinity": draw.each((np.inf, -np.inf), limit // 12),
        "zero": draw.each(_ZEROS, limit // 8),
        "categories": draw.codes(limit // 12),
    }
    return {name: draw.known_codes(rows) for name, rows in groups.items() if len(rows)}


def visit_rows(ensemble: Ensemble, *, seed: int = 0, limit: int = 16_000) -> Floats:
    """Rows (rows, features) that reach each leaf, the values beside each split, and each category of each set.

    At most `limit`: where there are more, a sample is taken. What `probe_rows` draws reaches each value of a split in
    one of the trees; this is for comparisons in which a single node may differ.
    """
    draw = _Draw(ensemble, seed)
    return draw.known_codes(np.concatenate([draw.edges(limit // 2), draw.leaves(limit // 4), draw.members(limit // 4)]))


class _Draw:
    """Draws rows around the splits of one ensemble."""

    def __init__(self, ensemble: Ensemble, seed: int) -> None:
        self.ensemble, self.rng = ensemble, np.random.default_rng(seed)
        nodes = ensemble.nodes
        self.width = len(ensemble.features)
        inner = nodes.mode != LEAF
        self.split_features: Ints = np.unique(nodes.feature[inner])
        if ensemble.linear is not None or ensemble.linear_leaves is not None:
            self.split_features = np.arange(self.width)
        self.categorical: Bools = np.array([feature.kind == "category" for feature in ensemble.features], np.bool_)
        self.categorical[nodes.feature[nodes.mode == MEMBER]] = True
        numeric = inner & (nodes.mode != MEMBER) & np.isfinite(nodes.threshold)
        self.splits = [np.unique(nodes.threshold[numeric & (nodes.feature == f)]) for f in range(self.width)]
        self.highest = [self._highest(f) for f in range(self.width)]

    def _highest(self, feature: int) -> int:
        categories = len(self.ensemble.features[feature].categories)
        nodes = self.ensemble.nodes
        of_node = np.repeat(nodes.feature, np.diff(nodes.member_start)) == feature
        return max(categories - 1, int(nodes.members[of_node].max(initial=0)), 1)

    def ordinary(self, count: int) -> Floats:
        """Rows of values between, on and beyond the features' thresholds."""
        rows = self.rng.normal(size=(count, self.width))
        for feature, splits in enumerate(self.splits):
            if self.categorical[feature]:
                rows[:, feature] = self.rng.integers(0, self.highest[feature] + 1, count)
            elif len(splits):
                near = splits[self.rng.integers(0, len(splits), count)]
                tame = np.abs(splits) < 1e100
                spread = float(np.ptp(splits[tame])) if tame.any() else 0.0
                rows[:, feature] = near + rows[:, feature] * (0.2 * spread or 0.1 * max(1.0, float(np.abs(near).min())))
        return rows

    def thresholds(self, count: int) -> Floats:
        """Rows at the splits' values and one step beside, in float32 and float64."""
        splits = self._choose(max(1, count // 6))
        if not len(splits):
            return np.zeros((0, self.width))
        reach = boxes(self.ensemble, splits)
        rows = self._inside(reach, self.ordinary(len(splits)))[reach.reachable]
        nodes, splits = self.ensemble.nodes, splits[reach.reachable]
        feature, value = nodes.feature[splits], nodes.threshold[splits]
        variants = []
        for beside in _beside(value):
            copy = rows.copy()
            copy[np.arange(len(copy)), feature] = beside
            variants.append(copy)
        return np.concatenate(variants)

    def _choose(self, count: int) -> Ints:
        """Nodes with different splits, at most `count`; of those that share a split, any."""
        nodes = self.ensemble.nodes
        numeric = np.flatnonzero((nodes.mode != LEAF) & (nodes.mode != MEMBER) & np.isfinite(nodes.threshold))
        shuffled = self.rng.permutation(numeric)
        pairs = np.stack((nodes.feature[shuffled].astype(np.float64), nodes.threshold[shuffled]), axis=1)
        _, first = np.unique(pairs, axis=0, return_index=True)
        picked: Ints = shuffled[first]
        return picked if len(picked) <= count else self.rng.choice(picked, count, replace=False)

    def edges(self, count: int) -> Floats:
        """Rows that reach numeric nodes with the last value that goes left and the first that goes right.

        In float32, and in float64 where the source library compares in that.
        """
        nodes, dtypes = self.ensemble.nodes, {"float32", self.ensemble.row_dtype}
        numeric = np.flatnonzero((nodes.mode != LEAF) & (nodes.mode != MEMBER) & np.isfinite(nodes.threshold))
        picked = self._sample(numeric, count // (2 * len(dtypes)))
        reach = boxes(self.ensemble, picked)
        rows, picked = self._within(reach)[reach.reachable], picked[reach.reachable]
        sides = [side for dtype in sorted(dtypes) for side in self._sides(picked, np.dtype(dtype).type)]
        return np.concatenate([self._put(rows, nodes.feature[picked], side) for side in sides])

    def _sides(self, picked: Ints, dtype: Any) -> tuple[Floats, Floats]:
        """The last values of a dtype that go left and the first that go right at the nodes."""
        threshold, strict = self.ensemble.nodes.threshold[picked], self.ensemble.nodes.mode[picked] == LT
        with np.errstate(over="ignore"):
            near = threshold.astype(dtype)
        goes_left = np.where(strict, near < threshold, near <= threshold)
        below, above = np.nextafter(near, dtype(-np.inf)), np.nextafter(near, dtype(np.inf))
        return np.where(goes_left, near, below).astype(np.float64), np.where(goes_left, above, near).astype(np.float64)

    def leaves(self, count: int) -> Floats:
        """Rows that reach leaves."""
        picked = self._sample(np.flatnonzero(self.ensemble.nodes.mode == LEAF), count)
        reach = boxes(self.ensemble, picked)
        return self._within(reach)[np.all(reach.low <= reach.high, axis=1)]

    def members(self, count: int) -> Floats:
        """Rows that reach nodes with sets, with a category of the feature."""
        nodes = self.ensemble.nodes
        sets = np.flatnonzero(nodes.mode == MEMBER)
        ends = np.cumsum(np.array(self.highest)[nodes.feature[sets]] + 1)
        if not len(sets):
            return np.zeros((0, self.width))
        places = np.arange(ends[-1]) if ends[-1] <= count else np.unique(self.rng.integers(0, ends[-1], count))
        which = np.searchsorted(ends, places, side="right")
        codes, picked = places - np.concatenate(([0], ends))[which], sets[which]
        rows = self._within(boxes(self.ensemble, picked))
        return self._put(rows, nodes.feature[picked], codes)

    def _sample(self, picked: Ints, count: int) -> Ints:
        return picked if len(picked) <= count else self.rng.choice(picked, count, replace=False)

    @staticmethod
    def _put(rows: Floats, feature: Ints, value: Any) -> Floats:
        """The rows with each one's value in its feature."""
        copy = rows.copy()
        copy[np.arange(len(copy)), feature] = value
        return copy

    def _inside(self, reach: Boxes, rows: Floats) -> Floats:
        """The rows moved into the boxes, feature by feature where they lie outside."""
        rows = np.where(self.categorical[None, :], rows, np.clip(rows, reach.low, reach.high))
        member = ~np.isnan(reach.code)
        return np.where(member, reach.code, rows)

    def _within(self, reach: Boxes) -> Floats:
        """Ordinary rows moved into the boxes, to some place between the bounds, so that rounding leaves them there."""
        rows = self.ordinary(len(reach.low))
        with np.errstate(over="ignore", invalid="ignore"):
            room = np.minimum(reach.high - reach.low, np.abs(rows - np.clip(rows, reach.low, reach.high)))
            room *= self.rng.random(rows.shape)
            moved = np.where(rows < reach.low, reach.low + room, reach.high - room)
        outside = (rows < reach.low) | (rows > reach.high)
        return self._inside(reach, np.where(outside & np.isfinite(moved), moved, rows))

    def each(self, values: tuple[float, ...], count: int) -> Floats:
        """Ordinary rows in which one feature, then all, have each of the values."""
        features = self.split_features
        room = max(1, count // len(values) - 1)
        if len(features) > room:
            features = np.sort(self.rng.choice(features, room, replace=False))
        parts = []
        for value in values:
            rows = self.ordinary(len(features) + 1)
            rows[np.arange(len(features)), features] = value
            rows[-1] = value
            parts.append(rows)
        return np.concatenate(parts)

    def codes(self, count: int) -> Floats:
        """Rows in which one category is unseen, fractional or negative, and rows with each kind of them."""
        features = np.flatnonzero(self.categorical)
        if not len(features):
            return np.zeros((0, self.width))
        rows = self.ordinary(max(count, len(_ODD_CODES) * 2))
        which = features[self.rng.integers(0, len(features), len(rows))]
        top = np.array(self.highest)[which]
        odd = np.array(_ODD_CODES)[np.arange(len(rows)) % len(_ODD_CODES)]
        codes = self.rng.integers(0, top + 2)
        fraction = self.rng.choice([0.0, 0.0, 0.25, 0.999, -0.5], len(rows))
        rows[np.arange(len(rows)), which] = np.where(self.rng.random(len(rows)) < 0.4, odd, codes + fraction)
        return rows

    def known_codes(self, rows: Floats) -> Floats:
        """Where the categories are known, anything but their codes is NaN."""
        for index, feature in enumerate(self.ensemble.features):
            if feature.categories:
                column = rows[:, index]
                valid = np.isin(column, np.arange(len(feature.categories)))
                rows[:, index] = np.where(valid, column + 0.0, np.nan)
        return rows


def _beside(value: Floats) -> Iterator[Floats]:
    """The value, its neighbours in float64, its rounding to float32 and that one's neighbours."""
    with np.errstate(over="ignore"):
        short = value.astype(np.float32)
    infinity = np.float32(np.inf)
    yield from (value, np.nextafter(value, np.inf), np.nextafter(value, -np.inf))
    for near in (short, np.nextafter(short, infinity), np.nextafter(short, -infinity)):
        yield near.astype(np.float64)


def decode_columns(ensemble: Ensemble, rows: Floats, *, unseen: bool) -> Columns:
    """Rows (rows, features) as the columns that a user gives, by name: codes of known categories become the categories.

    What is no code is missing, or with `unseen` in every other row a value that training did not have.
    """
    columns: dict[str, Array] = {}
    for i, feature in enumerate(ensemble.features):
        column = rows[:, i]
        columns[feature.name] = _decode(feature.categories, column, unseen) if feature.categories else column
    return columns


def _decode(categories: tuple[Label, ...], codes: Floats, unseen: bool) -> Array:
    text = any(isinstance(value, str) for value in categories)
    values: Sequence[Any] = categories if text else tuple(float(value) for value in categories)
    missing = None if text else np.nan
    stranger = max(map(str, categories)) + " unseen" if text else max(values) + 1.0
    column = [missing if np.isnan(code) else values[int(code)] for code in codes]
    if unseen:
        column[::2] = [stranger if value is missing else value for value in column[::2]]
    return np.array([*column, missing], dtype=object if text else np.float64)[:-1]
