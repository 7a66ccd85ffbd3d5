"""What a model takes, as its server says, and which columns of the rows go there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from infer_bench.engines.http.protocols.base import Record
from infer_bench.errors import CannotRun, UsageError


class TensorMetadata(msgspec.Struct):
    """An input or output; -1 in its shape is any length."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(msgspec.Struct):
    """What `GET /v2/models/NAME` answers."""

    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata] = []
    name: str = ""

    def takes_matrix(self, columns: Sequence[str]) -> bool:
        """Whether the only input is filled with all columns."""
        return len(self.inputs) == 1 and self.inputs[0].name not in columns


@dataclass(frozen=True, slots=True)
class InputColumns:
    """An input, and the columns that it is filled with: one, or all of a matrix (`is_matrix`)."""

    name: str
    datatype: str
    columns: tuple[str, ...]
    is_matrix: bool

    def take(self, records: Sequence[Record]) -> list[Any]:
        """Their values: one a row, or with `is_matrix` a list a row."""
        if self.is_matrix:
            return [[record.get(name) for name in self.columns] for record in records]
        return [record.get(self.columns[0]) for record in records]


def read_metadata(content: bytes, url: str) -> ModelMetadata:
    """The metadata in an answer. Raises `CannotRun` where it is none."""
    try:
        metadata = msgspec.json.decode(content, type=ModelMetadata)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CannotRun(f"{url} answers no metadata of a model: {error}", "see the address") from None
    if not metadata.inputs:
        raise CannotRun(f"the model at {url} takes no inputs", "see the address")
    return metadata


_NUMBERS = ("float64", "int64")


class _Named(msgspec.Struct):
    name: str
    dtype: str = ""


class _ModelInfo(msgspec.Struct):
    inputs: list[_Named]
    name: str = ""


class _ServerMetadata(msgspec.Struct):
    extensions: list[str] = []


def read_extensions(content: bytes) -> list[str]:
    """The extensions of the protocol in what `GET /v2` answers; none where it tells none."""
    try:
        return msgspec.json.decode(content, type=_ServerMetadata).extensions
    except (msgspec.MsgspecError, RecursionError):
        return []


def read_model_name(content: bytes) -> str:
    """The name under which a model is served, in what `/model-info` answers; empty where it tells none."""
    try:
        return msgspec.json.decode(content, type=_ModelInfo).name
    except (msgspec.MsgspecError, RecursionError):
        return ""


def read_input_names(content: bytes) -> list[str]:
    """The names of a model's columns in what `/model-info` answers; none where it tells none."""
    try:
        return [one.name for one in msgspec.json.decode(content, type=_ModelInfo).inputs]
    except (msgspec.MsgspecError, RecursionError):
        return []


def read_number_columns(content: bytes) -> frozenset[str]:
    """The columns that are numbers, and no truth values, in what `/model-info` answers; none where it tells none."""
    try:
        inputs = msgspec.json.decode(content, type=_ModelInfo).inputs
    except (msgspec.MsgspecError, RecursionError):
        return frozenset()
    return frozenset(one.name for one in inputs if one.dtype in _NUMBERS)


def match_columns(metadata: ModelMetadata, columns: Sequence[str]) -> list[InputColumns]:
    """Which columns go into which input: those of its name, or all in order into the only one. Raises `UsageError`."""
    if metadata.takes_matrix(columns):
        return [_fill_matrix(metadata.inputs[0], columns)]
    missing = [tensor.name for tensor in metadata.inputs if tensor.name not in columns]
    if missing:
        raise UsageError(f"the model takes {missing[0]!r}, the rows have no such column", "name the columns so")
    return [_fill_column(tensor) for tensor in metadata.inputs]


def _fill_matrix(tensor: TensorMetadata, columns: Sequence[str]) -> InputColumns:
    if len(tensor.shape) == 1 and len(columns) == 1:
        return InputColumns(tensor.name, tensor.datatype, tuple(columns), False)
    if len(tensor.shape) != 2:
        raise UsageError(f"the input {tensor.name!r} has the shape {tensor.shape}, rows fill (rows, columns)")
    width = tensor.shape[1]
    if width not in (-1, len(columns)):
        raise UsageError(
            f"the input {tensor.name!r} takes {width} columns, the rows have {len(columns)}",
            "leave out what is no input",
        )
    return InputColumns(tensor.name, tensor.datatype, tuple(columns), True)


def _fill_column(tensor: TensorMetadata) -> InputColumns:
    rank = len(tensor.shape)
    if rank > 2 or (rank == 2 and tensor.shape[1] not in (-1, 1)):
        raise UsageError(f"the input {tensor.name!r} has the shape {tensor.shape}, a column fills (rows,) or (rows, 1)")
    return InputColumns(tensor.name, tensor.datatype, (tensor.name,), rank == 2)
