"""The numbers that an ONNX file stores, straight from the wire format; see `onnx_graph`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.errors import ModelError
from infer_bench.formats.protobuf import Message, integers, messages, text
from infer_bench.typing import Array

_GRAPH, _NODES, _INITIALISERS, _ATTRIBUTES, _TENSOR = 7, 1, 5, 5, 5
_DIMS, _DATA_TYPE, _FLOAT_DATA, _INT32_DATA, _NAME, _RAW_DATA, _DOUBLE_DATA, _EXTERNAL = 1, 2, 4, 5, 8, 9, 10, 13
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 10: "float16", 11: "float64", 16: "bfloat16"}
_CODES = {1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 10: "<f2", 11: "<f8", 16: "<u2"}
_OP, _OUTPUT = 4, 2


@dataclass(frozen=True, slots=True, eq=False)
class Weight:
    """A stored tensor of numbers: its dtype in ONNX's words, and its values as that dtype (bfloat16 as float32)."""

    name: str
    dtype: str
    values: Array


def read_weights(data: bytes) -> list[Weight]:
    """The initialisers and constants of the main graph that hold weights of floats or small integers.

    Tensors outside of the file are left out. Raises `ModelError` for bytes that are no ONNX model.
    """
    try:
        return [weight for graph in messages(memoryview(data), _GRAPH) for weight in _weights_of(graph)]
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None


def _weights_of(graph: Message) -> Iterator[Weight]:
    for tensor in messages(graph, _INITIALISERS):
        yield from _weight(tensor, next(map(text, messages(tensor, _NAME)), ""))
    for node in messages(graph, _NODES):
        if next(map(text, messages(node, _OP)), "") == "Constant":
            name = next(map(text, messages(node, _OUTPUT)), "")
            for attribute in messages(node, _ATTRIBUTES):
                for tensor in messages(attribute, _TENSOR):
                    yield from _weight(tensor, name)


def _weight(tensor: Message, name: str) -> Iterator[Weight]:
    kind = next(iter(integers(tensor, _DATA_TYPE)), 0)
    if kind not in _CODES or any(True for _ in messages(tensor, _EXTERNAL)):
        return
    shape, values = tuple(integers(tensor, _DIMS)), _values(tensor, kind)
    if values.size == int(np.prod(shape, dtype=np.int64)):
        yield Weight(name, _DTYPES[kind], values.reshape(shape))


def _values(tensor: Message, kind: int) -> Array:
    raw = b"".join(messages(tensor, _RAW_DATA))
    if not raw and kind in (1, 11):
        raw = b"".join(messages(tensor, _FLOAT_DATA if kind == 1 else _DOUBLE_DATA))
    values: Array = np.frombuffer(raw, dtype=_CODES[kind]) if raw else _from_integers(tensor, kind)
    if kind == 16:  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def _from_integers(tensor: Message, kind: int) -> Any:
    """Small types may be stored one a 32-bit integer, floats by their bits."""
    numbers = np.array(integers(tensor, _INT32_DATA), dtype=np.int64)
    return numbers.astype("<u2").view("<f2") if kind == 10 else numbers.astype(_CODES[kind])
