"""A layout of trees as `TreeEnsembleRegressor` (ai.onnx.ml 3), for runtimes that do not know `TreeEnsemble`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.converters.ensemble import LT, MEMBER, Ensemble, Ints
from infer_bench.converters.graph import Graph
from infer_bench.converters.layout import Layout
from infer_bench.converters.tree_graph import put_floats, put_integers, put_strings

_LEQ, _LT, _EQ, _LEAF = range(4)
_NAMES = np.array([b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_EQ", b"LEAF"], dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Splits with each category set spread over one node a member, all sharing the branch of the members."""

    split: Ints
    mode: Ints
    value: npt.NDArray[Any]
    true: Ints
    false: Ints


def add_regressor(g: Graph, x: str, ensemble: Ensemble, layout: Layout, columns: Ints, splits: npt.NDArray[Any]) -> str:
    """The raw scores as floats (batch, outputs); `splits` and `columns` have one entry a node of the ensemble."""
    from onnx import helper

    rows = _rows(ensemble, layout, splits)
    tree = np.concatenate((layout.tree[rows.split], layout.leaf_tree))
    ids, order = _within(tree)
    leaf_rows = np.arange(len(layout.weight)) + len(rows.split)
    node = helper.make_node("TreeEnsembleRegressor", [x], [g.name("scores")], domain="ai.onnx.ml", name=g.name("n"))
    source = layout.node[rows.split]
    inner = source >= 0
    zeros = np.zeros(len(leaf_rows), np.int64)

    def whole(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate((values, zeros.astype(values.dtype)))[order]

    put_integers(node, "n_targets", ensemble.outputs)
    put_integers(node, "nodes_treeids", tree[order])
    put_integers(node, "nodes_nodeids", ids[order])
    put_integers(node, "nodes_featureids", whole(np.where(inner, columns[source], 0)))
    put_floats(node, "nodes_values", whole(rows.value))
    put_strings(node, "nodes_modes", _NAMES[np.concatenate((rows.mode, zeros + _LEAF))[order]].tolist())
    put_integers(node, "nodes_truenodeids", whole(ids[rows.true]))
    put_integers(node, "nodes_falsenodeids", whole(ids[rows.false]))
    put_integers(node, "nodes_missing_value_tracks_true", whole(inner & ensemble.nodes.missing_left[source]))
    put_integers(node, "target_treeids", layout.leaf_tree)
    put_integers(node, "target_nodeids", ids[leaf_rows])
    put_integers(node, "target_ids", layout.target)
    put_floats(node, "target_weights", layout.weight.astype(np.float32))
    g.nodes.append(node)
    g.domains["ai.onnx.ml"] = 3
    return str(node.output[0])


def _within(tree: Ints) -> tuple[Ints, Ints]:
    """Each row's number within its tree, and the order that puts the trees one after the other."""
    order = np.argsort(tree, kind="stable")
    sizes = np.bincount(tree)
    ids = np.empty(len(tree), np.int64)
    ids[order] = np.arange(len(tree)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return ids, order


def _rows(ensemble: Ensemble, layout: Layout, splits: npt.NDArray[Any]) -> _Rows:
    """The splits' rows; children are rows, a leaf's number counted on from the last of the splits' rows."""
    nodes, start = ensemble.nodes, ensemble.nodes.member_start
    lone = layout.node < 0
    modes = np.where(lone, _LEQ, _codes(ensemble, layout.node))
    sizes = np.where(modes == _EQ, np.maximum(1, start[layout.node + 1] - start[layout.node]), 1)
    split = np.repeat(np.arange(len(sizes)), sizes)
    first = np.cumsum(sizes) - sizes
    within = np.arange(len(split)) - first[split]
    value = splits[layout.node[split]].astype(np.float32)
    value[lone[split]] = 0
    empty = start[layout.node + 1] == start[layout.node]
    value[(modes == _EQ)[split] & empty[split]] = np.nan
    sets = ((modes == _EQ) & ~empty)[split]
    value[sets] = nodes.members[start[layout.node[split[sets]]] + within[sets]]
    true = np.where(layout.true_leaf, layout.true + len(split), first[np.where(layout.true_leaf, 0, layout.true)])
    false = np.where(layout.false_leaf, layout.false + len(split), first[np.where(layout.false_leaf, 0, layout.false)])
    last = within == sizes[split] - 1
    onward = np.where(last, false[split], np.arange(len(split)) + 1)
    return _Rows(split, modes[split], value, true[split], onward)


def _codes(ensemble: Ensemble, nodes: Ints) -> Ints:
    mode = ensemble.nodes.mode[nodes]
    return np.where(mode == MEMBER, _EQ, np.where(mode == LT, _LT, _LEQ))
