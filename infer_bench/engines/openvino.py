"""OpenVINO: ONNX networks on the CPU, in float32 unless a candidate asks for less."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infer_bench.engines import feeds
from infer_bench.engines.base import Option
from infer_bench.engines.onnxruntime.engine import OnnxSession, open_table
from infer_bench.engines.onnxruntime.network import NetworkSession, open_network
from infer_bench.engines.onnxruntime.training_mode import find_training_operators
from infer_bench.engines.session import read_threads, require, require_readable
from infer_bench.errors import EngineError, ModelError
from infer_bench.formats import onnx_graph
from infer_bench.formats.signature import Signature, read_signature
from infer_bench.model import ModelRef
from infer_bench.typing import Array

PRECISIONS = ("f32", "f16", "bf16", "default")
_WHOLE = {f"{kind[0]}{bits}": f"tensor({kind}{bits})" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
_TYPES = _WHOLE | {
    "f16": "tensor(float16)",
    "f32": "tensor(float)",
    "f64": "tensor(double)",
    "bf16": "tensor(bfloat16)",
    "boolean": "tensor(bool)",
    "string": "tensor(string)",
}
"""ONNX Runtime's word for each of OpenVINO's types."""
_ML_OPERATORS = "ai.onnx.ml"


class OpenVino:
    """Runs `InferRequest.infer` of a network that is compiled for the CPU."""

    name = "openvino"
    formats: frozenset[str] = frozenset({"onnx"})
    requires: tuple[str, ...] = ("openvino",)
    extra = "openvino"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "threads": Option("threads of one prediction", "1"),
        "precision": Option("what is computed in; default: what OpenVINO takes, often bf16", "f32", PRECISIONS),
        "output": Option("the output that is the answer; empty: the probabilities, or the first of numbers", ""),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing: OpenVINO imports numpy only."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "OnnxSession | NetworkSession":
        """Compile the network. Raises `ModelError` for a broken file, `EngineError` for what OpenVINO cannot run."""
        threads = read_threads(options)
        library = require("openvino", self.extra)
        require_readable(model.path)
        with onnx_graph.map_file(Path(model.path)) as content:
            signature, remarks = read_signature(content), find_training_operators(content).remarks
            _refuse_ml_operators(onnx_graph.all_nodes(content))
            metadata = onnx_graph.read_metadata(content)
        if any(tensor.dtype == "object" for tensor in signature.inputs):
            raise EngineError(f"{model.name} takes text, which OpenVINO does not")
        runner = Runner(_compile(library, model, threads, options["precision"]), signature, metadata)
        session: OnnxSession | NetworkSession
        complete = {**options, "io_binding": "off"}
        if signature.is_network:
            session = open_network(runner, signature, model.path, complete)
        else:
            session = open_table(None, runner, model, complete)
        session.spec = dataclasses.replace(session.spec, remarks=(*session.spec.remarks, *remarks))
        return session


class Runner:
    """A compiled network, with what reading an ONNX graph asks of a session of ONNX Runtime, under its names."""

    def __init__(self, compiled: Any, signature: Signature, metadata: Mapping[str, str]) -> None:
        outputs, self._shapes = signature.outputs, {tensor.name: tensor.shape for tensor in signature.inputs}
        self._request, self._compiled = compiled.create_infer_request(), compiled
        self._names = {name for port in compiled.inputs for name in port.get_names()}
        self.custom_metadata_map = metadata
        self._inputs = [_describe(port, port.get_any_name()) for port in compiled.inputs]
        self._outputs = [_describe(compiled.output(name), name) for name in outputs]
        self._places = {name: _find_place(compiled, name) for name in outputs}

    def get_modelmeta(self) -> "Runner":
        """The file's metadata, as `custom_metadata_map`."""
        return self

    def get_inputs(self) -> "list[Value]":
        """The inputs, in the file's order."""
        return self._inputs

    def get_outputs(self) -> "list[Value]":
        """The outputs, in the file's order."""
        return self._outputs

    def run(self, names: Sequence[str], arrays: Mapping[str, Array]) -> list[Array]:
        """The outputs so called. Raises `EngineError` for what OpenVINO refuses."""
        inputs = {name: array for name, array in arrays.items() if name in self._names}
        self._check_shapes(arrays)
        try:
            outputs = self._request.infer(inputs)
            return [outputs[self._places[name]] for name in names]
        except Exception as error:  # noqa: BLE001 - OpenVINO raises RuntimeError, and whatever its bindings do
            raise EngineError(f"OpenVINO cannot predict: {last_line(error)}") from None

    def _check_shapes(self, arrays: Mapping[str, Array]) -> None:
        """Raise `EngineError` for arrays of other shapes than the file declares: OpenVINO does not see all of them."""
        for name, array in arrays.items():
            shape = self._shapes.get(name)
            if shape is None:
                continue
            pairs = zip(shape, array.shape, strict=False)
            if len(shape) != array.ndim or any(size != length for size, length in pairs if isinstance(size, int)):
                raise EngineError(f"the input {name!r} cannot be {array.shape}: it is {shape}")


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """An input or output: its name, its type as ONNX Runtime writes it, and its shape, None where an axis is free."""

    name: str
    type: str
    shape: list[int | None]


def _describe(port: Any, name: str) -> Value:
    shape = port.get_partial_shape()
    sizes: list[int | None] = [None]
    if shape.rank.is_static:
        sizes = [None if size.is_dynamic else int(size.get_length()) for size in shape]
    kind = port.get_element_type().get_type_name()
    return Value(name, _TYPES.get(kind, kind), sizes)


def _find_place(compiled: Any, name: str) -> int:
    return next(i for i, port in enumerate(compiled.outputs) if name in port.get_names())


def _compile(library: Any, model: ModelRef, threads: int, precision: str) -> Any:
    """The model for the CPU. Raises `ModelError` where OpenVINO cannot read or compile it."""
    settings: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    if precision != "default":
        # of a network of int8 weights it would also round what is multiplied with them, block by block
        settings |= {"INFERENCE_PRECISION_HINT": precision, "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    try:
        core = library.Core()
        return core.compile_model(core.read_model(model.path), "CPU", settings)
    except Exception as error:  # noqa: BLE001 - see `Runner.run`
        raise ModelError(f"OpenVINO cannot compile {model.name}: {last_line(error)}") from None


def _refuse_ml_operators(nodes: Sequence[onnx_graph.Node]) -> None:
    """Raise `EngineError` for trees and other operators of classical models, naming the first ones."""
    operators = list(dict.fromkeys(node.op for node in nodes if node.domain == _ML_OPERATORS))
    if operators:
        listing = ", ".join(operators[:3]) + (", …" if len(operators) > 3 else "")
        raise EngineError(f"OpenVINO runs networks alone: it has no kernel for {listing}", "use onnxruntime")


def last_line(error: BaseException, limit: int = 300) -> str:
    """What OpenVINO says last: before it stand the lines of its sources that passed the error on."""
    lines = list(_lines_of(error))
    text = lines[-1] if lines else type(error).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _lines_of(error: BaseException) -> Iterator[str]:
    return (line.strip() for line in str(error).splitlines() if line.strip())
