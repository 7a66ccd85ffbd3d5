"""Which rows reach a node: the conditions on the way from the root, as one box a node."""

from dataclasses import dataclass

import numpy as np

from infer_bench.trees.ensemble import LEAF, LT, MEMBER, Ensemble
from infer_bench.typing import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """For each node and feature, closed bounds (nodes, features), and the code to take where a set decides (NaN:
    none). `reachable` (nodes,): no bound excludes another and the node's own threshold lies within.
    """

    low: Floats
    high: Floats
    code: Floats
    reachable: Bools


def boxes(ensemble: Ensemble, targets: Ints) -> Boxes:
    """Walk from the nodes `targets` to their roots, all at once, and narrow the bounds on the way.

    Of sets only the nearest above a node is honoured, so a row made from it may stray; bounds of numbers are exact.
    """
    nodes, parent = ensemble.nodes, parents(ensemble)
    shape = (len(targets), len(ensemble.features))
    low, high, code = np.full(shape, -np.inf), np.full(shape, np.inf), np.full(shape, np.nan)
    row, node = np.arange(len(targets)), targets
    while len(row):
        above = parent[node]
        row, node, above = row[above >= 0], node[above >= 0], above[above >= 0]
        feature, threshold = nodes.feature[above], nodes.threshold[above]
        went_left, strict = nodes.left[above] == node, nodes.mode[above] == LT
        numeric = nodes.mode[above] != MEMBER
        at_most = np.where(strict, np.nextafter(threshold, -np.inf), threshold)
        at_least = np.where(strict, threshold, np.nextafter(threshold, np.inf))
        upper, lower = numeric & went_left, numeric & ~went_left
        np.minimum.at(high, (row[upper], feature[upper]), at_most[upper])
        np.maximum.at(low, (row[lower], feature[lower]), at_least[lower])
        _take_codes(ensemble, code, row[~numeric], above[~numeric], went_left[~numeric])
        node = above
    own = nodes.threshold[targets]
    at = (np.arange(len(targets)), nodes.feature[targets])
    inside = (low[at] <= own) & (own <= high[at])
    return Boxes(low, high, code, inside & np.all(low <= high, axis=1))


def _take_codes(ensemble: Ensemble, code: Floats, row: Ints, node: Ints, went_left: Bools) -> None:
    """A member of the node's set where the way goes left, else a code beyond all members; nearer sets come first."""
    feature, codes = ensemble.nodes.feature, {n: _codes_of(ensemble, n) for n in np.unique(node).tolist()}
    for r, n, goes_left in zip(row.tolist(), node.tolist(), went_left.tolist(), strict=True):
        if np.isnan(code[r, feature[n]]):
            code[r, feature[n]] = codes[n][0 if goes_left else 1]


def _codes_of(ensemble: Ensemble, node: int) -> tuple[float, float]:
    """A member of a node's set and the least code that is none; NaN twice for an empty set."""
    nodes = ensemble.nodes
    members = nodes.members[nodes.member_start[node] : nodes.member_start[node + 1]]
    if not len(members):
        return np.nan, np.nan
    ordered = np.unique(members)
    return float(members[0]), float(np.append(ordered != np.arange(len(ordered)), True).argmax())


def parents(ensemble: Ensemble) -> Ints:
    """Each node's parent (nodes,), -1 for a root."""
    nodes = ensemble.nodes
    parent = np.full(len(nodes), -1, dtype=np.int64)
    inner = np.flatnonzero(nodes.mode != LEAF)
    parent[nodes.left[inner]] = inner
    parent[nodes.right[inner]] = inner
    return parent
