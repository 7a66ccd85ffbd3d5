"""The numbers that an ONNX file stores, straight from the wire format; see `onnx_graph`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.errors import ModelError
from infer_bench.formats.protobuf import Message, integers, messages, text
from infer_bench.typing import Array

_GRAPH, _NODES, _INITIALISERS, _ATTRIBUTES, _TENSOR, _SUBGRAPHS = 7, 1, 5, 5, 5, (6, 11)
_FUNCTIONS, _FUNCTION_NAME, _FUNCTION_NODES = 25, 1, 7
_DIMS, _DATA_TYPE, _FLOAT_DATA, _INT32_DATA, _INT64_DATA, _NAME, _RAW_DATA = 1, 2, 4, 5, 7, 8, 9
_DOUBLE_DATA, _UINT64_DATA, _EXTERNAL, _KEY, _VALUE = 10, 11, 13, 1, 2
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool"} | {
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}
_CODES = {kind: np.dtype(name).newbyteorder("<") for kind, name in _DTYPES.items() if name != "bfloat16"}
_BFLOAT16 = 16
_DATA = {1: _FLOAT_DATA, 11: _DOUBLE_DATA}
_INTEGER_DATA = {7: _INT64_DATA, 12: _UINT64_DATA, 13: _UINT64_DATA}
_INPUT, _OUTPUT, _OP, _ATTRIBUTE_NAME = 1, 2, 4, 1
_NUMBERS = {"value_float": (2, "<f4"), "value_floats": (7, "<f4"), "value_int": (3, "<i8"), "value_ints": (8, "<i8")}
"""Of a `Constant` the attributes of plain numbers: the field that holds them, and what they are."""
_DEEPEST = 64
_FEWEST = 16
"""Fewer whole numbers may say how a tensor is reshaped: -1 stands for the size that is left."""


@dataclass(frozen=True, slots=True, eq=False)
class Weight:
    """A stored tensor of numbers: its dtype in ONNX's words, and its values as that dtype (bfloat16 as float32).

    What a branch, a loop or a function stores has its place before its name, as in `y/then_branch/w`.
    """

    name: str
    dtype: str
    values: Array


def read_weights(data: bytes | Message, folder: Path | None = None) -> list[Weight]:
    """The initialisers and constants of the graph, its branches, loops and functions that hold numbers.

    Tensors outside of the file are read where its `folder` is given, and else left out. Raises `ModelError` for bytes
    that are no ONNX model, `OSError` where a file beside it cannot be read.
    """
    model = memoryview(data)
    try:
        weights = [weight for graph in messages(model, _GRAPH) for weight in _weights_of(graph, "", folder, 0)]
        for function in messages(model, _FUNCTIONS):
            place = f"{_text(function, _FUNCTION_NAME)}/"
            for node in messages(function, _FUNCTION_NODES):
                weights += _weights_of_node(node, place, folder, 0)
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None
    return weights


def _weights_of(graph: Message, place: str, folder: Path | None, depth: int) -> Iterator[Weight]:
    if depth > _DEEPEST:
        raise ValueError("its graphs are nested too deeply")
    nodes = list(messages(graph, _NODES))
    shapes = {name for node in nodes if _text(node, _OP) == "Reshape" for name in map(text, messages(node, _INPUT))}
    tensors = ((_text(tensor, _NAME), tensor) for tensor in messages(graph, _INITIALISERS))
    weights = [weight for name, tensor in tensors for weight in _weight(tensor, place + name, folder)]
    weights += [weight for node in nodes for weight in _weights_of_node(node, place, folder, depth)]
    for weight in weights:
        is_shape = weight.values.dtype.kind in "iu" and weight.values.size < _FEWEST
        if not (is_shape and weight.name.removeprefix(place) in shapes):
            yield weight


def _weights_of_node(node: Message, place: str, folder: Path | None, depth: int) -> Iterator[Weight]:
    name = next(map(text, messages(node, _OUTPUT)), "")
    is_constant = _text(node, _OP) == "Constant"
    for attribute in messages(node, _ATTRIBUTES):
        kind = _text(attribute, _ATTRIBUTE_NAME)
        for graph in messages(attribute, *_SUBGRAPHS):
            yield from _weights_of(graph, f"{place}{name}/{kind}/", folder, depth + 1)
        if is_constant and kind in _NUMBERS:
            yield _plain_numbers(attribute, place + name, *_NUMBERS[kind])
        for tensor in messages(attribute, _TENSOR) if is_constant else ():
            yield from _weight(tensor, place + name, folder)


def _plain_numbers(attribute: Message, name: str, field: int, code: str) -> Weight:
    dtype = np.dtype(code)
    if dtype.kind == "i":
        return Weight(name, dtype.name, np.array(integers(attribute, field), dtype=dtype))
    return Weight(name, dtype.name, np.frombuffer(b"".join(messages(attribute, field)), dtype=dtype))


def _weight(tensor: Message, name: str, folder: Path | None) -> Iterator[Weight]:
    kind = next(iter(integers(tensor, _DATA_TYPE)), 0)
    is_outside = any(True for _ in messages(tensor, _EXTERNAL))
    if kind not in _DTYPES or (is_outside and folder is None):
        return
    raw = _read_outside(tensor, folder) if is_outside and folder else b"".join(messages(tensor, _RAW_DATA))
    shape, values = tuple(integers(tensor, _DIMS)), _values(tensor, kind, raw)
    if values.size == int(np.prod(shape, dtype=np.int64)):
        yield Weight(name, _DTYPES[kind], values.reshape(shape))


def _read_outside(tensor: Message, folder: Path) -> bytes:
    entries = {_text(entry, _KEY): _text(entry, _VALUE) for entry in messages(tensor, _EXTERNAL)}
    with (folder / entries.get("location", "")).open("rb") as file:
        file.seek(int(entries.get("offset") or 0))
        return file.read(int(entries.get("length") or -1))


def _values(tensor: Message, kind: int, raw: bytes) -> Array:
    if not raw and kind in _DATA:
        raw = b"".join(messages(tensor, _DATA[kind]))
    code = _CODES.get(kind, np.dtype("<u2"))
    values: Array = np.frombuffer(raw, dtype=code) if raw else _from_integers(tensor, kind)
    if kind == _BFLOAT16:  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def _from_integers(tensor: Message, kind: int) -> Any:
    """Small types may be stored one a 32-bit integer, floats by their bits."""
    numbers = np.array(integers(tensor, _INTEGER_DATA.get(kind, _INT32_DATA)), dtype=np.int64)
    return numbers.astype("<u2").view("<f2") if kind == 10 else numbers.astype(_CODES.get(kind, np.dtype("<u2")))


def _text(message: Message, field: int) -> str:
    return next(map(text, messages(message, field)), "")
