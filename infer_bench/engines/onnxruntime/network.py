"""ONNX graphs that are fed by tensors: of any rank and dtype, and of any number of inputs and outputs."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.engines.feeds.tensors import TensorFeed
from infer_bench.engines.onnxruntime.messages import shorten_error
from infer_bench.engines.onnxruntime.rounding import open_rounding_runs
from infer_bench.engines.rounding_runs import Method, RoundingRuns
from infer_bench.engines.tensor_session import TensorSession, require_arrays
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.formats import onnx_graph
from infer_bench.formats.graph_uses import InputUse, read_input_uses
from infer_bench.formats.graph_uses.sizes import RECURRENCES
from infer_bench.formats.input_names import is_certain_batch
from infer_bench.formats.signature import Signature
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.typing import Array

_HAS_ARRAY = re.compile(r"(?!.*(?:bfloat16|float8|float4|int4|int2|complex)).*")
"""Of the types of outputs; parts of sequences and maps count too."""


_RANKS_OF_STEPS = (2, 3)
"""So many axes have ids of steps, and steps of numbers."""


class NetworkSession(TensorSession):
    """A loaded graph of the file `path`. `predict` gives its outputs as the library does, one an entry of the list.

    `library_session` is ONNX Runtime's own; None once it is closed. `end_profiling` ends the profiling that was asked
    for and gives the trace's path.
    """

    end_profiling: Callable[[], str] | None = None

    def __init__(self, session: Any, spec: ModelSpec, path: str) -> None:
        feed = TensorFeed(spec.inputs)
        super().__init__(spec, feed, _make_predict(session, feed, spec.output_names))
        self.path, self.library_session = path, session

    def named_outputs(self, outputs: Sequence[Any]) -> dict[str, Array]:
        """Every output by its name, as the library gave it; the parts of a sequence or a map are outputs of their own.

        Those of a sequence are called `name[0]`, `name[1]`, …, those of a map by its keys.
        """
        names = self.spec.output_names
        if all(type(value) is np.ndarray for value in outputs):
            return dict(zip(names, outputs, strict=True))
        pairs = zip(names, outputs, strict=True)
        return {name: array for output, value in pairs for name, array in _arrays(output, value)}

    def rounding_runs(self, method: Method) -> RoundingRuns:
        """What the graph rounds. Raises `EngineError` where that cannot be known by this method."""
        return open_rounding_runs(self.path, self.spec.output_names, self.named_outputs, method)

    def input_uses(self) -> dict[str, InputUse]:
        """What the graph does with its inputs, by name."""
        with onnx_graph.map_file(Path(self.path)) as content:
            return read_input_uses(content)

    def close(self) -> None:
        """Release the library's session."""
        self.library_session = None
        super().close()


def open_network(session: Any, signature: Signature, path: str, options: Mapping[str, str]) -> NetworkSession:
    """The session of a network. Raises `EngineError` for inputs that no array can be, and for options of rows."""
    _check_options(options)
    if not signature.inputs:
        raise EngineError("the model has no inputs: it always gives the same, and no request can be made for it")
    types = {value.name: value.type for value in session.get_inputs()}
    for tensor in signature.inputs:
        if not tensor.dtype and not tensor.optional:
            kind = types.get(tensor.name, "another type")
            is_tensor = kind.startswith("tensor")
            hint = "an input of another type, and a Cast to this one inside" if is_tensor else "tensors for its inputs"
            hint = f"export the model with {hint}"
            raise EngineError(f"the input {tensor.name!r} is of the type {kind}, which NumPy has no array for", hint)
    inputs = tuple(_with_batch_axis([tensor for tensor in signature.inputs if tensor.dtype], path))
    names = _choose_outputs(signature.outputs, options.get("output", ""))
    for value in session.get_outputs():
        if value.name in names and not _HAS_ARRAY.fullmatch(value.type):
            hint = "export the model with a Cast to another type at its end"
            hint = "onnxruntime:output=… leaves it out" if len(signature.outputs) > 1 else hint
            raise EngineError(
                f"the output {value.name!r} is of the type {value.type}, which NumPy has no array for", hint
            )
    spec = ModelSpec("raw", (), names, inputs=inputs, output_names=names)
    return NetworkSession(session, spec, path)


def _with_batch_axis(inputs: Sequence[TensorInput], path: str) -> Iterator[TensorInput]:
    """The inputs, of those that a recurrence goes along step by step with the axis beside its steps for the batch."""
    unsure = [t for t in inputs if len(t.shape or ()) in _RANKS_OF_STEPS and _is_unsure(t)]
    with onnx_graph.map_file(Path(path)) as content:
        has_steps = bool(unsure) and any(node.op in RECURRENCES for node in onnx_graph.all_nodes(content))
        uses = read_input_uses(content) if has_steps else {}
    for tensor in inputs:
        use = uses.get(tensor.name, InputUse())
        if tensor not in unsure or use.time_axis is None or use.time_axis != tensor.batch_axis:
            yield tensor
            continue
        is_free = use.batch_axis is not None and not isinstance((tensor.shape or ())[use.batch_axis], int)
        yield replace(tensor, batch_axis=use.batch_axis if is_free else None)


def _is_unsure(tensor: TensorInput) -> bool:
    return tensor.batch_axis is not None and not is_certain_batch((tensor.shape or ())[tensor.batch_axis])


def _check_options(options: Mapping[str, str]) -> None:
    require_arrays(options)
    if options["io_binding"] == "on":
        raise EngineError("io_binding needs one float input and one float output", "use io_binding=off")


def _choose_outputs(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    if name and name not in names:
        raise EngineError(f"the graph has no output {name!r}", f"it has: {', '.join(names)}")
    return (name,) if name else names


def _make_predict(session: Any, feed: TensorFeed, names: Sequence[str]) -> Callable[[Any], Any]:
    run, outputs = session.run, list(names)

    def predict(arrays: Any) -> Any:
        try:
            return run(outputs, arrays)
        except InferBenchError as error:
            raise EngineError(feed.explain(arrays) or error.message) from None
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            reason = feed.explain(arrays) or f"ONNX Runtime cannot predict: {shorten_error(error)}"
            raise EngineError(reason) from None

    return predict


def _arrays(name: str, value: Any) -> Iterable[tuple[str, Array]]:
    """An output's arrays with their names."""
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from _arrays(f"{name}[{i}]", part)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _arrays(f"{name}[{key!r}]", part)
    else:
        yield name, np.asarray(value)
