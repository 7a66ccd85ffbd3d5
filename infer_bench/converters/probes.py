"""Rows drawn from a tree ensemble itself, where a conversion goes wrong if it goes wrong anywhere.

Random rows hide most faults: they almost never sit on a threshold. So a row is made to walk to a split and then put on
the threshold and on its neighbours, the next numbers up and down in float32 and in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.converters.ensemble import LEAF, LT, MEMBER, Bools, Ensemble, Floats, Ints
from infer_bench.converters.evaluate import Members, decide, prepare
from infer_bench.converters.probe_values import column_values, neighbours, odd_categories, zeros

_VARIANTS = 7
_LARGE = (1e30, -1e30, 3.4e38, -3.4e38)


def probe_rows(ensemble: Ensemble, *, seed: int = 0, limit: int = 4096) -> dict[str, Floats]:
    """Group name -> rows, float64 (rows, features), at most `limit` rows a group; the same for the same seed.

    Groups: `ordinary`; `thresholds` (each row reaches its split); `missing`, `zero`, `large` and `infinity` (one
    feature at a time, then all); `categories` (known, unseen, fractional, negative); `missing-value` where the model
    has one; `empty`. A group that does not apply is left out: XGBoost refuses infinities. Categories are codes.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    drawer = _Drawer(ensemble, np.random.default_rng(seed), limit)
    groups = {"ordinary": drawer.ordinary(limit), "thresholds": drawer.thresholds()}
    groups["missing"] = drawer.each([np.nan])
    groups["zero"] = drawer.each(zeros(ensemble.zero_band))
    groups["large"] = drawer.each(_LARGE)
    if _takes_infinity(ensemble):
        groups["infinity"] = drawer.each([np.inf, -np.inf])
    groups["categories"] = drawer.categories()
    if ensemble.missing_value is not None:
        groups["missing-value"] = drawer.each([ensemble.missing_value])
    groups["empty"] = np.zeros((0, len(ensemble.features)))
    return {name: rows for name, rows in groups.items() if len(rows) or name == "empty"}


def _takes_infinity(ensemble: Ensemble) -> bool:
    return ensemble.family != "xgboost" or bool(np.isinf(ensemble.missing_value or 0.0))


@dataclass(slots=True, eq=False)
class _Drawer:
    """Draws rows for one ensemble."""

    ensemble: Ensemble
    random: np.random.Generator
    limit: int

    @property
    def width(self) -> int:
        return len(self.ensemble.features)

    def ordinary(self, count: int) -> Floats:
        """Rows as a user might give them: around the thresholds, some values missing, categories mostly known."""
        rows = np.empty((count, self.width))
        for column in range(self.width):
            rows[:, column] = column_values(self.ensemble, column, count, self.random)
        return rows

    def each(self, values: npt.ArrayLike) -> Floats:
        """Ordinary rows with one feature set to each of the values, and rows of nothing else."""
        special = np.atleast_1d(np.asarray(values, dtype=np.float64))
        read = self._read()
        cells = [(column, value) for column in read for value in special]
        keep = self._some(len(cells), max(1, self.limit - len(special)))
        rows = self.ordinary(len(keep))
        for row, cell in enumerate(keep):
            rows[row, cells[cell][0]] = cells[cell][1]
        return np.concatenate((rows, np.repeat(special[:, None], self.width, axis=1)))[: self.limit]

    def categories(self) -> Floats:
        """Ordinary rows with one categorical feature set to known codes and to ones that no category has."""
        nodes = self.ensemble.nodes
        split = np.unique(nodes.feature[nodes.mode == MEMBER]).tolist()
        known = [i for i, feature in enumerate(self.ensemble.features) if feature.kind == "category"]
        cells = [(c, v) for c in sorted({*split, *known}) for v in odd_categories(self.ensemble, c)]
        keep = self._some(len(cells), self.limit)
        rows = self.ordinary(len(keep))
        for row, cell in enumerate(keep):
            rows[row, cells[cell][0]] = cells[cell][1]
        return rows

    def thresholds(self) -> Floats:
        """Rows that reach a split and lie on its threshold or next to it; splits that no row reaches are left out."""
        nodes = self.ensemble.nodes
        splits = np.flatnonzero((nodes.mode != LEAF) & (nodes.mode != MEMBER) & (_tree_of(self.ensemble) >= 0))
        chosen = self._spread(splits, max(1, self.limit // _VARIANTS))
        if not len(chosen):
            return np.zeros((0, self.width))
        rows = _walk_to(self.ensemble, chosen, self.ordinary(len(chosen)), self.random)
        on = np.repeat(chosen, _VARIANTS)
        placed = np.repeat(rows, _VARIANTS, axis=0)
        placed[np.arange(len(on)), nodes.feature[on]] = neighbours(nodes.threshold[chosen]).ravel()
        fits = np.isfinite(placed).all(axis=1) | _takes_infinity(self.ensemble)
        reached = fits & _reaches(self.ensemble, on, placed)
        return placed[reached][: self.limit]

    def _spread(self, splits: Ints, count: int) -> Ints:
        """At most `count` splits: first one of each distinct threshold, then others."""
        nodes = self.ensemble.nodes
        mixed = self.random.permutation(splits)
        keys = np.stack((nodes.feature[mixed].astype(np.float64), nodes.threshold[mixed]))
        _, first = np.unique(keys, axis=1, return_index=True) if len(mixed) else (None, np.zeros(0, np.int64))
        rest = np.setdiff1d(np.arange(len(mixed)), first)
        order = np.concatenate((self.random.permutation(first), rest))
        return np.asarray(mixed[order[:count]], dtype=np.int64)

    def _read(self) -> list[int]:
        nodes = self.ensemble.nodes
        if self.ensemble.linear is not None:
            return list(range(self.width))
        used: list[int] = np.unique(nodes.feature[nodes.mode != LEAF]).tolist()
        return used or list(range(min(1, self.width)))

    def _some(self, count: int, most: int) -> list[int]:
        if count <= most:
            return list(range(count))
        picked: list[int] = np.sort(self.random.choice(count, most, replace=False)).tolist()
        return picked


def _parents(ensemble: Ensemble) -> tuple[Ints, Bools]:
    """Each node's parent (-1: none), and whether it is the parent's left child."""
    nodes = ensemble.nodes
    parent, is_left = np.full(len(nodes), -1, np.int64), np.zeros(len(nodes), np.bool_)
    inner = np.flatnonzero(nodes.mode != LEAF)
    parent[nodes.left[inner]] = inner
    parent[nodes.right[inner]] = inner
    is_left[nodes.left[inner]] = True
    return parent, is_left


def _tree_of(ensemble: Ensemble) -> Ints:
    """The root above each node, -1 where no tree reaches it."""
    nodes = ensemble.nodes
    tree = np.full(len(nodes), -1, np.int64)
    frontier = ensemble.roots
    tree[frontier] = frontier
    while len(frontier):
        frontier = frontier[nodes.mode[frontier] != LEAF]
        for side in (nodes.left, nodes.right):
            tree[side[frontier]] = tree[frontier]
        frontier = np.concatenate((nodes.left[frontier], nodes.right[frontier]))
    return tree


def _steps(ensemble: Ensemble, nodes: Ints) -> Iterator[tuple[Ints, Ints, Bools]]:
    """Upwards from each node: (which entries of `nodes`, the ancestor of each, whether the way goes left there)."""
    parent, is_left = _parents(ensemble)
    which, at = np.arange(len(nodes)), nodes
    while True:
        moving = parent[at] >= 0
        which, at = which[moving], at[moving]
        if not len(which):
            return
        yield which, parent[at], is_left[at]
        at = parent[at]


def _walk_to(ensemble: Ensemble, targets: Ints, rows: Floats, random: np.random.Generator) -> Floats:
    """`rows` changed so that row i takes the way to `targets[i]`, as far as intervals and sets allow it."""
    nodes, dtype = ensemble.nodes, np.dtype(ensemble.row_dtype).type
    low, high = np.full(rows.shape, -np.inf), np.full(rows.shape, np.inf)
    rows = rows.copy()
    for which, at, left in _steps(ensemble, targets):
        feature, threshold = nodes.feature[at], nodes.threshold[at]
        sets = nodes.mode[at] == MEMBER
        strict = nodes.mode[at] == LT
        narrow = threshold.astype(dtype)
        under = np.where(strict, np.nextafter(narrow, dtype(-np.inf)), narrow)
        over = np.where(strict, narrow, np.nextafter(narrow, dtype(np.inf)))
        below, above = left & ~sets, ~left & ~sets
        high[which[below], feature[below]] = np.minimum(high[which[below], feature[below]], under[below])
        low[which[above], feature[above]] = np.maximum(low[which[above], feature[above]], over[above])
        for i in np.flatnonzero(sets):
            rows[which[i], feature[i]] = _category(ensemble, int(at[i]), bool(left[i]), random)
    inside = (rows >= low) & (rows <= high)
    bound = np.isfinite(low) | np.isfinite(high)
    return np.where(bound & ~inside, _between(low, high), rows)


def _between(low: Floats, high: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        middle = low / 2 + high / 2
        near = np.where(np.isfinite(low), low + np.abs(low) * 0.01, high - np.abs(high) * 0.01)
    return np.where(np.isfinite(low) & np.isfinite(high), middle, near)


def _category(ensemble: Ensemble, node: int, member: bool, random: np.random.Generator) -> float:
    nodes = ensemble.nodes
    held = nodes.members[nodes.member_start[node] : nodes.member_start[node + 1]]
    if member:
        return float(random.choice(held)) if len(held) else np.nan
    others = np.setdiff1d(np.arange(len(held) + 2, dtype=np.float64), held)
    return float(random.choice(others))


def _reaches(ensemble: Ensemble, targets: Ints, rows: Floats) -> Bools:
    """Whether row i really passes node `targets[i]`."""
    ready, lookup = prepare(ensemble, rows), Members.of(ensemble.nodes)
    passed = np.ones(len(targets), np.bool_)
    for which, at, left in _steps(ensemble, targets):
        value = ready[which, ensemble.nodes.feature[at]]
        passed[which] &= decide(ensemble, lookup, at, value) == left
    return passed
