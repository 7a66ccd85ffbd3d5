"""The inputs of a network, as its server describes them."""

from collections.abc import Sequence

import msgspec
import numpy as np

from infer_bench.engines.http.protocols.oip.metadata import ModelMetadata, TensorMetadata
from infer_bench.engines.http.protocols.oip.tensors import DTYPES
from infer_bench.errors import CannotRun
from infer_bench.formats.signature import are_columns, find_batch_axis
from infer_bench.model import TensorInput

TENSORS = "tensors"
"""What `/model-info` says that a network takes."""


class DescribedInput(msgspec.Struct):
    """An input in what `/model-info` tells of a network: the names of its axes, and -1 for a free one without a name.

    Its shape is None where the number of its axes is not known.
    """

    name: str
    shape: list[int | str] | None = []
    optional: bool = False


class _ModelInfo(msgspec.Struct):
    takes: str
    inputs: list[DescribedInput]


def describe_inputs(metadata: ModelMetadata, described: Sequence[DescribedInput] = ()) -> tuple[TensorInput, ...]:
    """The inputs by the protocol's metadata, their axes as `described` where they are.

    Raises `CannotRun` for a datatype that is not known.
    """
    by_name = {one.name: one for one in described}
    return tuple(_describe_input(tensor, by_name.get(tensor.name)) for tensor in metadata.inputs)


def _describe_input(tensor: TensorMetadata, described: DescribedInput | None) -> TensorInput:
    dtype = "object" if tensor.datatype == "BYTES" else DTYPES.get(tensor.datatype)
    if dtype is None:
        raise CannotRun(f"the input {tensor.name!r} has the datatype {tensor.datatype}, of which nothing is known here")
    sizes = tensor.shape if described is None else described.shape
    shape = None if sizes is None else tuple(None if size in (-1, "") else size for size in sizes)
    name, is_optional = tensor.name, described is not None and described.optional
    return TensorInput(name, np.dtype(dtype).name, shape, find_batch_axis(name, shape), is_optional)


def read_described_inputs(model_info: bytes) -> list[DescribedInput]:
    """The inputs of a network in what `/model-info` answers; none of another model, and of a server that has none."""
    try:
        info = msgspec.json.decode(model_info, type=_ModelInfo)
    except (msgspec.MsgspecError, RecursionError):
        return []
    return info.inputs if info.takes == TENSORS else []


def takes_tensors(inputs: Sequence[TensorInput]) -> bool:
    """Whether inputs of which only the protocol's metadata is known are a network's, and not columns of rows.

    A matrix of floats may have any width, and a single axis counts rows.
    """
    if len(inputs) == 1:
        (tensor,) = inputs
        rank = 0 if tensor.shape is None else len(tensor.shape)
        return rank != 1 and not (rank == 2 and tensor.dtype.startswith("float")) and not are_columns(inputs)
    return not are_columns(inputs)
