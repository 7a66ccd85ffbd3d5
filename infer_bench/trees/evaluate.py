"""A reference evaluator of the intermediate form, in numpy: slow, plain, and free of any runtime's shortcuts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.trees.ensemble import LEAF, LT, MEMBER, Ensemble, Link, Nodes
from infer_bench.typing import Bools, Floats, Ints

_CELLS = 1 << 20


def prepare(ensemble: Ensemble, rows: Floats) -> Floats:
    """Rows as the source library compares them: cast to its dtype, values in the zero band read as 0."""
    with np.errstate(over="ignore"):
        values = (
            rows.astype(np.float32).astype(np.float64) if ensemble.row_dtype == "float32" else rows.astype(np.float64)
        )
    if ensemble.missing_value is not None:
        values = np.where(values == np.dtype(ensemble.row_dtype).type(ensemble.missing_value), np.nan, values)
    return np.where(np.abs(values) <= ensemble.zero_band, 0.0, values) if ensemble.zero_band else values


def score(ensemble: Ensemble, rows: Floats) -> Floats:
    """Raw scores, float64 (rows, outputs), of rows (rows, features) with categories as codes.

    Leaves are added in the trees' order, in `ensemble.score_dtype`.
    """
    dtype = np.dtype(ensemble.score_dtype)
    ready = prepare(ensemble, rows)
    total = np.zeros((len(rows), ensemble.outputs), dtype)
    for chunk, leaves in _chunks(ensemble, ready):
        for tree in range(ensemble.trees):
            value = leaf_values(ensemble, ready[chunk], leaves[:, tree])
            output = ensemble.output[tree]
            if output < 0:
                total[chunk] += value.astype(dtype)
            else:
                total[chunk, output] += value[:, 0].astype(dtype)
    scores: Floats = ensemble.base + (total / dtype.type(ensemble.divisor)).astype(np.float64)
    if ensemble.linear is not None:
        scores = scores + np.nan_to_num(ready, nan=0.0, posinf=np.inf, neginf=-np.inf) @ ensemble.linear
    return scores


def predict(ensemble: Ensemble, rows: Floats) -> Floats:
    """Predictions, float64 (rows, outputs), of rows with categories as codes; NaN to those that the library refuses."""
    predictions = apply_links(ensemble.links, score(ensemble, rows))
    return np.where(_are_refused(ensemble, rows)[:, None], np.nan, predictions)


def _are_refused(ensemble: Ensemble, rows: Floats) -> Bools:
    """Which rows (rows,) the source library refuses."""
    if ensemble.refuses == "nothing":
        return np.zeros(len(rows), dtype=np.bool_)
    ready = prepare(ensemble, rows)
    wrong = np.isinf(ready) if ensemble.refuses == "infinite" else ~np.isfinite(ready)
    return np.asarray(wrong.any(axis=1))


def leaf_values(ensemble: Ensemble, ready: Floats, leaf: Ints) -> Floats:
    """What the leaves `leaf` (rows,) add, (rows, width); linear leaves are evaluated on the prepared rows."""
    value: Floats = ensemble.nodes.value[leaf]
    linear = ensemble.linear_leaves
    if linear is None:
        return value
    sizes = linear.start[leaf + 1] - linear.start[leaf]
    row = np.repeat(np.arange(len(leaf)), sizes)
    term = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes) + linear.start[leaf][row]
    inputs = ready[row, linear.feature[term]]
    result = linear.const[leaf].copy()
    np.add.at(result, row, linear.coefficient[term] * np.where(np.isnan(inputs), 0.0, inputs))
    missing = np.bincount(row[np.isnan(inputs)], minlength=len(leaf)) > 0
    return np.where(missing, value[:, 0], result)[:, None]


def leaf_indices(ensemble: Ensemble, rows: Floats) -> Ints:
    """The leaf that each row reaches in each tree, (rows, trees)."""
    leaves = [leaves for _, leaves in _chunks(ensemble, prepare(ensemble, rows))]
    return np.concatenate(leaves) if leaves else np.zeros((0, ensemble.trees), np.int64)


def _chunks(ensemble: Ensemble, ready: Floats) -> Iterator[tuple[slice, Ints]]:
    step = max(1, _CELLS // max(1, ensemble.trees))
    lookup = Members.of(ensemble.nodes)
    for start in range(0, len(ready), step):
        chunk = slice(start, start + step)
        yield chunk, _route(ensemble, lookup, ready[chunk])


def _route(ensemble: Ensemble, lookup: "Members", ready: Floats) -> Ints:
    nodes = ensemble.nodes
    at = np.broadcast_to(ensemble.roots, (len(ready), ensemble.trees)).ravel().copy()
    row = np.repeat(np.arange(len(ready)), ensemble.trees)
    active = np.flatnonzero(nodes.mode[at] != LEAF)
    while len(active):
        node = at[active]
        goes_left = decide(ensemble, lookup, node, ready[row[active], nodes.feature[node]])
        at[active] = np.where(goes_left, nodes.left[node], nodes.right[node])
        active = active[nodes.mode[at[active]] != LEAF]
    return at.reshape(len(ready), ensemble.trees)


def decide(ensemble: Ensemble, lookup: "Members", node: Ints, value: Floats) -> Bools:
    """Whether the prepared `value` goes left at `node`, elementwise."""
    nodes = ensemble.nodes
    mode, threshold = nodes.mode[node], nodes.threshold[node]
    holds = np.where(mode == LT, value < threshold, value <= threshold)
    members = mode == MEMBER
    if members.any():
        holds[members] = lookup.contains(node[members], rounded(ensemble, value[members]))
    missing = np.isnan(value) | (nodes.zero_missing[node] & (np.abs(value) <= ensemble.zero_band))
    return np.where(missing, nodes.missing_left[node], holds)


def rounded(ensemble: Ensemble, value: Floats) -> Floats:
    """A value as it is looked up among members."""
    if ensemble.rounding == "none":
        return value
    return np.trunc(value) if ensemble.rounding == "truncate" else np.floor(value)


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The members of all nodes, sorted, for look-ups."""

    node: Ints
    member: Floats
    keys: npt.NDArray[np.complex128]

    @classmethod
    def of(cls, nodes: Nodes) -> "Members":
        """Complex numbers sort by real, then imaginary part: one array holds (node, member) pairs in order."""
        node = np.repeat(np.arange(len(nodes)), np.diff(nodes.member_start))
        keys = np.sort(node + 1j * nodes.members)
        return cls(node, nodes.members, keys)

    def contains(self, node: Ints, value: Floats) -> Bools:
        """Elementwise: is `value` a member of `node`? NaN and infinities are members of nothing."""
        if not len(self.keys):
            return np.zeros(len(node), np.bool_)
        finite = np.isfinite(value)
        keys = node + 1j * np.where(finite, value, 0.0)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        hits: Bools = (self.keys[at] == keys) & finite
        return hits


def apply_links(links: tuple[Link, ...], scores: Floats) -> Floats:
    """Predictions from raw scores, both float64 (rows, outputs)."""
    with np.errstate(over="ignore", invalid="ignore"):
        for link in links:
            scores = _apply(link, scores)
    return scores


def _apply(link: Link, x: Floats) -> Floats:
    if link.kind == "sigmoid":
        return np.asarray(1.0 / (1.0 + np.exp(-link.a * x)))
    if link.kind == "softmax":
        powers = np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    if link.kind == "exp":
        return np.asarray(np.exp(x))
    if link.kind == "softplus":
        return np.asarray(np.log1p(np.exp(x)))
    if link.kind == "signed-square":
        return np.asarray(x * np.abs(x))
    if link.kind == "normalise":
        return np.asarray(x / x.sum(axis=1, keepdims=True))
    if link.kind == "clip":
        return np.clip(x, link.a, link.b)
    if link.kind == "sort":
        return np.sort(x, axis=1)
    if link.kind == "affine":
        return link.a * x + link.b
    return np.asarray(x > link.a, dtype=np.float64)


def labels(ensemble: Ensemble, scores: Floats, predictions: Floats) -> npt.NDArray[np.intp]:
    """The index of each row's class, from raw scores and predictions."""
    if ensemble.label_rule == "raw-not-negative":
        return (scores[:, 0] >= 0).astype(np.intp)
    if predictions.shape[1] == 1:
        return (predictions[:, 0] > 0.5).astype(np.intp)
    return np.asarray(predictions.argmax(axis=1))
