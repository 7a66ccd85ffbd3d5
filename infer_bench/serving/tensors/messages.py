"""The protocol's messages: a request's JSON with the bytes behind it, and a response's."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from infer_bench.serving.faults import RequestFault
from infer_bench.serving.tensors import datatypes
from infer_bench.typing import Array

Parameters = dict[str, Any]
Data = TypeVar("Data", msgspec.Raw, list[float], list[float | None])


class TensorMessage(msgspec.Struct, Generic[Data]):
    """A tensor of a request: `data`, or as many bytes behind the JSON as `parameters` says."""

    name: str
    shape: list[int]
    datatype: str
    data: Data | msgspec.UnsetType = msgspec.UNSET
    parameters: Parameters | None = None


class OutputRequest(msgspec.Struct):
    """An output that is asked for."""

    name: str
    parameters: Parameters | None = None


class InferRequest(msgspec.Struct, Generic[Data]):
    """A request for predictions; without `outputs`, for all of them. Some clients write null where they leave out."""

    inputs: list[TensorMessage[Data]]
    id: str | None = None
    outputs: list[OutputRequest] | None = None
    parameters: Parameters | None = None


class OutputMessage(msgspec.Struct, omit_defaults=True):
    """A tensor of a response: its data, or how many bytes of it stand behind the JSON."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    parameters: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET


class InferResponse(msgspec.Struct, omit_defaults=True):
    """The answer; its `id` is the request's."""

    model_name: str
    model_version: str
    outputs: list[OutputMessage]
    parameters: Mapping[str, Any]
    id: str = ""


AnyRequest = InferRequest[msgspec.Raw] | InferRequest[list[float | None]]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(InferRequest[msgspec.Raw]).decode
_decode_floats = msgspec.json.Decoder(InferRequest[list[float | None]]).decode
_decode_finite = msgspec.json.Decoder(InferRequest[list[float]]).decode


def read_request(body: bytes, header_length: bytes) -> tuple[AnyRequest, dict[str, Array]]:
    """The request and its tensors by name. `header_length` is how much of the body is JSON; empty: all of it.

    Raises `RequestFault` for what the protocol does not allow.
    """
    if not header_length and (floats := _read_floats(body)) is not None:
        return floats, _read_tensors(floats, memoryview(b""))
    length = _header_length(body, header_length)
    try:
        request = _decode(memoryview(body)[:length])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RequestFault(400, "malformed", f"the body is no inference request: {message}") from None
    return request, _read_tensors(request, memoryview(body)[length:])


def _read_floats(body: bytes) -> InferRequest[list[float | None]] | None:
    """A request of nothing but flat lists of floats, in one pass; None for any other."""
    if _FLOAT not in body:
        return None
    decode: Any = _decode_floats if _NULL in body else _decode_finite  # in four fifths of the time
    try:
        request: InferRequest[list[float | None]] = decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return request if all(tensor.datatype in datatypes.FLOATS for tensor in request.inputs) else None


def _header_length(body: bytes, text: bytes) -> int:
    if not text:
        return len(body)
    if not text.isdigit() or len(text) > 12 or int(text) > len(body):
        raise RequestFault(400, "malformed", "Inference-Header-Content-Length is not the length of the body's JSON")
    return int(text)


def _read_tensors(request: AnyRequest, binary: memoryview) -> dict[str, Array]:
    tensors: dict[str, Array] = {}
    start = 0
    for tensor in request.inputs:
        name, datatype, shape = tensor.name, tensor.datatype, tensor.shape
        datatypes.check_tensor(name, datatype, shape)
        if name in tensors:
            raise RequestFault(400, "malformed", f"input {name!r} stands twice")
        parameters = tensor.parameters or {}
        if parameters:
            _refuse_extensions(f"input {name!r}", parameters)
        if isinstance(tensor.data, list):
            tensors[name] = datatypes.from_floats(name, datatype, shape, tensor.data)
            continue
        if isinstance(tensor.data, msgspec.Raw):
            tensors[name] = datatypes.from_json(name, datatype, shape, tensor.data)
            continue
        size = parameters.get("binary_data_size")
        if type(size) is not int or not 0 <= size <= len(binary) - start:
            raise RequestFault(400, "malformed", f"input {name!r} has neither data nor so many bytes behind the JSON")
        tensors[name] = datatypes.from_bytes(name, datatype, shape, binary[start : start + size])
        start += size
    if start != len(binary):
        raise RequestFault(400, "malformed", f"{len(binary) - start} bytes behind the JSON are of no input")
    return tensors


def _refuse_extensions(what: str, parameters: Parameters) -> None:
    """Raise `RequestFault` for what must not be left out in silence: other tensors would be read than asked for."""
    for name, extension in _EXTENSIONS.items():
        if name in parameters:
            raise RequestFault(400, "malformed", f"{what}: there is no {extension} here")


def write_response(
    request: AnyRequest, model: str, outputs: Mapping[str, Array], parameters: Mapping[str, Any]
) -> tuple[bytes, int | None]:
    """The body, and how much of it is JSON; None where all of it is.

    `outputs` are all that there are. Raises `RequestFault` for one that was asked for and is none of them.
    """
    by_default = (request.parameters or {}).get("binary_data_output", False) is True
    parts: list[bytes] = []
    if request.outputs:
        entries = [_write_requested(output, outputs, by_default, parts) for output in request.outputs]
    else:
        entries = [_write_tensor(name, tensor, by_default, parts) for name, tensor in outputs.items()]
    header = _encode(InferResponse(model, VERSION, entries, parameters, request.id or ""))
    return (b"".join([header, *parts]), len(header)) if parts else (header, None)


def _write_requested(
    output: OutputRequest, outputs: Mapping[str, Array], by_default: bool, parts: list[bytes]
) -> OutputMessage:
    if output.name not in outputs:
        raise RequestFault(400, "columns", f"there is no output {output.name!r}: {', '.join(outputs)}")
    parameters = output.parameters or {}
    _refuse_extensions(f"output {output.name!r}", parameters)
    is_binary = parameters.get("binary_data", by_default) is True
    return _write_tensor(output.name, outputs[output.name], is_binary, parts)


def _write_tensor(name: str, tensor: Array, is_binary: bool, parts: list[bytes]) -> OutputMessage:
    """A tensor with its data, or with its bytes appended to `parts`."""
    message = OutputMessage(name, datatypes.datatype_of(tensor), tensor.shape)
    if is_binary:
        parts.append(datatypes.to_bytes(tensor))
        message.parameters = {"binary_data_size": len(parts[-1])}
    else:
        message.data = tensor.reshape(-1).tolist()
    return message


_FLOAT, _NULL = b'"FP', b"null"
_EXTENSIONS = {"shared_memory_region": "shared memory", "classification": "classification of outputs"}
VERSION = "1"
"""The only one that there is."""
