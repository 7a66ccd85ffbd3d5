"""Trees inside a larger graph: one double `TreeEnsemble` node (ai.onnx.ml 5), or what older runtimes take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Graph
from infer_bench.converters.onnx.scores import add_scores
from infer_bench.model import Feature
from infer_bench.trees import ensemble
from infer_bench.trees.ensemble import Ensemble, Nodes, concatenate, make_nodes
from infer_bench.typing import Array

LEQ, MEMBER = 0, 6


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as arrays over its nodes. A leaf has `left` -1; elsewhere x[feature] <= threshold goes left.

    `members` maps a node to the values that go left instead; NaN goes left where `missing_left`.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    missing_left: Array
    members: dict[int, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Term:
    """A tree whose leaves add `weights[node]` to the output `target`."""

    tree: Tree
    weights: Array
    target: int


def add_trees(g: Graph, x: str, terms: Sequence[Term], targets: int) -> str:
    """The sums over the trees, in their order, double (batch, targets)."""
    from onnx import numpy_helper

    if g.opset_ml < 5:
        return _by_leaf(g, x, terms, targets)
    parts = _Parts()
    for term in terms:
        parts.add(term)
    attributes: dict[str, Any] = {name: array.tolist() for name, array in parts.integers().items()}
    for name, array in parts.tensors().items():
        attributes[name] = numpy_helper.from_array(array, name)
    g.domains["ai.onnx.ml"] = 5
    return g.op(
        "TreeEnsemble",
        x,
        domain="ai.onnx.ml",
        n_targets=targets,
        aggregate_function=1,
        post_transform=0,
        **attributes,
    )


def _by_leaf(g: Graph, x: str, terms: Sequence[Term], targets: int) -> str:
    """As the exact tree writer does it for runtimes without `TreeEnsemble`."""
    columns = 1 + max(int(term.tree.feature.max(initial=0)) for term in terms)
    nodes, roots = concatenate([nodes_of(term.tree, term.weights) for term in terms])
    whole = Ensemble(
        family="sklearn",
        task="raw",
        features=tuple(Feature(f"f{i}") for i in range(columns)),
        nodes=nodes,
        roots=roots,
        output=np.array([term.target for term in terms]),
        base=np.zeros(targets),
    )
    return add_scores(g, whole, x, "float64", "float64")[0]


def nodes_of(tree: Tree, values: Array) -> Nodes:
    """One tree's nodes, `values` (nodes,) or (nodes, width) being the leaves' answers."""
    count = len(tree.left)
    sizes = np.array([len(tree.members.get(i, ())) for i in range(count)], dtype=np.int64)
    members = [value for i in sorted(tree.members) for value in tree.members[i]]
    return make_nodes(
        feature=tree.feature,
        threshold=tree.threshold,
        left=tree.left,
        right=tree.right,
        value=values,
        mode=np.where(sizes > 0, ensemble.MEMBER, ensemble.LEQ),
        missing_left=tree.missing_left,
        member_start=np.concatenate(([0], np.cumsum(sizes))),
        members=members,
    )


class _Parts:
    """The node's attributes, one array a tree."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Array]] = {}
        self.nodes = self.leaves = 0

    def _put(self, name: str, values: Any) -> None:
        self.columns.setdefault(name, []).append(np.atleast_1d(np.asarray(values)))

    def add(self, term: Term) -> None:
        tree = term.tree
        leaf = tree.left < 0
        if leaf[0]:
            self._lone_leaf(term)
            return
        inner = np.flatnonzero(~leaf)
        self._avoid_equal_index(tree, leaf)
        index = np.where(leaf, np.cumsum(leaf) - 1 + self.leaves, np.cumsum(~leaf) - 1 + self.nodes)
        left, right = tree.left[inner], tree.right[inner]
        self._put("tree_roots", self.nodes)
        self._put("nodes_featureids", tree.feature[inner])
        self._put("nodes_splits", tree.threshold[inner])
        self._put("nodes_truenodeids", index[left])
        self._put("nodes_falsenodeids", index[right])
        self._put("nodes_trueleafs", leaf[left])
        self._put("nodes_falseleafs", leaf[right])
        self._put("nodes_missing_value_tracks_true", tree.missing_left[inner])
        members = [tree.members.get(int(node)) for node in inner] if tree.members else [None] * len(inner)
        self._put("nodes_modes", [LEQ if found is None else MEMBER for found in members])
        for found in members:
            if found is not None:
                self._put("membership_values", [*found, np.nan])
        self._put("leaf_targetids", np.full(leaf.sum(), term.target))
        self._put("leaf_weights", term.weights[leaf])
        self.nodes += len(inner)
        self.leaves += int(leaf.sum())

    def _avoid_equal_index(self, tree: Tree, leaf: Array) -> None:
        """ONNX Runtime reads a root whose false leaf and true branch have one index as a leaf (its issue 24679)."""
        left, right = int(tree.left[0]), int(tree.right[0])
        if leaf[left] or not leaf[right]:
            return
        branch = self.nodes + int((~leaf[:left]).sum())
        if self.leaves + int(leaf[:right].sum()) == branch:
            self._put("leaf_targetids", 0)
            self._put("leaf_weights", 0.0)
            self.leaves += 1

    def _lone_leaf(self, term: Term) -> None:
        for name, value in (("tree_roots", self.nodes), ("nodes_featureids", 0), ("nodes_splits", 0.0)):
            self._put(name, value)
        for name in ("nodes_truenodeids", "nodes_falsenodeids"):
            self._put(name, self.leaves)
        for name in ("nodes_trueleafs", "nodes_falseleafs", "nodes_missing_value_tracks_true"):
            self._put(name, 1)
        self._put("nodes_modes", LEQ)
        self._put("leaf_targetids", term.target)
        self._put("leaf_weights", float(term.weights[0]))
        self.nodes += 1
        self.leaves += 1

    def integers(self) -> dict[str, Array]:
        """The attributes that are lists of integers."""
        floats = ("nodes_splits", "leaf_weights", "membership_values", "nodes_modes")
        return {
            name: np.concatenate(parts).astype(np.int64) for name, parts in self.columns.items() if name not in floats
        }

    def tensors(self) -> dict[str, Array]:
        """The attributes that are tensors."""
        found = {
            name: np.concatenate(self.columns[name]).astype(np.float64) for name in ("nodes_splits", "leaf_weights")
        }
        found["nodes_modes"] = np.concatenate(self.columns["nodes_modes"]).astype(np.uint8)
        if "membership_values" in self.columns:
            found["membership_values"] = np.concatenate(self.columns["membership_values"]).astype(np.float64)
        return found
