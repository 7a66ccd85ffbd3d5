"""A conversion inside a worker, where a library's converter may crash or hang without harm."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infer_bench.converters.base import ConvertOptions, InputDtype
from infer_bench.model import ModelRef
from infer_bench.typing import Columns
from infer_bench.workers.protocol import Request


@dataclass(frozen=True, slots=True, eq=False)
class OnnxConversion:
    """How the file was written, and groups of rows to check it on: columns by name. See `ConvertedModel`."""

    route: str
    input_dtype: InputDtype
    computes_in: InputDtype
    groups: Mapping[str, Columns]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConvertModel(Request[OnnxConversion]):
    """Convert `model` to the ONNX file `path`, with `metadata` in it."""

    title = "convert"
    model: ModelRef
    options: ConvertOptions
    metadata: Mapping[str, str]
    path: str
    allow_pickle: bool


def convert_model(request: ConvertModel) -> OnnxConversion:
    """Convert and write the file. Raises `NotConvertible` with what stands in the way."""
    from infer_bench.converters import routes

    conversion = routes.convert(request.model, request.options, request.metadata, allow_pickle=request.allow_pickle)
    Path(request.path).write_bytes(conversion.onnx)
    return OnnxConversion(
        conversion.route, conversion.input_dtype, conversion.computes_in, conversion.groups, conversion.notes
    )
