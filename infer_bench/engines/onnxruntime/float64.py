"""An ONNX graph of floats as one of doubles, run by ONNX Runtime or, where that has no kernels, by onnx itself."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from infer_bench.engines.session import errors_as, require
from infer_bench.errors import EngineError

Run = Callable[[dict[str, Any]], Any]
_QUANTISED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger")
_SINGLE, _DOUBLE = 1, 11
HALVES = {10: "float16", 16: "bfloat16"}
_DOMAINS = ("", "ai.onnx")
DTYPES = ("to", "dtype")
"""Attributes that hold a dtype."""
_FLOAT_INPUTS = {"Resize": (2,), "Upsample": (1,)}
"""Inputs that are float32 whatever the others are."""


def widen_graph(path: str) -> Any:
    """The model of the file with float64 for float32. Raises `EngineError` where parts of it do not work in float32."""
    onnx = require("onnx", "onnxruntime")
    with errors_as(EngineError, "onnx cannot read the file"):
        model = onnx.load(path)
    widen(model)
    return model


def widen(model: Any) -> None:
    """Put float64 for float32 into a model, in place. Raises `EngineError` where parts of it do not work in float32."""
    if model.functions:
        raise EngineError("the graph calls functions of its own")
    for graph in all_graphs(model.graph):
        _refuse_other_dtypes(graph)
        _widen(require("onnx", "onnxruntime"), graph)


def all_graphs(graph: Any) -> Iterator[Any]:
    """The graph and those in its nodes' attributes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from all_graphs(inner)


def _refuse_other_dtypes(graph: Any) -> None:
    for node in graph.node:
        if node.domain not in _DOMAINS:
            raise EngineError(f"{node.op_type} of {node.domain} has no float64 form")
        if node.op_type in _QUANTISED or node.op_type.startswith("QLinear"):
            raise EngineError("parts of the network are quantised")
        for attribute in node.attribute:
            if attribute.name in DTYPES and attribute.i in HALVES:
                raise EngineError(f"parts of the network work in {HALVES[attribute.i]}")
    for tensor in all_tensors(graph):
        if tensor.data_type in HALVES:
            raise EngineError(f"parts of the network work in {HALVES[tensor.data_type]}")


def all_tensors(graph: Any) -> Iterator[Any]:
    """The graph's weights and constants, not those of the graphs inside it."""
    yield from graph.initializer
    yield from (sparse.values for sparse in graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors


def _widen(onnx: Any, graph: Any) -> None:
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == _SINGLE:
            value.type.tensor_type.elem_type = _DOUBLE
    narrow = narrow_inputs(graph)
    for tensor in all_tensors(graph):
        if tensor.data_type == _SINGLE and tensor.name not in narrow:
            _widen_tensor(onnx, tensor)
    for node in graph.node:
        _widen_attributes(onnx, node)
    _narrow(onnx, graph, narrow)


def narrow_inputs(graph: Any) -> set[str]:
    """The values that operators want in float32."""
    places = ((node, i) for node in graph.node for i in _FLOAT_INPUTS.get(node.op_type, ()))
    return {node.input[i] for node, i in places if i < len(node.input) and node.input[i]}


def _widen_tensor(onnx: Any, tensor: Any) -> None:
    values = onnx.numpy_helper.to_array(tensor).astype(np.float64)
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))


def _widen_attributes(onnx: Any, node: Any) -> None:
    for attribute in node.attribute:
        if attribute.name in DTYPES and attribute.i == _SINGLE:
            attribute.i = _DOUBLE
        elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
            values = attribute.f if attribute.name == "value_float" else list(attribute.floats)
            constant = onnx.numpy_helper.from_array(np.array(values, dtype=np.float64))
            attribute.CopyFrom(onnx.helper.make_attribute("value", constant))
    if node.op_type == "ConstantOfShape" and not node.attribute:
        zero = onnx.numpy_helper.from_array(np.zeros(1))
        node.attribute.append(onnx.helper.make_attribute("value", zero))


def _narrow(onnx: Any, graph: Any, names: set[str]) -> None:
    """Cast to float32 what operators want in it, unless it is stored so."""
    computed = names - {tensor.name for tensor in graph.initializer}
    casts = {name: f"{name}__float32" for name in sorted(computed)}
    nodes: list[Any] = []
    for node in graph.node:
        for i in _FLOAT_INPUTS.get(node.op_type, ()):
            if i < len(node.input) and node.input[i] in casts:
                node.input[i] = casts[node.input[i]]
        nodes.append(onnx.NodeProto.FromString(node.SerializeToString()))
        nodes += [onnx.helper.make_node("Cast", [n], [casts[n]], to=_SINGLE) for n in node.output if n in casts]
    if casts:
        del graph.node[:]
        graph.node.extend(nodes)


def make_runner(path: str, output: str) -> Run:
    """A call from inputs by name to the output of that name, in float64. Raises `EngineError` where there is none."""
    model = widen_graph(path)
    try:
        session = start_on_bytes(model)
    except Exception:  # noqa: BLE001 - a kernel that is missing may be anything
        return _evaluator(model, output)
    return lambda inputs: session.run([output], inputs)[0]


def start_on_bytes(model: Any, *, optimised: bool = False) -> Any:
    """A session of a graph in memory, on the CPU and in one thread. Raises whatever ONNX Runtime does."""
    library, content = require("onnxruntime", "onnxruntime"), model.SerializeToString()
    settings = library.SessionOptions()
    settings.log_severity_level, settings.intra_op_num_threads = 4, 1
    levels = library.GraphOptimizationLevel
    settings.graph_optimization_level = levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    return library.InferenceSession(content, settings, providers=["CPUExecutionProvider"])


def _evaluator(model: Any, output: str) -> Run:
    with errors_as(EngineError, "onnx cannot compute the graph in float64"):
        evaluator = require("onnx.reference", "onnxruntime").ReferenceEvaluator(model)
    return lambda inputs: evaluator.run([output], inputs)[0]
