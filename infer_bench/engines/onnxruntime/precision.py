"""In which float dtype an ONNX graph computes each of its outputs: the narrowest one on the way there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FLOATS = {10: "float16", 16: "bfloat16", 1: "float32", 11: "float64"}
"""ONNX's numbers of the float dtypes, the narrowest first."""
_RANKS = {name: rank for rank, name in enumerate(FLOATS.values())}
_MOVING = frozenset(
    {"Identity", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Gather", "GatherND", "Concat"}
    | {"GatherElements", "ScatterND", "ScatterElements", "Split", "Expand", "Tile", "Pad", "Where", "Compress", "Max"}
    | {"Min", "Relu", "Neg", "Abs", "Sign", "Dropout", "MaxPool", "TopK", "DepthToSpace", "SpaceToDepth", "OneHot"}
    | {"ReverseSequence", "Constant", "ConstantOfShape", "Clip"}
)
"""Operators that give numbers as they get them: they round nothing."""
_NO_FLOATS = frozenset(
    {"Shape", "Size", "ArgMax", "ArgMin", "NonZero", "IsNaN", "IsInf", "Equal", "Less", "LessOrEqual", "Greater"}
    | {"GreaterOrEqual", "And", "Or", "Xor", "Not"}
)
_STASHING = frozenset({"LayerNormalization", "GroupNormalization", "RMSNormalization"})
"""Operators that compute means in float32 whatever they are given, unless `stash_type` says otherwise."""
_OF_SIZES = frozenset({"Shape", "Size"})
"""Operators that no number of a tensor reaches."""


@dataclass(slots=True)
class _Types:
    """By name a value's float dtype, and the narrowest one that was computed in on the way to it; "" of none."""

    own: dict[str, str] = field(default_factory=dict)
    on_the_way: dict[str, str] = field(default_factory=dict)


def find_precisions(model: Any) -> dict[str, str]:
    """The narrowest float dtype in which each float output is computed; nothing of graphs with functions."""
    if model.functions:
        return {}
    types = _read_graph(model.graph, _Types())
    outputs = [value for value in model.graph.output if value.type.tensor_type.elem_type in FLOATS]
    return {
        value.name: _narrowest([types.on_the_way.get(value.name, ""), FLOATS[value.type.tensor_type.elem_type]])
        for value in outputs
    }


def _read_graph(graph: Any, outer: _Types) -> _Types:
    types = _Types(dict(outer.own), dict(outer.on_the_way))
    for value in graph.input:
        types.own[value.name] = FLOATS.get(value.type.tensor_type.elem_type, "")
    for tensor in graph.initializer:
        types.own[tensor.name] = FLOATS.get(tensor.data_type, "")
    for node in graph.node:
        _read_node(node, types)
    return types


def _read_node(node: Any, types: _Types) -> None:
    inner = [_read_graph(graph, types) for graph in _graphs_of(node)]
    source = _narrowest(types.own.get(name, "") for name in node.input)
    dtype = _target(node)
    if dtype is None:
        dtype = _narrowest([source, *(part for types in inner for part in types.own.values())])
    ways = [types.on_the_way.get(name, "") for name in node.input]
    ways += [part for types in inner for part in types.on_the_way.values()]
    if node.op_type in _OF_SIZES:
        ways = []
    elif node.op_type == "Cast":
        ways.append(dtype if dtype and source and _RANKS[dtype] < _RANKS[source] else "")
    elif node.op_type not in _MOVING:
        ways += [dtype, _stash(node)]
    for name in node.output:
        types.own[name], types.on_the_way[name] = dtype, _narrowest(ways)


def _target(node: Any) -> str | None:
    """The float dtype of a node's outputs by its kind or attributes, "" of none; None where it follows from inputs."""
    if node.op_type in _NO_FLOATS:
        return ""
    attributes: Mapping[str, Any] = {attribute.name: attribute for attribute in node.attribute}
    for name in ("to", "dtype"):
        if name in attributes:
            return FLOATS.get(attributes[name].i, "")
    if "value" in attributes and attributes["value"].HasField("t"):
        return FLOATS.get(attributes["value"].t.data_type, "")
    if node.op_type == "Constant":
        return "float32" if {"value_float", "value_floats"} & attributes.keys() else ""
    return "float32" if node.op_type == "ConstantOfShape" else None


def _stash(node: Any) -> str:
    if node.op_type not in _STASHING:
        return ""
    return next((FLOATS.get(a.i, "") for a in node.attribute if a.name == "stash_type"), "float32")


def _graphs_of(node: Any) -> Iterable[Any]:
    for attribute in node.attribute:
        yield from [attribute.g] if attribute.HasField("g") else []
        yield from attribute.graphs


def _narrowest(names: Iterable[str]) -> str:
    return min(filter(None, names), key=_RANKS.__getitem__, default="")
