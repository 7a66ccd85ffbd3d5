"""What crosses between coordinator and worker: a JSON header and raw numeric buffers. Nothing is ever unpickled.

A worker has run a stranger's model, so what it says is data: `receive` builds numbers, strings and arrays, no objects.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from multiprocessing import BufferTooShort
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import Array

_NUMERIC = frozenset("biuf")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a word, JSON fields and named arrays of numbers."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def send(connection: Connection, message: Message) -> None:
    """Write one message; raises ValueError for arrays of anything but booleans, integers or floats."""
    for name, array in message.arrays.items():
        _crossing(name, array.dtype)
    shapes = {name: (array.dtype.str, array.shape) for name, array in message.arrays.items()}
    header = {"kind": message.kind, "fields": message.fields, "arrays": shapes}
    connection.send_bytes(json.dumps(header).encode())
    for array in message.arrays.values():
        connection.send_bytes(_bytes(np.ascontiguousarray(array)))


def receive(connection: Connection) -> Message:
    """Read one message; raises EOFError when the other side is gone, ValueError when it speaks nonsense."""
    header = json.loads(connection.recv_bytes())
    arrays = {}
    for name, (dtype, shape) in header["arrays"].items():
        arrays[name] = _array(connection, _crossing(name, np.dtype(dtype)), tuple(shape))
    return Message(header["kind"], header["fields"], arrays)


def _bytes(array: Array) -> memoryview:
    """The array's own memory: large batches are not copied to be sent."""
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def _array(connection: Connection, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> Array:
    try:
        made = np.empty(shape, dtype=dtype)
    except MemoryError:
        raise ValueError(f"an array of shape {shape} does not fit into memory") from None
    try:
        taken = connection.recv_bytes_into(_bytes(made)) if made.size else len(connection.recv_bytes())
    except BufferTooShort:
        taken = -1
    if taken != made.nbytes:
        raise ValueError(f"an array of shape {shape} came with another size")
    return made


def _crossing(name: str, dtype: "np.dtype[Any]") -> "np.dtype[Any]":
    if dtype.kind not in _NUMERIC:
        raise ValueError(f"array {name!r} of dtype {dtype} may not cross")
    return dtype


def pack_columns(columns: Mapping[str, Array]) -> Message:
    """A table as a message: numeric columns as arrays, the others as lists of strings, numbers, booleans and None."""
    numeric = {f"c{i}": c for i, c in enumerate(columns.values()) if c.dtype.kind in _NUMERIC}
    other = {f"c{i}": c.tolist() for i, c in enumerate(columns.values()) if c.dtype.kind not in _NUMERIC}
    return Message("rows", {"names": list(columns), "lists": other}, numeric)


def unpack_columns(message: Message) -> dict[str, Array]:
    """The table that `pack_columns` packed; columns that were no numbers come back as object arrays."""
    table = {}
    for i, name in enumerate(message.fields["names"]):
        if f"c{i}" in message.arrays:
            table[name] = message.arrays[f"c{i}"]
        else:
            values = message.fields["lists"][f"c{i}"]
            column = np.empty(len(values), dtype=object)
            column[:] = values
            table[name] = column
    return table


def spec_fields(spec: ModelSpec) -> dict[str, Any]:
    """A `ModelSpec` as JSON; numpy scalars among classes and categories become plain Python."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(spec), default=_plain))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} may not cross")


def spec_from(fields: Mapping[str, Any]) -> ModelSpec:
    """The `ModelSpec` that `spec_fields` wrote."""
    features = tuple(Feature(f["name"], f["kind"], tuple(f["categories"])) for f in fields["features"])
    return ModelSpec(
        fields["task"], features, tuple(fields["outputs"]), tuple(fields["classes"] or ()), fields["trees"]
    )
