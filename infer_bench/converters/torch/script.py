"""TorchScript modules written by torch's older exporter: the newer one takes no TorchScript."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infer_bench.converters.torch.export import describe_failure, describe_model
from infer_bench.converters.torch.programs import import_torch
from infer_bench.engines.session import require
from infer_bench.errors import MissingDependency, NotConvertible
from infer_bench.model import ModelRef
from infer_bench.typing import Array

_NEWER = "export the model with torch.export.save (.pt2)"


def write_script(
    model: ModelRef,
    path: Path,
    metadata: Mapping[str, str],
    request: Mapping[str, Array],
    axes: Mapping[str, Sequence[str]],
) -> None:
    """Write a module that takes `request`, its arrays by the names of `forward`. Raises `NotConvertible`.

    The axes that have a name in `axes` are free. The caller has seen to it that its code may run.
    """
    torch = import_torch()
    module = torch.jit.load(model.path, map_location="cpu")
    _refuse_missing(module, request)
    tensors = {name: torch.from_numpy(array) for name, array in request.items()}
    outputs = _name_outputs(torch, module, tensors)
    try:
        _export(torch, module, tensors, path, outputs, axes)
    except ImportError as error:
        raise MissingDependency(str(error.name or "onnx"), "torch") from None
    except Exception as error:  # noqa: BLE001 - the exporter raises one class an operator
        raise NotConvertible(f"PyTorch cannot export the module: {describe_failure(error)}", _NEWER) from None
    onnx = require("onnx", "torch")
    written = onnx.load(str(path))
    describe_model(written, metadata)
    path.write_bytes(written.SerializeToString())


def fix_sizes(path: Path, sizes: Mapping[str, int]) -> None:
    """Write into an ONNX file that these named axes of its inputs and outputs have one size only."""
    onnx = require("onnx", "torch")
    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param in sizes:
                axis.dim_value = sizes[axis.dim_param]
    path.write_bytes(model.SerializeToString())


def _refuse_missing(module: Any, request: Mapping[str, Array]) -> None:
    """Raise `NotConvertible` where requests leave out an input, which the exporter cannot."""
    from infer_bench.engines.torch.script import list_arguments

    missing = [argument.name for argument in list_arguments(module) if argument.name not in request]
    if missing:
        raise NotConvertible(f"the requests leave out {', '.join(missing)}", "give every input of forward in --data")


def _name_outputs(torch: Any, module: Any, tensors: Mapping[str, Any]) -> list[str]:
    from infer_bench.engines.torch.script import describe_error, name_leaves

    try:
        with torch.inference_mode():
            outputs = module(**tensors)
    except Exception as error:  # noqa: BLE001 - PyTorch raises one class an operator
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        raise NotConvertible(f"the module does not take the request ({shapes}): {describe_error(error)}") from None
    if isinstance(outputs, list):
        raise NotConvertible("the module gives a list, which ONNX knows as a sequence", "give a tuple in forward")
    return [name for name, _ in name_leaves(outputs)]


def _export(
    torch: Any,
    module: Any,
    tensors: Mapping[str, Any],
    path: Path,
    outputs: list[str],
    axes: Mapping[str, Sequence[str]],
) -> None:
    names = {name: {i: symbol for i, symbol in enumerate(own) if symbol} for name, own in axes.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(tensors.values()),
            str(path),
            dynamo=False,
            input_names=list(tensors),
            output_names=outputs,
            dynamic_axes=names,
        )
