"""What every classifier's file needs: its labels as a constant, and a ZipMap where one is asked for."""

from typing import Any

import numpy as np

from infer_bench.converters.base import PROBABILITIES
from infer_bench.converters.onnx.columns import NUMBER
from infer_bench.converters.onnx.graph import Graph
from infer_bench.errors import NotConvertible
from infer_bench.model import Label
from infer_bench.trees.ensemble import Dtype


def make_label_table(g: Graph, classes: tuple[Label, ...], dtype: Dtype = "float64") -> tuple[str, int] | None:
    """The labels as a constant (floats in `dtype`), and its element type; None for labels of different types."""
    kinds = {type(label) for label in classes}
    if kinds == {str}:
        return g.const(classes, str), 8
    if kinds == {bool}:
        return g.const(classes, np.bool_), 9
    if kinds == {int}:
        return g.const(classes, np.int64), 7
    return (g.const(classes, np.dtype(dtype)), NUMBER[dtype]) if kinds == {float} else None


def add_zipmap(g: Graph, classes: tuple[Label, ...], probabilities: str) -> Any:
    """The output `probabilities` as a list of dicts, label -> float32; raises `NotConvertible` for other labels."""
    from onnx import helper

    if all(isinstance(label, str) for label in classes):
        keys: dict[str, Any] = {"classlabels_strings": list(classes)}
        kind = 8
    elif all(isinstance(label, int) for label in classes):
        keys, kind = {"classlabels_int64s": [int(label) for label in classes]}, 7
    else:
        raise NotConvertible("a ZipMap takes integer or string class labels only", "leave --zipmap out")
    tensor = g.op("Cast", probabilities, to=1)
    g.nodes.append(helper.make_node("ZipMap", [tensor], [PROBABILITIES], domain="ai.onnx.ml", **keys))
    g.domains["ai.onnx.ml"] = g.opset_ml
    value = helper.make_map_type_proto(kind, helper.make_tensor_type_proto(1, ()))
    return helper.make_value_info(PROBABILITIES, helper.make_sequence_type_proto(value))
