"""What a service says of the model that it serves."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from infer_bench.engines.base import make_features
from infer_bench.engines.http.client import Client
from infer_bench.engines.http.messages import write_get
from infer_bench.engines.http.protocols.oip.metadata import ModelMetadata, TensorMetadata
from infer_bench.engines.http.target import Target
from infer_bench.errors import EngineError
from infer_bench.model import Feature, Kind, ModelSpec, Task, TensorInput

_KINDS: dict[str, Kind] = {
    "float64": "float",
    "int64": "integer",
    "bool": "boolean",
    "object": "category",
    "string": "string",
}
UNKNOWN = ModelSpec("raw", (), ("output",))
"""Of a service that says nothing of its model."""


class _Input(msgspec.Struct):
    name: str
    dtype: str = "float64"


class _Info(msgspec.Struct):
    task: Task
    inputs: list[_Input]
    outputs: list[str]
    classes: list[Any] | None = None


def ask_model_info(client: Client, target: Target, headers: Mapping[str, str], path: str = "") -> bytes:
    """What `GET /model-info` (beside `/predict`, or `path`) answers, as `infer-bench serve` does; empty without.

    Raises `EngineError` where the service cannot be asked at all.
    """
    path = path or f"{_folder_of(target)}/model-info"
    content = client.ask(write_get(target, path, headers))
    if content.status in (401, 403):
        raise EngineError(f"{target.url} asks for a bearer token ({content.status})", "name its file: token-file=FILE")
    return content.body if content.status == 200 else b""


def _folder_of(target: Target) -> str:
    return target.path.partition("?")[0].rpartition("/")[0]


def read_spec(model_info: bytes) -> ModelSpec:
    """The rows that a model takes and what it gives; `UNKNOWN` where that is not told."""
    try:
        info = msgspec.json.decode(model_info, type=_Info)
    except (msgspec.MsgspecError, RecursionError):
        return UNKNOWN
    features = tuple(Feature(one.name, _KINDS.get(one.dtype, "float")) for one in info.inputs)
    return ModelSpec(info.task, features, tuple(info.outputs), tuple(info.classes or ()))


def describe_network(metadata: ModelMetadata, inputs: tuple[TensorInput, ...]) -> ModelSpec:
    """A network of these inputs, whose outputs are those of `metadata`."""
    names = tuple(output.name for output in metadata.outputs)
    return ModelSpec("raw", (), names, inputs=inputs, output_names=names)


def describe_columns(metadata: ModelMetadata) -> ModelSpec:
    """The columns that the tensors of `metadata` take.

    A matrix says how many columns it has and not their names; of a matrix of any width nothing is known.
    """
    first = metadata.inputs[0]
    if len(metadata.inputs) == 1 and len(first.shape) == 2 and first.shape[1] != 1:
        return replace(UNKNOWN, features=make_features(max(first.shape[1], 0), kind=_kind(first)))
    return replace(UNKNOWN, features=tuple(Feature(one.name, _kind(one)) for one in metadata.inputs))


def _kind(tensor: TensorMetadata) -> Kind:
    if tensor.datatype == "BYTES":
        return "string"
    if tensor.datatype == "BOOL":
        return "boolean"
    return "float" if tensor.datatype.startswith("FP") else "integer"
