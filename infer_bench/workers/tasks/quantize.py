"""Shrinking and running a network inside a worker, where a tool or a kernel may crash without harm.

Arrays lie in an `.npz` beside the request, so that they are read where they are needed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.converters.quantization.network import Layer
from infer_bench.converters.quantization.write import LayerCount
from infer_bench.errors import EngineError
from infer_bench.typing import Array
from infer_bench.workers.protocol import Request


@dataclass(frozen=True, slots=True)
class NetworkTensor:
    """An input or an output as the file declares it: a dtype of NumPy ("" where it has none), and a size an axis.

    A size is None where it is free.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class NetworkDescription:
    """What a network takes and gives, and its layers."""

    inputs: tuple[NetworkTensor, ...]
    outputs: tuple[NetworkTensor, ...]
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class PrepareNetwork(Request[NetworkDescription]):
    """Read the ONNX file `path`, and write to `prepared` what the tools can shrink."""

    title = "prepare"
    path: str
    prepared: str


@dataclass(frozen=True, slots=True)
class WrittenForm:
    """How many layers of each operator are quantised in a file that was written, and its size."""

    layers: tuple[LayerCount, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class WriteForm(Request[WrittenForm]):
    """Write the form of that name of the prepared file to `target`; `excluded` layers stay float32.

    The calibration requests are the first `requests` of the arrays in `rows`, always as many of one file: the ranges
    that they give are kept beside it.
    """

    title = "quantize"
    prepared: str
    target: str
    form: str
    rows: str
    requests: int
    chunk: int
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutputs:
    """Every output by its name, first axis the requests."""

    arrays: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class RunNetwork(Request[NetworkOutputs]):
    """Run the requests `start` to `stop` of the arrays in `rows` through the file `path`, `chunk` at a time.

    `chunk` is 0 where each entry is a whole input. With `precise`, int8 sums are kept from saturating on x64 CPUs
    without VNNI (the session entry `session.x64quantprecision`).
    """

    title = "run"
    path: str
    rows: str
    start: int
    stop: int
    chunk: int
    precise: bool = False


def prepare_network(request: PrepareNetwork) -> NetworkDescription:
    """Clean the model, or refuse it with the reason."""
    import onnx

    from infer_bench.converters.quantization.network import describe_layers, load_network

    network = load_network(request.path)
    onnx.save(network, request.prepared)
    graph = network.graph
    return NetworkDescription(
        tuple(map(_describe, graph.input)),
        tuple(map(_describe, graph.output)),
        describe_layers(network),
    )


def _describe(value: Any) -> NetworkTensor:
    from onnx import helper

    tensor = value.type.tensor_type
    try:
        dtype = str(np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)))
    except (KeyError, TypeError):
        dtype = ""
    sizes = (size.dim_value if size.HasField("dim_value") and size.dim_value > 0 else None for size in tensor.shape.dim)
    return NetworkTensor(value.name, dtype, tuple(sizes))


def write_form(request: WriteForm) -> WrittenForm:
    """Write one form. Raises `EngineError` with the tool's reason."""
    import os

    import onnx

    from infer_bench.converters.quantization import write
    from infer_bench.converters.quantization.forms import form_named

    feeds = [feed for feed, _ in _feeds(request.rows, 0, request.requests, request.chunk)]
    form, network = form_named(request.form), onnx.load(request.prepared)
    layers = write.write_form(network, request.target, form, feeds, request.excluded, f"{request.rows}.ranges.json")
    return WrittenForm(layers, os.path.getsize(request.target))


def run_network(request: RunNetwork) -> NetworkOutputs:
    """Predict. Raises `EngineError` for what ONNX Runtime refuses, and where outputs of requests do not line up."""
    session = start_session(request.path, precise=request.precise)
    names = [output.name for output in session.get_outputs()]
    parts: dict[str, list[Array]] = {name: [] for name in names}
    for feed, count in _feeds(request.rows, request.start, request.stop, request.chunk):
        for name, array in zip(names, run_session(session, feed), strict=True):
            parts[name].append(_by_request(name, _as_array(name, array), count, request.chunk))
    return NetworkOutputs({name: _join(name, arrays) for name, arrays in parts.items()})


def start_session(path: str, *, precise: bool = False) -> Any:
    """A session on one thread. Raises `EngineError`."""
    import onnxruntime

    from infer_bench.engines.session import errors_as

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    if precise:
        settings.add_session_config_entry("session.x64quantprecision", "1")
    with errors_as(EngineError, "ONNX Runtime cannot load the file"):
        return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def run_session(session: Any, feed: Mapping[str, Array]) -> list[Any]:
    """All outputs of one request. Raises `EngineError`."""
    from infer_bench.engines.session import errors_as

    with errors_as(EngineError, "ONNX Runtime cannot predict"):
        outputs: list[Any] = session.run(None, dict(feed))
        return outputs


def first_feed(rows: str, chunk: int) -> dict[str, Array]:
    """The inputs of the first `chunk` requests, or of the first entry."""
    feed, _ = next(_feeds(rows, 0, max(1, chunk), chunk))
    return feed


def _feeds(rows: str, start: int, stop: int, chunk: int) -> Iterator[tuple[dict[str, Array], int]]:
    """The inputs of `chunk` requests at a time, and how many they are; of one each as it stands where `chunk` is 0."""
    with np.load(rows, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    step = max(1, chunk)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        parts = {name: array[first:last] if chunk else array[first] for name, array in arrays.items()}
        yield {name: np.asarray(_as_text(part)) for name, part in parts.items()}, last - first


def _as_text(array: Array) -> Array:
    """Text as ONNX Runtime takes it: an array of objects."""
    return array.astype(object) if np.asarray(array).dtype.kind == "U" else array


def _as_array(name: str, output: Any) -> Array:
    """An output as an array; ZipMap's list of maps has a column a class. Raises `EngineError` for what is neither."""
    if isinstance(output, list) and output and all(isinstance(entry, dict) for entry in output):
        keys = list(output[0])
        return np.array([[entry[key] for key in keys] for entry in output], dtype=np.float64)
    array = np.asarray(output)
    if array.dtype.kind == "O" and not all(isinstance(value, str) for value in array.flat):
        raise EngineError(f"the output {name!r} is neither numbers nor text, and is not compared")
    return array


def _by_request(name: str, array: Array, count: int, chunk: int) -> Array:
    if not chunk:
        return array[np.newaxis]
    if array.ndim and len(array) == count:
        return array
    raise EngineError(f"the output {name!r} has no axis for the requests: {array.shape} for {count}")


def _join(name: str, arrays: list[Array]) -> Array:
    if len({array.shape[1:] for array in arrays}) > 1:
        raise EngineError(f"the output {name!r} has another size for each request, which is not compared")
    return np.concatenate(arrays)
