"""An ensemble's trees as one ONNX operator: `TreeEnsemble` (ai.onnx.ml 5) or `TreeEnsembleRegressor` (3).

ONNX wants every index as one integer of a repeated field. These go from arrays to the wire directly, packed: the `onnx`
package would write them one by one, in a quarter more bytes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from infer_bench.formats.protobuf import encode_field, encode_integers
from infer_bench.trees.ensemble import LEAF, MEMBER, Ensemble
from infer_bench.typing import Array, Bools, Ints

_ATTRIBUTE, _FLOATS, _INTS = 5, 7, 8
"""Fields of ONNX's NodeProto and AttributeProto."""
_MODES_5 = np.array([0, 0, 1, 6], dtype=np.uint8)
"""LEAF (unused), LEQ, LT, MEMBER as ai.onnx.ml 5 numbers them."""
_MODES_3 = np.array([b"LEAF", b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_EQ"], dtype=object)


def make_tree_node(
    ensemble: Ensemble, columns: Ints, thresholds: Array, weights: Array, opset_ml: int
) -> tuple[Any, bytes]:
    """The operator as a `NodeProto` without inputs and outputs, and its attributes on the wire.

    `columns` (nodes,) is the input column that each node reads; `thresholds` and `weights` (nodes, width) are in the
    operator's dtype. A leaf adds its weight to its tree's output, or one to each output.
    """
    from onnx import NodeProto

    modern = opset_ml >= 5
    attributes = (_list_attributes_5 if modern else _list_attributes_3)(ensemble, columns, thresholds, weights)
    node = NodeProto(op_type="TreeEnsemble" if modern else "TreeEnsembleRegressor", domain="ai.onnx.ml")
    return node, b"".join(encode_field(_ATTRIBUTE, _encode(name, values)) for name, values in attributes.items())


def _encode(name: str, values: Any) -> bytes:
    """An `AttributeProto`: an array of integers or of float32, a list of bytes, an integer, text, or a tensor."""
    from onnx import AttributeProto, TensorProto

    attribute, numbers = AttributeProto(name=name), b""
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        attribute.type, numbers = AttributeProto.FLOATS, encode_field(_FLOATS, values.astype("<f4").tobytes())
    elif isinstance(values, np.ndarray):
        attribute.type, numbers = AttributeProto.INTS, encode_field(_INTS, encode_integers(values))
    elif isinstance(values, TensorProto):
        attribute.type = AttributeProto.TENSOR
        attribute.t.CopyFrom(values)
    elif isinstance(values, list):
        attribute.type = AttributeProto.STRINGS
        attribute.strings.extend(values)
    elif isinstance(values, bytes):
        attribute.type, attribute.s = AttributeProto.STRING, values
    else:
        attribute.type, attribute.i = AttributeProto.INT, values
    data: bytes = attribute.SerializeToString() + numbers
    return data


def _make_tensor(values: Array, name: str) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(values), name)


def _list_attributes_5(ensemble: Ensemble, columns: Ints, thresholds: Array, weights: Array) -> Mapping[str, Any]:
    nodes = ensemble.nodes
    leaf = nodes.mode == LEAF
    inner, lone = np.flatnonzero(~leaf), leaf[ensemble.roots]
    index, leaves = _number_nodes(ensemble, leaf)
    left, right = nodes.left[inner], nodes.right[inner]
    # A tree that is one leaf gets a node of its own, whose other branch leads to a copy of the leaf: ONNX Runtime up to
    # 1.28 loses the value where both lead to one.
    count = int(lone.sum())
    place, zeros, ones = ensemble.roots[lone], np.zeros(count, np.int64), np.ones(count, np.int64)
    roots = index[ensemble.roots]
    roots[lone] = len(inner) + np.arange(count)
    missing = np.concatenate((nodes.missing_left[inner].astype(np.int64), zeros))
    attributes: dict[str, Any] = {
        "n_targets": ensemble.outputs,
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": roots,
        "nodes_featureids": np.concatenate((columns[inner], zeros)),
        "nodes_splits": _make_tensor(
            np.concatenate((thresholds[inner], zeros.astype(thresholds.dtype))), "nodes_splits"
        ),
        "nodes_modes": _make_tensor(
            np.concatenate((_MODES_5[nodes.mode[inner]], zeros.astype(np.uint8))), "nodes_modes"
        ),
        "nodes_truenodeids": np.concatenate((index[left], index[place])),
        "nodes_falsenodeids": np.concatenate((index[right], leaves + np.arange(count))),
        "nodes_trueleafs": np.concatenate((leaf[left].astype(np.int64), ones)),
        "nodes_falseleafs": np.concatenate((leaf[right].astype(np.int64), ones)),
        **_list_leaves_5(ensemble, weights, index, leaves),
    }
    if missing.any():
        attributes["nodes_missing_value_tracks_true"] = missing
    if (nodes.mode == MEMBER).any():
        attributes["membership_values"] = _make_tensor(
            _delimit_members(ensemble, thresholds.dtype), "membership_values"
        )
    return attributes


def _list_leaves_5(ensemble: Ensemble, weights: Array, index: Ints, count: int) -> Mapping[str, Any]:
    """Each leaf's output and weight, then once more those of the trees that are one leaf."""
    leaf = ensemble.nodes.mode == LEAF
    place = ensemble.roots[leaf[ensemble.roots]]
    target = np.repeat(ensemble.output, count_nodes(ensemble))
    numbers = np.concatenate((_scatter(weights[leaf, 0], index[leaf], count), weights[place, 0]))
    return {
        "leaf_targetids": np.concatenate((_scatter(target[leaf], index[leaf], count), target[place])),
        "leaf_weights": _make_tensor(numbers, "leaf_weights"),
    }


def _scatter(values: Array, index: Ints, count: int) -> Array:
    array = np.zeros(count, dtype=values.dtype)
    array[index] = values
    return array


def _number_nodes(ensemble: Ensemble, leaf: Bools) -> tuple[Ints, int]:
    """Each node's number among the inner nodes or among the leaves, and the number of leaves.

    ONNX Runtime takes a branch and a leaf that share a number, below one root, for one leaf (its issue 24679), so the
    leaves are counted from another start until no such pair is left; else unused leaves are put first.
    """
    nodes = ensemble.nodes
    inner, count = ~leaf, int(leaf.sum())
    index = np.where(leaf, np.cumsum(leaf), np.cumsum(inner)) - 1
    left, right = nodes.left[inner], nodes.right[inner]
    mixed = leaf[left] != leaf[right]
    one, other = left[mixed], right[mixed]
    branch, end = np.where(leaf[one], other, one), np.where(leaf[one], one, other)
    for turn in (0, count // 2, count // 3, *range(1, min(count, 60))):
        if not np.any((index[end] + turn) % max(1, count) == index[branch]):
            return np.where(leaf, (index + turn) % max(1, count), index), count
    unused = int(inner.sum())
    return np.where(leaf, index + unused, index), count + unused


def _delimit_members(ensemble: Ensemble, dtype: Any) -> Array:
    """The members of each node in turn, a NaN after each."""
    nodes = ensemble.nodes
    sets = np.flatnonzero(nodes.mode == MEMBER)
    keep = np.repeat(nodes.mode == MEMBER, np.diff(nodes.member_start))
    ends = np.cumsum(np.diff(nodes.member_start)[sets])
    return np.insert(nodes.members[keep], ends, np.nan).astype(dtype)


def count_nodes(ensemble: Ensemble) -> Ints:
    """The number of nodes of each tree; a tree's nodes lie together, its root first."""
    return np.diff(np.append(ensemble.roots, len(ensemble.nodes)))


def _list_attributes_3(ensemble: Ensemble, columns: Ints, thresholds: Array, weights: Array) -> Mapping[str, Any]:
    nodes, sizes = ensemble.nodes, count_nodes(ensemble)
    tree = np.repeat(np.arange(ensemble.trees), sizes)
    number = np.arange(len(nodes)) - ensemble.roots[tree]
    base = ensemble.roots[tree]
    table = {
        "tree": tree,
        "number": number,
        "feature": np.where(nodes.mode == LEAF, 0, columns),
        "mode": nodes.mode.astype(np.int64),
        "value": np.where(nodes.mode == LEAF, 0, thresholds),
        "true": np.where(nodes.mode == LEAF, 0, nodes.left - base),
        "false": np.where(nodes.mode == LEAF, 0, nodes.right - base),
        "missing": nodes.missing_left.astype(np.int64),
    }
    if (nodes.mode == MEMBER).any():
        table = _chain_members(ensemble, table, sizes)
    attributes: dict[str, Any] = {
        "n_targets": ensemble.outputs,
        "aggregate_function": b"SUM",
        "post_transform": b"NONE",
        "nodes_treeids": table["tree"],
        "nodes_nodeids": table["number"],
        "nodes_featureids": table["feature"],
        "nodes_modes": _MODES_3[table["mode"]].tolist(),
        "nodes_truenodeids": table["true"],
        "nodes_falsenodeids": table["false"],
        **_name_numbers("nodes_values", table["value"].astype(thresholds.dtype)),
        **_list_targets(ensemble, tree, number, weights),
    }
    if table["missing"].any():
        attributes["nodes_missing_value_tracks_true"] = table["missing"]
    return attributes


def _list_targets(ensemble: Ensemble, tree: Ints, number: Ints, weights: Array) -> Mapping[str, Any]:
    leaf = ensemble.nodes.mode == LEAF
    width = weights.shape[1]
    output = ensemble.output[tree[leaf]]
    targets = np.where(output[:, None] < 0, np.arange(width)[None, :], output[:, None])
    return {
        "target_treeids": np.repeat(tree[leaf], width),
        "target_nodeids": np.repeat(number[leaf], width),
        "target_ids": targets.ravel(),
        **_name_numbers("target_weights", weights[leaf].ravel()),
    }


def _name_numbers(name: str, values: Array) -> Mapping[str, Any]:
    """Opset 3 takes float32 as a list and double as a tensor, under another name."""
    return {name: values} if values.dtype == np.float32 else {f"{name}_as_tensor": _make_tensor(values, name)}


def _chain_members(ensemble: Ensemble, table: dict[str, Array], sizes: Ints) -> dict[str, Array]:
    """Each set as a chain of nodes, one a member: equal goes where the set goes, else to the next."""
    nodes = ensemble.nodes
    members = np.where(nodes.mode == MEMBER, np.diff(nodes.member_start), 1)
    source = np.repeat(np.arange(len(nodes)), members)
    place = np.arange(len(source)) - np.repeat(np.cumsum(members) - members, members)
    last = place == members[source] - 1
    tree = table["tree"][source]
    extra = place > 0
    running = np.cumsum(extra) - 1
    before = np.concatenate(([0], np.cumsum(np.bincount(tree[extra], minlength=ensemble.trees))))[:-1]
    number = np.where(extra, sizes[tree] + running - before[tree], table["number"][source])
    wide = {name: values[source] for name, values in table.items()}
    wide["number"] = number
    chained = nodes.mode[source] == MEMBER
    wide["value"] = np.where(chained, 0, wide["value"])
    wide["value"][chained] = nodes.members[nodes.member_start[source[chained]] + place[chained]]
    following = np.append(number[1:], 0)
    wide["false"] = np.where(last, wide["false"], following)
    return wide
