"""A reader of the few fields of an ONNX file that an engine needs, straight from the protobuf wire format.

ONNX Runtime tells inputs, outputs and metadata, but no node attributes, and importing the `onnx` package costs a worker
more than loading most models. Field numbers are those of `onnx.proto`; the wire format is protobuf's encoding guide's.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infer_bench.errors import ModelError

_GRAPH, _NODE = 7, 1
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 4, 5
_NAME, _INT, _STRING, _TENSOR, _FLOATS, _INTS, _STRINGS = 1, 3, 4, 5, 7, 8, 9
_RAW_DATA, _DATA_TYPE, _TENSOR_FLOATS, _TENSOR_DOUBLES, _TENSOR_INTS = 9, 2, 4, 10, 7


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the graph; its attributes are still on the wire."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, memoryview] = field(repr=False)


def nodes(data: bytes) -> list[Node]:
    """The nodes of the main graph, in order. Raises `ModelError` for bytes that are no protobuf message."""
    try:
        graphs = [value for number, value in _fields(memoryview(data)) if number == _GRAPH]
        return [_node(value) for graph in graphs for number, value in _fields(graph) if number == _NODE]
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None


def _node(message: memoryview) -> Node:
    inputs, outputs, attributes, op = [], [], {}, ""
    for number, value in _fields(message):
        if number == _NODE_INPUT:
            inputs.append(_text(value))
        elif number == _NODE_OUTPUT:
            outputs.append(_text(value))
        elif number == _NODE_OP:
            op = _text(value)
        elif number == _NODE_ATTRIBUTE:
            attributes[_attribute_name(value)] = value
    return Node(op, tuple(inputs), tuple(outputs), attributes)


def _attribute_name(message: memoryview) -> str:
    return next((_text(value) for number, value in _fields(message) if number == _NAME), "")


def ints(node: Node, name: str) -> list[int]:
    """An attribute's integers, signed; [] when the node lacks it."""
    found: list[int] = []
    for number, value in _fields(node.attributes.get(name, memoryview(b""))):
        if number in (_INTS, _INT):
            found += _varints(value) if isinstance(value, memoryview) else [value]
    return [value - (1 << 64) if value >> 63 else value for value in found]


def strings(node: Node, name: str) -> list[str]:
    """An attribute's strings; [] when the node lacks it."""
    held = _fields(node.attributes.get(name, memoryview(b"")))
    return [_text(value) for number, value in held if number in (_STRINGS, _STRING)]


def floats(node: Node, name: str) -> list[float]:
    """An attribute's numbers, from a list of floats or a tensor of floats or doubles; [] when the node lacks it."""
    found: list[float] = []
    for number, value in _fields(node.attributes.get(name, memoryview(b""))):
        if number == _FLOATS:
            found += _fixed(value, "f")
        elif number == _TENSOR:
            found += _tensor(value)
    return found


def _tensor(message: memoryview) -> list[float]:
    held = list(_fields(message))
    kind = next((value for number, value in held if number == _DATA_TYPE), 1)
    found: list[float] = []
    for number, value in held:
        if number == _RAW_DATA and kind in (1, 11):
            found += _fixed(value, "f" if kind == 1 else "d")
        elif number == _TENSOR_FLOATS:
            found += _fixed(value, "f")
        elif number == _TENSOR_DOUBLES:
            found += _fixed(value, "d")
    return found


def _fixed(value: Any, code: str) -> list[float]:
    size = struct.calcsize(code)
    return list(struct.unpack(f"<{len(value) // size}{code}", value))


def _text(value: Any) -> str:
    return bytes(value).decode()


def _varints(message: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(message):
        value, at = _varint(message, at)
        found.append(value)
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Each field's number with its value: an integer, or the bytes of anything longer."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        else:
            size = {1: 8, 5: 4}[kind] if kind in (1, 5) else len(message) + 1
        if at + size > len(message):
            raise IndexError("a field is longer than its message")
        yield number, message[at : at + size]
        at += size
