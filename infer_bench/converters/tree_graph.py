"""A layout of trees as one ONNX node: `TreeEnsemble` (ai.onnx.ml 5) or `TreeEnsembleRegressor` (3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.converters.ensemble import LEQ, LT, MEMBER, Ensemble, Ints
from infer_bench.converters.graph import Graph
from infer_bench.converters.layout import Layout

_MODES = {int(LEQ): 0, int(LT): 1, int(MEMBER): 6}
_NAMES = np.array([b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_EQ", b"LEAF"], dtype=object)


def add_ensemble(
    g: Graph, x: str, ensemble: Ensemble, layout: Layout, columns: Ints, splits: npt.NDArray[Any], dtype: Any
) -> str:
    """The raw scores (batch, outputs) in `dtype`, double or float; `splits` and `columns` have one entry a node."""
    from onnx import helper, numpy_helper

    modes = np.where(layout.node < 0, 0, _mode_codes(ensemble)[layout.node]).astype(np.uint8)
    inner = layout.node >= 0
    missing = inner & ensemble.nodes.missing_left[layout.node]
    tensors = {
        "nodes_splits": np.where(inner, splits[layout.node], dtype(0)).astype(dtype),
        "nodes_modes": modes,
        "leaf_weights": layout.weight.astype(dtype),
    }
    if (modes == 6).any():
        tensors["membership_values"] = _members(ensemble, layout.node[modes == 6]).astype(dtype)
    node = helper.make_node("TreeEnsemble", [x], [g.name("scores")], domain="ai.onnx.ml", name=g.name("n"))
    for name, array in tensors.items():
        node.attribute.append(helper.make_attribute(name, numpy_helper.from_array(array, name)))
    put_integers(node, "n_targets", ensemble.outputs)
    put_integers(node, "aggregate_function", 1)
    put_integers(node, "tree_roots", layout.roots)
    put_integers(node, "nodes_featureids", np.where(inner, columns[layout.node], 0))
    put_integers(node, "nodes_truenodeids", layout.true)
    put_integers(node, "nodes_falsenodeids", layout.false)
    put_integers(node, "nodes_trueleafs", layout.true_leaf)
    put_integers(node, "nodes_falseleafs", layout.false_leaf)
    if missing.any():
        put_integers(node, "nodes_missing_value_tracks_true", missing)
    put_integers(node, "leaf_targetids", layout.target)
    g.nodes.append(node)
    g.domains["ai.onnx.ml"] = 5
    return str(node.output[0])


def _mode_codes(ensemble: Ensemble) -> npt.NDArray[Any]:
    table = np.zeros(256, np.uint8)
    for mode, code in _MODES.items():
        table[mode] = code
    codes = table[ensemble.nodes.mode]
    return codes if len(codes) else np.zeros(1, np.uint8)


def _members(ensemble: Ensemble, nodes: Ints) -> npt.NDArray[Any]:
    """The members of each node in turn, each set closed by NaN."""
    start = ensemble.nodes.member_start
    sizes = start[nodes + 1] - start[nodes]
    ends = np.cumsum(sizes + 1) - 1
    values = np.full(int((sizes + 1).sum()), np.nan)
    inside = np.ones(len(values), np.bool_)
    inside[ends] = False
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    values[inside] = ensemble.nodes.members[np.repeat(start[nodes], sizes) + within]
    return values


def put_integers(node: Any, name: str, values: int | npt.NDArray[Any]) -> None:
    """Set an integer attribute, or one of integers, without the checks on each entry that `onnx.helper` makes."""
    from onnx import AttributeProto

    attribute = node.attribute.add()
    attribute.name = name
    if isinstance(values, int):
        attribute.type, attribute.i = AttributeProto.INT, values
    else:
        attribute.type = AttributeProto.INTS
        attribute.ints.extend(values.astype(np.int64).tolist())


def put_floats(node: Any, name: str, values: npt.NDArray[Any]) -> None:
    """Set an attribute of floats."""
    from onnx import AttributeProto

    attribute = node.attribute.add()
    attribute.name, attribute.type = name, AttributeProto.FLOATS
    attribute.floats.extend(values.tolist())


def put_strings(node: Any, name: str, values: Sequence[bytes]) -> None:
    """Set an attribute of strings."""
    from onnx import AttributeProto

    attribute = node.attribute.add()
    attribute.name, attribute.type = name, AttributeProto.STRINGS
    attribute.strings.extend(values)
