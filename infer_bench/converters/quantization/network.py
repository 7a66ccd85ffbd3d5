"""An ONNX network as the tools that shrink it need it: cleaned on a copy, its layers named, or refused with the reason.

`quantize_dynamic` stops at files of torch's exporter whose `value_info` contradicts what is inferred; without it the
same file is quantised. Names of inputs and outputs stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infer_bench.converters.quantization.types import complete_types
from infer_bench.engines.session import errors_as, first_line, require
from infer_bench.errors import ModelError, NotConvertible

LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
"""The operators whose weights become integers."""
OLDEST_OPSET = 13
"""From here on a weight can have a scale a channel."""
MOST_BYTES = 2_000_000_000
"""Protobuf ends at 2 GiB."""
_TREES = frozenset({"TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"})
_LINEAR = frozenset({"LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"})
_QUANTISED = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "MatMulInteger", "ConvInteger", "QLinearConv", "QLinearMatMul"}
)
_OTHER_WAY = "infer-bench convert --precision float32 makes a smaller file of trees"


@dataclass(frozen=True, slots=True)
class Layer:
    """A node that could compute with integers. `constant` says whether its weights stand in the file."""

    name: str
    operator: str
    constant: bool


def load_network(path: str) -> Any:
    """The model, cleaned: an `onnx.ModelProto`. Raises `NotConvertible` for what gains nothing, `ModelError`."""
    onnx = require("onnx", "quantize")
    if Path(path).stat().st_size > MOST_BYTES:
        raise NotConvertible("the file is over 2 GB, which the tools that quantise cannot hold")
    with errors_as(ModelError, f"onnx cannot read {Path(path).name}"):
        model = onnx.load(path)
    _refuse(model)
    return _mend(onnx, model)


def _refuse(model: Any) -> None:
    operators = {node.op_type for node in _all_nodes(model.graph)}
    for function in model.functions:
        operators |= {node.op_type for node in function.node}
    if operators & _TREES and not operators & LAYERS:
        raise NotConvertible("the model is made of trees: int8 makes them neither smaller nor faster", _OTHER_WAY)
    if operators & _LINEAR and not operators & LAYERS:
        raise NotConvertible("the model is linear: there is nothing that int8 would make faster")
    already = sorted(operators & _QUANTISED)
    if already:
        raise NotConvertible(f"the model is quantised already: it has {already[0]}", "give the float32 model")
    if any(_is_float16(tensor) for tensor in model.graph.initializer):
        raise NotConvertible("the model's weights are float16 already", "give the float32 model")
    if not operators & LAYERS:
        raise NotConvertible(f"the model has no layer that can be int8: none of {', '.join(sorted(LAYERS))}")


def _is_float16(tensor: Any) -> bool:
    return bool(tensor.data_type == 10)


def _all_nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph and of those inside its nodes."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _all_nodes(inner)


def _mend(onnx: Any, model: Any) -> Any:
    """Newer operators where the file is old, no stale shapes, constants folded, a name for every layer."""
    _drop_stale(model)
    if _opset(model) < OLDEST_OPSET:
        with errors_as(ModelError, "the model's operators cannot be brought to opset 13"):
            model = onnx.version_converter.convert_version(model, OLDEST_OPSET)
    model = _simplify(onnx, model)
    _drop_stale(model)
    try:
        model = onnx.shape_inference.infer_shapes(model)
    except Exception:  # noqa: BLE001 - shapes help the tools; where they cannot be inferred, the tools say what they lack
        _drop_stale(model)
    complete_types(onnx, model)
    _name_layers(model)
    layers = describe_layers(model)
    if len(layers) == 1 and layers[0].operator in ("Gemm", "MatMul") and _is_linear(model):
        raise NotConvertible("the model is linear: there is nothing that int8 would make faster")
    if not any(layer.constant for layer in layers):
        raise NotConvertible("no layer of the model has its weights in the file", "export it with constant weights")
    return model


def _opset(model: Any) -> int:
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)


def _drop_stale(model: Any) -> None:
    """Shapes inside the graph, which some exporters get wrong, and constants that an old file lists as inputs too."""
    del model.graph.value_info[:]
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) < len(model.graph.input):
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        model.ir_version = max(model.ir_version, 4)


def _simplify(onnx: Any, model: Any) -> Any:
    """As ONNX Runtime rewrites it at its basic level, which keeps what is computed: batch normalisation is merged."""
    import tempfile

    library = require("onnxruntime", "quantize")
    with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
        target = str(Path(folder) / "simple.onnx")
        settings = library.SessionOptions()
        settings.graph_optimization_level = library.GraphOptimizationLevel.ORT_ENABLE_BASIC
        settings.optimized_model_filepath, settings.log_severity_level = target, 4
        settings.intra_op_num_threads = 1
        try:
            library.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            raise ModelError(f"ONNX Runtime cannot load the model: {first_line(error)}") from None
        return onnx.load(target)


def _name_layers(model: Any) -> None:
    """The tools leave out layers by name: each has one that no other has."""
    names: set[str] = set()
    for index, node in enumerate(model.graph.node):
        if not node.name or node.name in names:
            node.name = f"{node.op_type}_{index}"
        names.add(node.name)


def _is_linear(model: Any) -> bool:
    """Whether nothing but sums, casts and the last link surround the only layer."""
    around = {node.op_type for node in model.graph.node} - LAYERS
    return around <= {
        "Add",
        "Cast",
        "Sub",
        "Mul",
        "Div",
        "Identity",
        "Reshape",
        "Flatten",
        "Softmax",
        "Sigmoid",
        "ArgMax",
    }


def describe_layers(model: Any) -> tuple[Layer, ...]:
    """The layers in the graph's order."""
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    return tuple(
        Layer(node.name, node.op_type, any(name in constants for name in node.input[:2]))
        for node in model.graph.node
        if node.op_type in LAYERS
    )
