"""Graphs, their constants and the model's own functions, read from the wire."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from infer_bench.formats.graph_uses.input_use import Constant
from infer_bench.formats.onnx_graph import Node, read_node, read_stored
from infer_bench.formats.protobuf import Message, integers, messages, text
from infer_bench.formats.signature import read_size

_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODES, _GRAPH_INITIALISERS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_VALUES = 1, 5, 11, 12, 13
_FUNCTION_NAME, _FUNCTION_INPUTS, _FUNCTION_OUTPUTS, _FUNCTION_NODES = 1, 4, 5, 7
_VALUE_NAME, _VALUE_TYPE, _TENSOR_TYPE, _SHAPE, _DIMENSION = 1, 2, 1, 2, 1
_TENSOR_DIMENSIONS, _TENSOR_DATA_TYPE, _TENSOR_NAME = 1, 2, 8
_TENSOR_INT32, _TENSOR_INT64, _TENSOR_RAW = 5, 7, 9
_ATTRIBUTE_TENSOR, _ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_GRAPHS = 5, 2, 3, (6, 11)
_INT32, _INT64 = 6, 7
_SHORT = 16
_LONGEST_RANGE = 1 << 20
"""So many whole numbers are read at the most: a table of classes is shorter, and one of weights is not of them."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph or a function: the names that come in and go out, constants and nodes.

    `declared` are the sizes that it declares of values, an int or a symbol an axis; None where it says neither.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    declared: dict[str, tuple[int | str | None, ...]]
    constants: dict[str, Constant]
    nodes: Message
    node_field: int

    def read_nodes(self) -> Iterator[Node]:
        """Its nodes, each before those that use it."""
        return map(read_node, messages(self.nodes, self.node_field))


def read_main_graph(model: Message) -> Graph:
    """The model's graph; an empty one where there is none. Raises `ValueError` for bytes that are no ONNX model."""
    return read_graph(next(messages(model, _MODEL_GRAPH), memoryview(b"")))


def read_graph(graph: Message) -> Graph:
    """A `GraphProto`. Raises `ValueError` for one that is broken."""
    names = tuple(map(_name, messages(graph, _GRAPH_INPUTS)))
    values = messages(graph, _GRAPH_INPUTS, _GRAPH_VALUES, _GRAPH_OUTPUTS)
    sizes_by_name = {_name(value): sizes for value in values if (sizes := _read_sizes(value)) is not None}
    constants = [_read_constant(tensor) for tensor in messages(graph, _GRAPH_INITIALISERS)]
    outputs = tuple(map(_name, messages(graph, _GRAPH_OUTPUTS)))
    return Graph(
        names, outputs, sizes_by_name, {constant.name: constant for constant in constants}, graph, _GRAPH_NODES
    )


def read_functions(model: Message) -> dict[str, Graph]:
    """The model's own functions by name."""
    functions = {}
    for function in messages(model, _MODEL_FUNCTIONS):
        inputs = tuple(map(text, messages(function, _FUNCTION_INPUTS)))
        outputs = tuple(map(text, messages(function, _FUNCTION_OUTPUTS)))
        name = next(map(text, messages(function, _FUNCTION_NAME)), "")
        functions[name] = Graph(inputs, outputs, {}, {}, function, _FUNCTION_NODES)
    return functions


def subgraphs(node: Node) -> list[Graph]:
    """The graphs in a node's attributes: branches, or the body of a loop."""
    parts = [messages(attribute, *_ATTRIBUTE_GRAPHS) for attribute in node.attributes.values()]
    return [read_graph(graph) for part in parts for graph in part]


def read_constant_node(node: Node) -> Constant | None:
    """What a `Constant` node holds; None for text and sparse tensors."""
    if "value" in node.attributes:
        tensor = next(messages(node.attributes["value"], _ATTRIBUTE_TENSOR), None)
        return None if tensor is None else _read_constant(tensor, node.outputs[0])
    if "value_int" in node.attributes:
        number = integers(node.attributes["value_int"], _ATTRIBUTE_INT)[0]
        return Constant(node.outputs[0], (), float(number), (number,))
    if "value_ints" in node.attributes:
        numbers = tuple(integers(node.attributes["value_ints"], 8))
        return Constant(node.outputs[0], (len(numbers),), float(numbers[0]) if numbers else None, numbers)
    return None


def _read_constant(tensor: Message, name: str = "") -> Constant:
    sizes = tuple(integers(tensor, _TENSOR_DIMENSIONS))
    name = name or next(map(text, messages(tensor, _TENSOR_NAME)), "")
    count = 1
    for size in sizes:
        count *= size
    data_type = next(iter(integers(tensor, _TENSOR_DATA_TYPE)), 0)
    is_whole = data_type in (_INT32, _INT64) and count <= _LONGEST_RANGE
    first = read_stored(tensor).first if count <= _SHORT else None
    return Constant(name, sizes, first, _whole_numbers(tensor, data_type) if is_whole else ())


def _whole_numbers(tensor: Message, data_type: int) -> tuple[int, ...]:
    raw = b"".join(messages(tensor, _TENSOR_RAW))
    if raw:
        values: list[int] = np.frombuffer(raw, dtype="<i8" if data_type == _INT64 else "<i4").tolist()
        return tuple(values)
    return tuple(integers(tensor, _TENSOR_INT64 if data_type == _INT64 else _TENSOR_INT32))


def _name(value: Message) -> str:
    return next(map(text, messages(value, _VALUE_NAME)), "")


def _read_sizes(value: Message) -> tuple[int | str | None, ...] | None:
    """The sizes that a `ValueInfoProto` declares; None where it declares no number of axes."""
    for kind in messages(value, _VALUE_TYPE):
        for tensor in messages(kind, _TENSOR_TYPE):
            for shape in messages(tensor, _SHAPE):
                return tuple(map(read_size, messages(shape, _DIMENSION)))
    return None
