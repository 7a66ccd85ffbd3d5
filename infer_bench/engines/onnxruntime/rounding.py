"""An ONNX graph in float64 and with numbers moved by an ulp: what ONNX Runtime rounds when it computes it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.onnxruntime import float64 as onnx_float64
from infer_bench.engines.onnxruntime.precision import find_precisions
from infer_bench.engines.rounding_runs import (
    Method,
    NamedArrays,
    RoundingRuns,
    choose_shake,
    move_request,
    shake_in_float64,
    works_in_float64,
)
from infer_bench.engines.session import errors_as, require
from infer_bench.errors import EngineError
from infer_bench.typing import Array

NameOutputs = Callable[[Sequence[Any]], Mapping[str, Array]]
DRAWS, FEWER_DRAWS = 3, 1
LARGE_BYTES = 256 << 20
"""A graph with more weights is drawn once, since each draw holds a copy of them."""
_INTEGER = ("MatMulInteger", "ConvInteger", "DynamicQuantizeLinear", "QuantizeLinear", "DequantizeLinear")


def open_rounding_runs(path: str, outputs: Sequence[str], name_outputs: NameOutputs, method: Method) -> RoundingRuns:
    """The graph of the file, whose `outputs` are those that `name_outputs` names. Raises `EngineError` without it."""
    if method == "float64":
        return Float64Runs(path, outputs, name_outputs)
    return NoiseRuns(path, outputs, name_outputs)


class Float64Runs:
    """The graph in float64, where ONNX Runtime has all its kernels."""

    method: Method = "float64"
    is_coarse = False
    precisions: Mapping[str, str]

    def __init__(self, path: str, outputs: Sequence[str], name_outputs: NameOutputs) -> None:
        """Raises `EngineError` where it has not, or parts of the graph are no float32 by intention."""
        self._outputs, self._name_outputs = list(outputs), name_outputs
        model = _load(path)
        self.precisions = find_precisions(model)
        if works_in_float64(self.precisions):
            raise EngineError("the network works in float64 itself")
        onnx_float64.widen(model)
        with errors_as(EngineError, "ONNX Runtime cannot compute the graph in float64"):
            self._session = onnx_float64.start_on_bytes(model)
            move_weights(model, shake_in_float64)
            self._moved = onnx_float64.start_on_bytes(model)
        self._double = {value.name for value in self._session.get_inputs() if value.type == "tensor(double)"}

    def exact(self, inputs: NamedArrays) -> NamedArrays:
        """See `RoundingRuns`."""
        wide = {name: a.astype(np.float64) if name in self._double else a for name, a in inputs.items()}
        return self._run(self._session, wide)

    def shaken(self, inputs: NamedArrays) -> Sequence[NamedArrays]:
        """See `RoundingRuns`."""
        wide = {name: shake_in_float64(a, name) if name in self._double else a for name, a in inputs.items()}
        variant = {name: move_request(values, wide[name]) for name, values in inputs.items()}
        return [self._run(self._moved, variant)]

    def _run(self, session: Any, inputs: NamedArrays) -> NamedArrays:
        with errors_as(EngineError, "the graph cannot be computed in float64"), np.errstate(all="ignore"):
            return self._name_outputs(session.run(self._outputs, dict(inputs)))


class NoiseRuns:
    """The graph as it is, with weights and inputs an ulp off."""

    method: Method = "noise"
    precisions: Mapping[str, str]

    def __init__(self, path: str, outputs: Sequence[str], name_outputs: NameOutputs) -> None:
        """Raises `EngineError` for a graph that is quantised, or too large to be held in memory as one."""
        self._outputs, self._name_outputs = list(outputs), name_outputs
        model = _load(path)
        if any(node.op_type in _INTEGER or node.op_type.startswith("QLinear") for node in _nodes(model)):
            raise EngineError("parts of the network are quantised")
        self.is_coarse, self.precisions = _is_coarse(model), find_precisions(model)
        self._sessions = []
        for draw in range(DRAWS if model.ByteSize() <= LARGE_BYTES else FEWER_DRAWS):
            variant = type(model)()
            variant.CopyFrom(model)
            move_weights(variant, choose_shake(self.precisions, draw))
            with errors_as(EngineError, "the graph cannot be loaded with other weights"):
                self._sessions.append(onnx_float64.start_on_bytes(variant, optimised=True))

    def exact(self, inputs: NamedArrays) -> NamedArrays | None:
        """See `RoundingRuns`."""
        return None

    def shaken(self, inputs: NamedArrays) -> Sequence[NamedArrays]:
        """See `RoundingRuns`."""
        draws = []
        for draw, session in enumerate(self._sessions):
            move = choose_shake(self.precisions, draw)
            variant = {name: move_request(values, move(values, name)) for name, values in inputs.items()}
            with errors_as(EngineError, "the graph refuses inputs that are an ulp off"):
                draws.append(self._name_outputs(session.run(self._outputs, variant)))
        return draws


def _load(path: str) -> Any:
    onnx = require("onnx", "onnxruntime")
    with errors_as(EngineError, "onnx cannot read the file"):
        return onnx.load(path)


def move_weights(model: Any, move: Callable[[Array, str], Array]) -> None:
    """Replace the float weights of a graph, in place; not what operators want in float32, such as the sizes of Resize.

    Sparse weights, and single numbers, stay.
    """
    helper = require("onnx", "onnxruntime").numpy_helper
    floats = {1, 10, 11}  # float32, float16, float64
    for graph in onnx_float64.all_graphs(model.graph):
        narrow = onnx_float64.narrow_inputs(graph)
        for name, tensor in _weights(graph):
            if tensor.data_type in floats and name not in narrow:
                tensor.CopyFrom(helper.from_array(move(helper.to_array(tensor), name), tensor.name))


def _weights(graph: Any) -> list[tuple[str, Any]]:
    """Initializers and constants with the names of their values."""
    constants = [node for node in graph.node if node.op_type == "Constant"]
    values = [(node.output[0], a.t) for node in constants for a in node.attribute if a.HasField("t")]
    return [*((tensor.name, tensor) for tensor in graph.initializer), *values]


def _is_coarse(model: Any) -> bool:
    """Whether some of its numbers are float16 or bfloat16, or become so."""
    halves = set(onnx_float64.HALVES)
    graphs = list(onnx_float64.all_graphs(model.graph))
    types = {tensor.data_type for graph in graphs for tensor in onnx_float64.all_tensors(graph)}
    types |= {value.type.tensor_type.elem_type for graph in graphs for value in (*graph.input, *graph.output)}
    types |= {a.i for node in _nodes(model) for a in node.attribute if a.name in onnx_float64.DTYPES}
    return bool(types & halves)


def _nodes(model: Any) -> list[Any]:
    return [node for graph in onnx_float64.all_graphs(model.graph) for node in graph.node]
