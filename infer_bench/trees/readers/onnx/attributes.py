"""The attributes of ONNX's tree operators: which there are, and their values as arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from infer_bench.trees.readers.unknown import refuse_unknown
from infer_bench.typing import Bools, Floats, Ints

Attributes = Mapping[str, Any]
OPERATORS = frozenset({"TreeEnsemble", "TreeEnsembleRegressor", "TreeEnsembleClassifier"})

_MODERN = frozenset(
    {"aggregate_function", "leaf_targetids", "leaf_weights", "membership_values", "n_targets", "post_transform"}
    | {"tree_roots", "nodes_falseleafs", "nodes_falsenodeids", "nodes_featureids", "nodes_hitrates", "nodes_modes"}
    | {"nodes_missing_value_tracks_true", "nodes_splits", "nodes_trueleafs", "nodes_truenodeids"}
)
_CLASSIC = frozenset(
    {"base_values", "post_transform", "nodes_falsenodeids", "nodes_featureids", "nodes_hitrates", "nodes_modes"}
    | {"nodes_missing_value_tracks_true", "nodes_nodeids", "nodes_treeids", "nodes_truenodeids", "nodes_values"}
)
_TARGET = frozenset(
    {"aggregate_function", "n_targets", "target_ids", "target_nodeids", "target_treeids", "target_weights"}
)
_CLASS = frozenset(
    {"class_ids", "class_nodeids", "class_treeids", "class_weights", "classlabels_int64s", "classlabels_strings"}
)


def attributes_of(node: Any) -> Attributes:
    """An `onnx.NodeProto`'s attributes as lists, arrays, strings and numbers."""
    from onnx import helper, numpy_helper

    values = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    return {
        name: numpy_helper.to_array(value) if hasattr(value, "data_type") else value for name, value in values.items()
    }


def refuse_unknown_attributes(kind: str, attributes: Attributes) -> None:
    """Raise `NotConvertible` for attributes that ai.onnx.ml 1 to 5 do not define for an operator."""
    names = _known_attributes(kind)
    refuse_unknown(kind, [f"the attribute {name[:40]!r}" for name in attributes if name not in names])


def _known_attributes(kind: str) -> frozenset[str]:
    """Each list of floats of the older operators may be a tensor of doubles instead."""
    if kind == "TreeEnsemble":
        return _MODERN
    own = _CLASS if kind == "TreeEnsembleClassifier" else _TARGET
    return _CLASSIC | own | {f"{name}_as_tensor" for name in _CLASSIC | own}


def integers(attributes: Attributes, name: str) -> Ints:
    """Whole numbers; none where the operator lacks them."""
    return np.asarray(attributes.get(name, ()), dtype=np.int64)


def flags(attributes: Attributes, count: int) -> Bools:
    """Which of `count` nodes NaN passes as true; raises `ValueError` where there are neither as many nor none."""
    values = np.asarray(attributes.get("nodes_missing_value_tracks_true", ()), dtype=np.bool_)
    if len(values) not in (0, count):
        raise ValueError(f"{len(values)} flags for {count} nodes")
    return values if len(values) else np.zeros(count, dtype=np.bool_)


def reals(attributes: Attributes, name: str) -> Floats:
    """Doubles where the operator holds them, else its float32 numbers."""
    values = attributes.get(f"{name}_as_tensor", attributes.get(name, ()))
    return np.asarray(values, dtype=np.float64).reshape(-1)


def text(value: Any) -> str:
    """A string attribute, which the onnx package gives as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)
