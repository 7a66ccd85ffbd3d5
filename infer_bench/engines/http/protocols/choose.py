"""Which protocol a target speaks: told by its path, or by the user."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args
from urllib.parse import quote

from infer_bench.engines.http.protocols.base import Codec
from infer_bench.engines.http.protocols.json_template import make_codec
from infer_bench.engines.http.protocols.oip.codec import OipCodec, TensorCodec
from infer_bench.engines.http.protocols.oip.metadata import (
    ModelMetadata,
    match_columns,
    read_extensions,
    read_input_names,
    read_metadata,
    read_model_name,
)
from infer_bench.engines.http.protocols.predict import PredictCodec
from infer_bench.engines.http.target import Target
from infer_bench.errors import CannotRun, UsageError

ProtocolName = Literal["predict", "json", "oip", "oip-binary"]
PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)
_INFER = "/infer"
_BINARY = "binary_tensor_data"
"""The extension of a server that takes and gives tensors as bytes."""

Fetch = Callable[[str], bytes]
"""The content at a path of the target's host."""


@dataclass(frozen=True, slots=True)
class ProtocolChoice:
    """`name` is None to have it told by the target; `body` (a file) and `answer` (a path) are those of a template."""

    name: ProtocolName | None = None
    body: str | None = None
    answer: str | None = None

    def __post_init__(self) -> None:
        if self.name not in (None, "json") and (self.body or self.answer):
            raise UsageError(f"{self.name} has a body and an answer of its own", "leave out --body and --answer")
        if self.body is None and (self.answer is not None or self.name == "json"):
            raise UsageError("JSON of another form needs a template", "give --body template.json")


def tell_protocol(choice: ProtocolChoice, target: Target) -> ProtocolName:
    """What the user names, else `json` where there is a template, `oip` for a path below `/v2`, and `predict`."""
    if choice.name is not None:
        return choice.name
    if choice.body is not None:
        return "json"
    return "oip" if target.path.startswith("/v2/") else "predict"


def complete_path(target: Target, protocol: ProtocolName) -> Target:
    """With `/infer` behind the path of a model, where that is missing. Raises `UsageError` for no model's path."""
    if not protocol.startswith("oip"):
        return target
    path = target.path.rstrip("/")
    if "/models/" not in path:
        raise UsageError(f"{target.url} names no model", "write it as in http://127.0.0.1:8080/v2/models/NAME")
    missing = "" if path.endswith(_INFER) else _INFER
    return replace(target, path=path + missing, url=target.url.rstrip("/") + missing)


def make_protocol(
    choice: ProtocolChoice, protocol: ProtocolName, target: Target, columns: Sequence[str], batch: int, fetch: Fetch
) -> Codec:
    """The codec for rows of these columns; the path of `target` is complete."""
    if protocol == "json":
        codec = make_codec(choice.body or "", choice.answer)
        codec.check(columns, batch)
        return codec
    if protocol == "predict":
        return PredictCodec()
    metadata = read_model_metadata(target, fetch)
    if metadata.takes_matrix(columns):
        columns = _name_columns(columns, metadata.inputs[0].shape[-1:], fetch)
    return OipCodec(match_columns(metadata, columns), binary=protocol == "oip-binary")


def locate_tensors(choice: ProtocolChoice, target: Target, model_info: bytes) -> Target:
    """Where the network that `model_info` names takes its tensors, beside the path of `/predict`.

    Raises `UsageError` where the user has named the other protocol.
    """
    if choice.name is not None:
        text = f"{target.url} serves a network, and protocol {choice.name} has no tensors"
        raise UsageError(text, "leave the protocol out")
    folder, root = target.path.partition("?")[0].rpartition("/")[0], target.url.removesuffix(target.path)
    path = f"{folder}/v2/models/{quote(read_model_name(model_info), safe='')}{_INFER}"
    return replace(target, path=path, url=root + path)


def make_tensor_codec(choice: ProtocolChoice, target: Target, fetch: Fetch) -> TensorCodec:
    """The codec for a network's requests; the path of `target` is complete.

    Tensors go as bytes unless the user asks for JSON, or the server does not name the extension. Raises `CannotRun`.
    """
    metadata = read_model_metadata(target, fetch)
    is_binary = choice.name == "oip-binary" or (choice.name is None and _takes_bytes(target, fetch))
    return TensorCodec(metadata.inputs, binary=is_binary)


def _takes_bytes(target: Target, fetch: Fetch) -> bool:
    """Whether the server says so of itself; JSON is what all of them take."""
    try:
        return _BINARY in read_extensions(fetch(target.path.partition("/models/")[0]))
    except CannotRun:
        return False


def read_model_metadata(target: Target, fetch: Fetch) -> ModelMetadata:
    """What the service says of a model, whose path is complete. Raises `CannotRun`."""
    return read_metadata(fetch(target.path.removesuffix(_INFER)), target.url.removesuffix(_INFER))


def _name_columns(columns: Sequence[str], width: Sequence[int], fetch: Fetch) -> Sequence[str]:
    """The columns of a matrix by name, where the service tells their names as `infer-bench serve` does; else all."""
    try:
        names = read_input_names(fetch("/model-info"))
    except CannotRun:
        return columns
    return names if list(width) == [len(names)] and set(names) <= set(columns) else columns
