"""The types of the values inside a graph, as ONNX Runtime knows them.

The tools quantise only what they know to be float32, and `onnx`'s own inference stops at operators of ai.onnx.ml:
behind a Scaler nothing would be quantised.
"""

from typing import Any

from infer_bench.engines.session import require

_ELEMENTS = {
    "tensor(float)": "FLOAT",
    "tensor(double)": "DOUBLE",
    "tensor(float16)": "FLOAT16",
    "tensor(int64)": "INT64",
    "tensor(int32)": "INT32",
    "tensor(uint8)": "UINT8",
    "tensor(int8)": "INT8",
    "tensor(bool)": "BOOL",
    "tensor(string)": "STRING",
}


def complete_types(onnx: Any, model: Any) -> None:
    """Add the type and shape of every value of the graph that has none yet; none where ONNX Runtime cannot tell."""
    graph = model.graph
    typed = {value.name for values in (graph.value_info, graph.input, graph.output) for value in values}
    missing = {name for node in graph.node for name in node.output if name} - typed
    for value in _ask(onnx, model, missing) if missing else []:
        element = _ELEMENTS.get(value.type)
        if value.name in missing and element is not None:
            kind = getattr(onnx.TensorProto, element)
            shape = value.shape or None  # a scalar's, or one that is not known
            graph.value_info.append(onnx.helper.make_tensor_value_info(value.name, kind, shape))


def _ask(onnx: Any, model: Any, names: set[str]) -> list[Any]:
    """What ONNX Runtime says of these values, were they outputs."""
    library = require("onnxruntime", "quantize")
    probe = type(model)()
    probe.CopyFrom(model)
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names))
    settings = library.SessionOptions()
    settings.graph_optimization_level = library.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.log_severity_level, settings.intra_op_num_threads = 4, 1
    try:
        session = library.InferenceSession(probe.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - sequences and maps cannot be asked for so: the tools do without
        return []
    values: list[Any] = session.get_outputs()
    return values
