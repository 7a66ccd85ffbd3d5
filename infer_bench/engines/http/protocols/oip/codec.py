"""Rows as tensors, and tensors as predictions, in JSON or with the binary extension."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from infer_bench.engines.http.protocols.base import Answer, Body, Record
from infer_bench.engines.http.protocols.oip.metadata import InputColumns, TensorMetadata
from infer_bench.engines.http.protocols.oip.tensors import (
    make_tensor,
    read_bytes,
    read_list,
    require_values,
    write_bytes,
)
from infer_bench.model import PHASES
from infer_bench.typing import Array

_LENGTH = "Inference-Header-Content-Length"
_SIZE = "binary_data_size"


class _Output(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class _Content(msgspec.Struct):
    outputs: list[_Output]
    parameters: Any = None


_Named = InputColumns | TensorMetadata
_DECODER = msgspec.json.Decoder(_Content)
"""Of the module: a codec that holds none can be sent to another process."""


class OipCodec:
    """Tensors of the protocol; `binary` sends and asks for bytes. The predictions are the outputs of numbers.

    Where some are of floating point, those alone: labels beside probabilities are no predictions.
    """

    def __init__(self, inputs: Sequence[InputColumns], *, binary: bool) -> None:
        self.name = "oip-binary" if binary else "oip"
        self.carries_infinity = binary
        self._inputs, self._binary = inputs, binary

    def encode(self, records: Sequence[Record]) -> Body:
        """All inputs of these rows. Raises `DataError` where one cannot hold them."""
        return self._write([(one, make_tensor(one.take(records), one.datatype, one.name)) for one in self._inputs])

    def _write(self, tensors: Sequence[tuple[_Named, Array]]) -> Body:
        for one, tensor in tensors:
            require_values(tensor, one.name, binary=self._binary)
        if not self._binary:
            return Body(msgspec.json.encode({"inputs": [_describe(*pair) for pair in tensors]}), "application/json")
        parts = [write_bytes(tensor, one.datatype) for one, tensor in tensors]
        head = msgspec.json.encode(
            {
                "inputs": [
                    _name(one, tensor) | {"parameters": {_SIZE: len(part)}}
                    for (one, tensor), part in zip(tensors, parts, strict=True)
                ],
                "parameters": {"binary_data_output": True},
            }
        )
        return Body(b"".join([head, *parts]), "application/octet-stream", {_LENGTH: str(len(head))})

    def decode(self, content: bytes, headers: Mapping[bytes, bytes], rows: int) -> Answer:
        """Raises `ValueError` where no output of numbers has a row a row."""
        answer, outputs = _read(content, headers)
        tensors = [tensor for tensor in outputs.values() if tensor.dtype != object and tensor.ndim]
        floating = [tensor for tensor in tensors if tensor.dtype.kind == "f"]
        parts = [tensor.reshape(rows, -1) for tensor in floating or tensors if len(tensor) == rows and tensor.size]
        if not parts:
            raise ValueError(f"no output has a number for each of {rows} rows")
        predictions = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return Answer(predictions, *_read_parameters(answer.parameters))


class TensorCodec(OipCodec):
    """A request is a network's: each of its inputs whole, a scalar as a tensor of one element. All outputs are read."""

    def __init__(self, inputs: Sequence[TensorMetadata], *, binary: bool) -> None:
        super().__init__((), binary=binary)
        self._tensors = inputs

    def encode(self, records: Sequence[Record]) -> Body:
        """The only record, an array an input, in the dtype that the service names."""
        (record,) = records
        return self._write([(one, np.atleast_1d(record[one.name])) for one in self._tensors if one.name in record])

    def decode(self, content: bytes, headers: Mapping[bytes, bytes], rows: int) -> Answer:
        """Raises `ValueError` where there is no output."""
        answer, outputs = _read(content, headers)
        if not outputs:
            raise ValueError("the answer has no output")
        return Answer(None, *_read_parameters(answer.parameters), outputs)


def _read(content: bytes, headers: Mapping[bytes, bytes]) -> tuple[_Content, dict[str, Array]]:
    """The answer, and its outputs by name."""
    length = int(headers.get(_LENGTH.lower().encode(), b"") or len(content))
    try:
        answer = _DECODER.decode(content[:length])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return answer, _read_tensors(answer.outputs, content[length:])


def _read_parameters(parameters: Any) -> tuple[dict[str, float], str]:
    """The server's own times in µs by phase, and its path, as `infer-bench serve` gives them; none by other servers."""
    if not isinstance(parameters, dict):
        return {}, ""
    times: dict[str, Any] = {phase: parameters.get(f"{phase}_us") for phase in PHASES}
    numbers = {phase: float(value) for phase, value in times.items() if type(value) in (int, float)}
    path = parameters.get("path", "")
    return numbers, path if isinstance(path, str) else ""


def _name(one: _Named, tensor: Array) -> dict[str, Any]:
    return {"name": one.name, "shape": list(tensor.shape), "datatype": one.datatype}


def _describe(one: _Named, tensor: Array) -> dict[str, Any]:
    return _name(one, tensor) | {"data": tensor.ravel().tolist()}


def _read_tensors(outputs: Sequence[_Output], rest: bytes) -> dict[str, Array]:
    """The outputs in their datatypes and shapes; `rest` are the bytes behind the head."""
    tensors, place = {}, 0
    for output in outputs:
        if output.data is not None:
            tensors[output.name] = _read_data(output)
            continue
        size = output.parameters.get(_SIZE)
        if not isinstance(size, int) or size < 0 or place + size > len(rest):
            raise ValueError(f"the output {output.name!r} has no data")
        tensors[output.name] = read_bytes(rest[place : place + size], output.datatype, output.shape)
        place += size
    return tensors


def _read_data(output: _Output) -> Array:
    try:
        return read_list(output.data or [], output.datatype, output.shape)
    except (TypeError, ValueError, OverflowError):
        what = f"{output.datatype} of the shape {output.shape}"
        raise ValueError(f"the output {output.name!r} does not hold {what}") from None
