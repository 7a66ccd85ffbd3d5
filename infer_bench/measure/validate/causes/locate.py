"""The first decision that comes out otherwise: row, tree and split. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infer_bench.measure.validate.causes.counterfactual import Counterfactual
from infer_bench.measure.validate.causes.reference import ReferenceTrees
from infer_bench.trees.ensemble import LEAF, LT, MEMBER, Ensemble
from infer_bench.trees.evaluate import Members, decide, leaf_indices, prepare
from infer_bench.typing import Floats, Indices


@dataclass(frozen=True, slots=True)
class Decision:
    """Where two models part: the row among those looked at, the tree (from 0), the split in words, its value."""

    row: int
    tree: int
    feature: str
    split_text: str
    value: float


def first_decision(reference: ReferenceTrees, changes: Sequence[Counterfactual], rows: Indices) -> Decision | None:
    """The first row and tree that reach another leaf under the changes, and the split at which they part."""
    altered, plain = reference.with_changes(changes), reference.ensemble
    if altered.trees != plain.trees or len(altered.nodes) != len(plain.nodes):
        return None
    ours, theirs = reference.matrix[rows], reference.rows_with_changes(changes, rows)
    differ = leaf_indices(plain, ours) != leaf_indices(altered, theirs)
    if not differ.any():
        return None
    row = int(np.flatnonzero(differ.any(axis=1))[0])
    tree = int(np.flatnonzero(differ[row])[0])
    node = _first_parting(plain, altered, ours[row : row + 1], theirs[row : row + 1], tree)
    feature = int(plain.nodes.feature[node])
    return Decision(row, tree, plain.features[feature].name, _split_text(plain, node), float(ours[row, feature]))


def _first_parting(plain: Ensemble, altered: Ensemble, ours: Floats, theirs: Floats, tree: int) -> int:
    node = int(plain.roots[tree])
    while plain.nodes.mode[node] != LEAF:
        goes_left = _goes_left(plain, ours, node)
        if goes_left != _goes_left(altered, theirs, node):
            return node
        node = int((plain.nodes.left if goes_left else plain.nodes.right)[node])
    return node


def _goes_left(ensemble: Ensemble, row: Floats, node: int) -> bool:
    at = np.array([node])
    value = prepare(ensemble, row)[:, ensemble.nodes.feature[node]]
    return bool(decide(ensemble, Members.of(ensemble.nodes), at, value)[0])


def _split_text(ensemble: Ensemble, node: int) -> str:
    nodes = ensemble.nodes
    name = ensemble.features[int(nodes.feature[node])].name
    if nodes.mode[node] == MEMBER:
        members = nodes.members[nodes.member_start[node] : nodes.member_start[node + 1]]
        text = ", ".join(f"{value:g}" for value in members[:6]) + (", …" if len(members) > 6 else "")
        return f"{name} in {{{text}}}"
    return f"{name} {'<' if nodes.mode[node] == LT else '≤'} {float(nodes.threshold[node])!r}"
