"""Writes one form of a network, and counts what of it is really smaller."""

import contextlib
import inspect
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.converters.quantization.forms import Form
from infer_bench.converters.quantization.half import Feed, copy_network, write_half
from infer_bench.converters.quantization.network import LAYERS, describe_layers
from infer_bench.engines.session import errors_as, require
from infer_bench.errors import EngineError

_INTEGER_LAYERS = frozenset(
    {"MatMulInteger", "ConvInteger", "GemmInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"}
)
_RANGES = "calibration_cache_path"
"""An argument that older versions of the tool lack."""


@dataclass(frozen=True, slots=True)
class LayerCount:
    """How many layers of an operator there are, and how many are quantised; `reason` says why the others are not."""

    operator: str
    layers: int
    quantised: int
    reason: str = ""


def write_form(
    network: Any, path: str, form: Form, feeds: Sequence[Feed], excluded: Sequence[str], ranges: str | None = None
) -> tuple[LayerCount, ...]:
    """Write `form` of `network` (an `onnx.ModelProto` from `load_network`) to `path`.

    `feeds` are the requests of calibration, `excluded` the names of layers that stay float32. In the file `ranges` is
    kept what calibration has found, for other forms of the same network and requests. Raises `EngineError` with the
    tool's own reason.
    """
    with _quietly(), errors_as(EngineError, f"{form.title} cannot be made"):
        model = _write(network, form, feeds, list(excluded), ranges)
    onnx = require("onnx", "quantize")
    onnx.save(model, path)
    return tuple(_count(network, model, form, set(excluded)))


def _write(network: Any, form: Form, feeds: Sequence[Feed], excluded: list[str], ranges: str | None) -> Any:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
        target = os.path.join(folder, "small.onnx")
        match form.kind:
            case "float16":
                return write_half(network, feeds, excluded)
            case "dynamic":
                _quantise_dynamically(copy_network(network), target, form, excluded)
            case "static":
                _quantise_statically(copy_network(network), target, form, feeds, excluded, ranges)
        return require("onnx", "quantize").load(target)


def _quantise_dynamically(network: Any, target: str, form: Form, excluded: list[str]) -> None:
    from onnxruntime import quantization as tools

    names = [*excluded, *(f"{name}_MatMul" for name in excluded)]  # what becomes of a Gemm before it is looked at
    tools.quantize_dynamic(network, target, weight_type=tools.QuantType[form.weights], nodes_to_exclude=names)


def _quantise_statically(
    network: Any, target: str, form: Form, feeds: Sequence[Feed], excluded: list[str], ranges: str | None
) -> None:
    from onnxruntime import quantization as tools

    class Requests(tools.CalibrationDataReader):  # type: ignore[misc]
        """One request after the other, then None."""

        def __init__(self) -> None:
            self._feeds = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self._feeds, None)

    tools.quantize_static(
        network,
        target,
        Requests(),
        quant_format=tools.QuantFormat.QDQ,
        activation_type=tools.QuantType[form.activations],
        weight_type=tools.QuantType[form.weights],
        per_channel=form.per_channel,
        reduce_range=form.reduced_range,
        nodes_to_exclude=excluded,
        **({_RANGES: ranges} if _RANGES in inspect.signature(tools.quantize_static).parameters else {}),
    )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The tools log and warn about every step; what matters is counted."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _count(network: Any, model: Any, form: Form, excluded: set[str]) -> Iterator[LayerCount]:
    layers = describe_layers(network)
    smaller = _half_layers(model) if form.kind == "float16" else _integer_layers(model)
    for operator in sorted({layer.operator for layer in layers}):
        group = [layer for layer in layers if layer.operator == operator]
        quantised = sum(layer.name in smaller for layer in group)
        left_out = sum(layer.name in excluded for layer in group)
        variable = sum(not layer.constant for layer in group)
        reasons = [f"{left_out} left out"] * bool(left_out) + [f"{variable} without constant weights"] * bool(variable)
        others = len(group) - quantised - left_out - variable
        skipped = "too large for float16" if form.kind == "float16" else "that the tool skips"
        reasons += [f"{others} {skipped}"] * (others > 0)
        yield LayerCount(operator, len(group), quantised, "; ".join(reasons))


def _integer_layers(model: Any) -> set[str]:
    """The names of the layers that compute with integers, as the float model has them.

    In a QDQ graph such a layer reads its weights from a DequantizeLinear and so does its activation; dynamic tools put
    an integer operator in its place, named after it, and take a Gemm apart into a MatMul and a sum.
    """
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    names = {
        node.name
        for node in model.graph.node
        if node.op_type in LAYERS and all(makers.get(name) == "DequantizeLinear" for name in node.input[:2])
    }
    replaced = (node.name for node in model.graph.node if node.op_type in _INTEGER_LAYERS)
    bare = (name.removesuffix("_quant") for name in replaced)
    return names | {base for name in bare for base in (name, name.removesuffix("_MatMul"))}


def _half_layers(model: Any) -> set[str]:
    """The names of the layers whose weights are float16."""
    half = {tensor.name for tensor in model.graph.initializer if tensor.data_type == 10}
    return {node.name for node in model.graph.node if node.op_type in LAYERS and half & set(node.input)}
