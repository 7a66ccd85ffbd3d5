"""Which protocol a target speaks: told by its path, or by the user."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from infer_bench.engines.http.protocols.base import Codec
from infer_bench.engines.http.protocols.json_template import make_codec
from infer_bench.engines.http.protocols.oip.codec import OipCodec
from infer_bench.engines.http.protocols.oip.metadata import (
    ModelMetadata,
    match_columns,
    read_input_names,
    read_metadata,
)
from infer_bench.engines.http.protocols.predict import PredictCodec
from infer_bench.engines.http.target import Target
from infer_bench.errors import CannotRun, UsageError

ProtocolName = Literal["predict", "json", "oip", "oip-binary"]
PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)
_INFER = "/infer"

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
