"""ONNX files, straight from the protobuf wire format: what knows one, what it must not refer to, and its nodes.

ONNX Runtime tells inputs, outputs and metadata, but no node attributes, and importing the `onnx` package costs a worker
more than loading most models. Field numbers are those of ONNX's public `onnx.proto`.
"""

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from infer_bench.errors import ModelError
from infer_bench.formats.protobuf import Message, fields, integers, messages, text

_IR_VERSION, _GRAPH, _OPSETS, _FUNCTIONS, _FUNCTION_NODES = 1, 7, 8, 25, 7
_NODES, _INITIALISERS, _SPARSE_INITIALISERS = 1, 5, 15
_METADATA, _KEY, _VALUE = 14, 1, 2
_INPUT, _OUTPUT, _OP, _ATTRIBUTE, _DOMAIN = 1, 2, 4, 5, 7
_NAME, _INT, _STRING, _TENSOR, _SUBGRAPH, _SPARSE_TENSOR = 1, 3, 4, 5, 6, 22
_FLOATS, _INTS, _STRINGS, _TENSORS, _SUBGRAPHS, _SPARSE_TENSORS = 7, 8, 9, 10, 11, 23
_DATA_TYPE, _FLOAT_DATA, _RAW_DATA, _DOUBLE_DATA, _EXTERNAL = 2, 4, 9, 10, 13
_TENSOR_NAME, _INT32_DATA, _INT64_DATA = 8, 5, 7
_CODES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8"}
_RAW = {1: "<f4", 11: "<f8"}
_DEEPEST = 64
_LOCATION = b"location"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the graph; its attributes are still on the wire."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Message] = field(repr=False)
    domain: str = ""


def nodes(data: bytes | Message) -> list[Node]:
    """The nodes of the main graph, in order. Raises `ModelError` for bytes that are no ONNX model."""
    try:
        graphs = messages(memoryview(data), _GRAPH)
        return [read_node(message) for graph in graphs for message in messages(graph, _NODES)]
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None


def read_metadata(data: bytes | Message) -> dict[str, str]:
    """What the file says of itself, by key. Raises `ModelError` for bytes that are no ONNX model."""
    try:
        entries = list(messages(memoryview(data), _METADATA))
        return {_text(entry, _KEY): _text(entry, _VALUE) for entry in entries}
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None


def all_nodes(data: bytes | Message) -> list[Node]:
    """As `nodes`, with those of branches, loops and the model's own functions."""
    model = memoryview(data)
    try:
        nodes = [node for graph in messages(model, _GRAPH) for node in _nodes_within(graph, 0)]
        for function in messages(model, _FUNCTIONS):
            nodes += [node for message in messages(function, _FUNCTION_NODES) for node in _nodes_from(message, 0)]
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None
    return nodes


def _nodes_within(graph: Message, depth: int) -> Iterator[Node]:
    if depth > _DEEPEST:
        raise ValueError("its graphs are nested too deeply")
    for message in messages(graph, _NODES):
        yield from _nodes_from(message, depth)


def _nodes_from(message: Message, depth: int) -> Iterator[Node]:
    """The node, and those of the graphs in its attributes."""
    yield read_node(message)
    for attribute in messages(message, _ATTRIBUTE):
        for inner in messages(attribute, _SUBGRAPH, _SUBGRAPHS):
            yield from _nodes_within(inner, depth + 1)


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor that lies in the graph: its type, a number of ONNX's `TensorProto.DataType`, and its first value.

    `first` is None where the tensor is empty, lies outside of the file or is not of numbers.
    """

    data_type: int
    first: float | None


def stored_tensors(data: bytes | Message) -> dict[str, StoredTensor]:
    """The initialisers and constants of the main graph by name."""
    try:
        tensors = {}
        for graph in messages(memoryview(data), _GRAPH):
            for tensor in messages(graph, _INITIALISERS):
                tensors[_text(tensor, _TENSOR_NAME)] = read_stored(tensor)
            for node in map(read_node, messages(graph, _NODES)):
                if node.op == "Constant" and "value" in node.attributes:
                    for tensor in messages(node.attributes["value"], _TENSOR):
                        tensors[node.outputs[0]] = read_stored(tensor)
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None
    return tensors


def read_stored(tensor: Message) -> StoredTensor:
    """A `TensorProto`. Raises `ValueError` for one that is broken."""
    kind = next(iter(integers(tensor, _DATA_TYPE)), 0)
    raw = b"".join(bytes(part[:8]) for part in messages(tensor, _RAW_DATA))
    code = _CODES.get(kind)
    if code and len(raw) >= np.dtype(code).itemsize:
        return StoredTensor(kind, float(np.frombuffer(raw, dtype=code, count=1)[0]))
    floats = [*_floats(tensor, _FLOAT_DATA, "<f4"), *_floats(tensor, _DOUBLE_DATA, "<f8")]
    values = floats or integers(tensor, _INT32_DATA, _INT64_DATA)
    return StoredTensor(kind, float(values[0]) if values else None)


def read_node(message: Message) -> Node:
    """A `NodeProto`. Raises `ValueError` for one that is broken."""
    inputs, outputs = (tuple(map(text, messages(message, number))) for number in (_INPUT, _OUTPUT))
    attributes = {_text(entry, _NAME): entry for entry in messages(message, _ATTRIBUTE)}
    return Node(_text(message, _OP), inputs, outputs, attributes, _text(message, _DOMAIN))


def _text(message: Message, number: int) -> str:
    """A field's text, "" where it is missing; of several the last counts."""
    return next(map(text, reversed(list(messages(message, number)))), "")


def ints(node: Node, name: str) -> list[int]:
    """An attribute's integers, signed; [] when the node lacks it. Raises `ModelError` for a broken attribute."""
    return _decode(node, name, lambda message: integers(message, _INTS, _INT))


def strings(node: Node, name: str) -> list[str]:
    """An attribute's strings, as `ints`."""
    return _decode(node, name, lambda message: [text(value) for value in messages(message, _STRINGS, _STRING)])


def floats(node: Node, name: str) -> list[float]:
    """An attribute's numbers, from a list of floats or a tensor of floats or doubles, as `ints`."""
    return _decode(node, name, lambda message: [*_floats(message, _FLOATS, "<f4"), *_tensor_floats(message)])


def _decode(node: Node, name: str, decode: Callable[[Message], list[Value]]) -> list[Value]:
    try:
        return decode(node.attributes.get(name, memoryview(b"")))
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: the attribute {name}: {error}") from None


def _floats(message: Message, number: int, code: str) -> list[float]:
    values: list[float] = np.frombuffer(b"".join(messages(message, number)), dtype=code).tolist()
    return values


def _tensor_floats(attribute: Message) -> Iterator[float]:
    for tensor in messages(attribute, _TENSOR):
        kind = next(iter(integers(tensor, _DATA_TYPE)), 1)
        if kind in _RAW:
            yield from _floats(tensor, _RAW_DATA, _RAW[kind])
        yield from _floats(tensor, _FLOAT_DATA, "<f4")
        yield from _floats(tensor, _DOUBLE_DATA, "<f8")


def looks_like_onnx(file: Path) -> bool:
    """Whether the top level reads as an ONNX ModelProto, even when its end is cut off."""
    numbers: set[int] = set()
    with map_file(file) as data:
        try:
            for number, wire, value in fields(data):
                if not _plausible(number, wire, value):
                    return False
                numbers.add(number)
        except ValueError:
            return _IR_VERSION in numbers and (bool(numbers & {2, 3, 4, 5, _GRAPH, _OPSETS}) or len(numbers) == 1)
    return _IR_VERSION in numbers and bool(numbers & {_GRAPH, _OPSETS})


def _plausible(number: int, wire: int, value: Message | int) -> bool:
    if number == _IR_VERSION:
        return wire == 0 and isinstance(value, int) and 1 <= value <= 1000
    if number in (2, 3, 4, 6, _GRAPH, _OPSETS, 14, 20, _FUNCTIONS, 26):
        return wire == 2
    return number == 5 and wire == 0


@contextmanager
def map_file(file: Path) -> Iterator[Message]:
    """The file's bytes as a read-only view, of which only what is read comes into memory."""
    with file.open("rb") as stream:
        yield memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def check_onnx(file: Path) -> None:
    """Raises `ModelError` when the file is truncated, has no graph, or refers to data outside of its folder."""
    with map_file(file) as data:
        try:
            top = [number for number, _, value in fields(data) if isinstance(value, memoryview)]
            if _GRAPH not in top:
                raise ModelError(f"{file.name} is an ONNX file without a graph")
            locations = set(_model_locations(data))
        except ValueError as error:
            raise ModelError(f"{file.name} is a broken ONNX file: {error}") from None
    for location in sorted(locations):
        _check_location(file, location)


def find_external_data(file: Path) -> tuple[Path, ...]:
    """The files in which an ONNX file keeps weights, sorted. Raises `ModelError` where it cannot be read."""
    try:
        with map_file(file) as data:
            return tuple(file.parent / location for location in sorted(set(_model_locations(data))))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file.name} cannot be read: {error}") from None


def _model_locations(model: Message) -> Iterator[str]:
    """The `location` of all tensors' data that lies outside of the file.

    Nothing is looked for in the attributes of a file without that word: those of a large ensemble take seconds.
    """
    if isinstance(model.obj, mmap.mmap) and model.obj.find(_LOCATION) < 0:
        for graph in messages(model, _GRAPH):
            for node in messages(graph, _NODES):
                list(fields(node))  # which raises where the node is broken
        return
    for graph in messages(model, _GRAPH):
        yield from _graph_locations(graph, 0)
    for function in messages(model, _FUNCTIONS):
        for node in messages(function, _FUNCTION_NODES):
            yield from _node_locations(node, 0)


def _graph_locations(graph: Message, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise ValueError("its graphs are nested too deeply")
    for node in messages(graph, _NODES):
        yield from _node_locations(node, depth)
    for tensor in messages(graph, _INITIALISERS):
        yield from _tensor_locations(tensor)
    for sparse in messages(graph, _SPARSE_INITIALISERS):
        for tensor in messages(sparse, 1, 2):  # values and indices
            yield from _tensor_locations(tensor)


def _node_locations(node: Message, depth: int) -> Iterator[str]:
    for attribute in messages(node, _ATTRIBUTE):
        for number, _, value in fields(attribute):
            if not isinstance(value, memoryview):
                continue
            if number in (_SUBGRAPH, _SUBGRAPHS):
                yield from _graph_locations(value, depth + 1)
            elif number in (_TENSOR, _TENSORS):
                yield from _tensor_locations(value)
            elif number in (_SPARSE_TENSOR, _SPARSE_TENSORS):
                for tensor in messages(value, 1, 2):
                    yield from _tensor_locations(tensor)


def _tensor_locations(tensor: Message) -> Iterator[str]:
    """Pairs of key and value say where a tensor's data lies."""
    for entry in messages(tensor, _EXTERNAL):
        pair = {number: bytes(value) for number, _, value in fields(entry) if isinstance(value, memoryview)}
        if pair.get(1) == _LOCATION:
            yield pair.get(2, b"").decode("utf-8", "replace")


def lies_beside(file: Path, other: str | Path) -> bool:
    """Whether `other`, a path from the folder of `file` on, is within that folder once links are followed."""
    folder = os.path.realpath(file.parent)
    return "\0" not in str(other) and Path(os.path.realpath(os.path.join(folder, other))).is_relative_to(folder)


def _check_location(file: Path, location: str) -> None:
    if os.path.isabs(location) or not lies_beside(file, location):
        raise ModelError(f"{file.name} refers to data outside of its folder: {location!r}")
    if not os.path.isfile(file.parent / location):
        raise ModelError(f"{file.name} keeps its weights in {location!r}, which is not beside it")
