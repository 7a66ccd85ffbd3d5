"""A conversion inside a worker, where a library's converter may crash or hang without harm."""

import contextlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class NetworkRoute:
    """How the file of a network was written, in words."""

    route: str


@dataclass(frozen=True, slots=True, eq=False)
class ConvertNetwork(Request[NetworkRoute]):
    """Convert `model`, which takes tensors, to the ONNX file `path`; its weights beside it where `external`.

    `request` are the arrays of one request, by input, of a module that keeps no shapes; `axes` the names of their free
    axes, by place, empty for those that are fixed.
    """

    title = "convert"
    model: ModelRef
    metadata: Mapping[str, str]
    path: str
    external: bool
    allow_pickle: bool = False
    request: Columns = field(default_factory=dict)
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FixSizes(Request[None]):
    """Give named axes of the ONNX file `path` these sizes."""

    title = "fix sizes"
    path: str
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ImportWriter(Request[None]):
    """Import what conversions need, and these `modules`, ahead of the model's description."""

    title = "import"
    modules: tuple[str, ...] = ()


def import_writer(request: ImportWriter) -> None:
    """Import it where it is installed; the conversion says what is missing."""
    from infer_bench.converters.onnx import writer  # noqa: F401

    for module in ("onnx", *request.modules):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def convert_model(request: ConvertModel) -> OnnxConversion:
    """Convert and write the file. Raises `NotConvertible` with what stands in the way."""
    from infer_bench.converters import routes

    conversion = routes.convert(request.model, request.options, request.metadata, allow_pickle=request.allow_pickle)
    Path(request.path).write_bytes(conversion.onnx)
    return OnnxConversion(
        conversion.route, conversion.input_dtype, conversion.computes_in, conversion.groups, conversion.notes
    )


def convert_network(request: ConvertNetwork) -> NetworkRoute:
    """Convert and write the file. Raises `NotConvertible` with what stands in the way."""
    from infer_bench.converters import routes

    path = Path(request.path)
    route = routes.write_network(
        request.model,
        path,
        request.metadata,
        request.request,
        request.axes,
        external=request.external,
        allow_pickle=request.allow_pickle,
    )
    return NetworkRoute(route)


def fix_sizes(request: FixSizes) -> None:
    """Write the file anew."""
    from infer_bench.converters.torch import script

    script.fix_sizes(Path(request.path), request.sizes)
