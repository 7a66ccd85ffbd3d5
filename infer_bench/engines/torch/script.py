"""TorchScript modules (`.pt`, `.jit`): an archive of code, opened where pickles are."""

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import make_features
from infer_bench.engines.feeds.tensors import TensorFeed
from infer_bench.engines.rounding_runs import Method, RoundingRuns
from infer_bench.engines.session import FedSession, errors_as, first_line, guard, name_outputs
from infer_bench.engines.tensor_session import TensorSession, require_arrays
from infer_bench.engines.torch.mutation import describe_script_state, find_changed_script_inputs
from infer_bench.engines.torch.network import NUMPY_DTYPES, as_array
from infer_bench.engines.torch.precision import find_script_precisions
from infer_bench.engines.torch.rounding import open_rounding_runs
from infer_bench.engines.torch.rows import make_predictor
from infer_bench.engines.torch.script_uses import find_training_nodes, guess_dtype, read_script_uses
from infer_bench.engines.torch.signature import FILE, ScriptSignature, read_signature
from infer_bench.errors import EngineError, ModelError, OptionError
from infer_bench.formats.archives import check_script
from infer_bench.formats.graph_uses import InputUse
from infer_bench.formats.signature import MOST_COLUMNS
from infer_bench.model import ModelRef, ModelSpec, Remark, Task, TensorInput
from infer_bench.typing import Array

_NUMBERS = {"int": "int64", "float": "float64", "bool": "bool"}


class ScriptSession(TensorSession):
    """A loaded module. `predict` gives what it gives, in its structure."""

    def __init__(self, library: Any, module: Any, spec: ModelSpec, device: str) -> None:
        self._library, self._module, self._device = library, module, device
        self._feed = TensorFeed(spec.inputs)
        super().__init__(spec, self._feed, self._make_predict(module))

    def named_outputs(self, outputs: Any) -> dict[str, Array]:
        """Every output that is a tensor or a number, called as `engines.torch.network` does those of programs."""
        if hasattr(outputs, "numpy"):
            return {"output": as_array(outputs)}
        return {name: as_array(value) for name, value in name_leaves(outputs) if _is_output(value)}

    @property
    def weight_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Those of the module's parameters, in its order."""
        return tuple(tuple(parameter.shape) for parameter in self._module.parameters())

    def input_uses(self) -> dict[str, InputUse]:
        """What the module does with its inputs, by name."""
        graph = self._module.inlined_graph
        return read_script_uses(self._module, graph, _name_inputs(self._module, graph))

    def rounding_runs(self, method: Method) -> RoundingRuns:
        """What the module rounds. Raises `EngineError` where that cannot be known by this method."""
        modules = (lambda: copy.deepcopy(self._module).double()), (lambda: self._module)
        precisions = find_script_precisions(self._module)
        return open_rounding_runs(self._library, modules, self._make_predict, self.named_outputs, method, precisions)

    def _make_predict(self, module: Any) -> Callable[[Mapping[str, Array]], Any]:
        library, feed, device = self._library, self._feed, self._device
        numbers = {argument.name for argument in list_arguments(module) if str(argument.type) in _NUMBERS}
        names = _name_inputs(module, module.inlined_graph)
        changed_inputs = {names[name] for name in find_changed_script_inputs(module.inlined_graph)}

        def convert(name: str, array: Array) -> Any:
            tensor = library.from_numpy(array)
            if name in changed_inputs:
                tensor = tensor.clone()
            return tensor.item() if name in numbers else tensor if device == "cpu" else tensor.to(device)

        def predict(arrays: Mapping[str, Array]) -> Any:
            try:
                with library.inference_mode():
                    outputs = module(**{name: convert(name, array) for name, array in arrays.items()})
                    return outputs if device == "cpu" else _to_cpu(outputs)
            except Exception as error:  # noqa: BLE001 - PyTorch raises one class an operator
                raise EngineError(
                    feed.explain(arrays) or f"PyTorch cannot run the module: {describe_error(error)}"
                ) from None

        return predict


def open_script(library: Any, model: ModelRef, options: Mapping[str, str], device: str) -> "FedSession | ScriptSession":
    """Load the module. Raises `UnsafePickle` unless its code may run, `EngineError` for inputs that no array can be."""
    check_script(model.name, allow_pickle=options.get("allow_pickle") == "yes")
    extra = {FILE: ""}
    with errors_as(ModelError, f"PyTorch cannot read {model.name}"):
        module = library.jit.load(model.path, map_location=device, _extra_files=extra)
    graph = module.inlined_graph
    remarks = (*find_training_nodes(module, graph).remarks, *describe_script_state(graph))
    signature = read_signature(extra[FILE])
    names = [argument.name for argument in list_arguments(module)]
    if signature is None or [tensor.name for tensor in signature.inputs] != names:
        signature = ScriptSignature(_describe_inputs(module, options["dtypes"]))
        if options["columns"]:
            signature = _read_as_rows(library, module, signature, options)
    if signature.outputs is not None:
        return _open_rows(library, module, signature, options, remarks)
    require_arrays(options)
    return ScriptSession(library, module, ModelSpec("raw", (), (), remarks=remarks, inputs=signature.inputs), device)


def _read_as_rows(library: Any, module: Any, signature: ScriptSignature, options: Mapping[str, str]) -> ScriptSignature:
    """The module as one of rows of so many columns. Raises `OptionError` where it does not answer one by one."""
    columns, inputs = options["columns"], signature.inputs
    refusal = OptionError(f"columns={columns}: the module takes no rows of so many columns", "leave it out")
    if not columns.isdecimal() or not 0 < int(columns) <= MOST_COLUMNS or len(inputs) != 1:
        raise refusal
    shapes = []
    for rows in (2, 3):
        try:
            with library.inference_mode():
                output = module(library.zeros(rows, int(columns), device=options["device"]))
        except Exception:  # noqa: BLE001 - PyTorch raises one class an operator
            raise refusal from None
        shapes.append(tuple(getattr(output, "shape", ())))
    counts = {math.prod(shape[1:]) for shape in shapes}
    if [shape[:1] for shape in shapes] != [(2,), (3,)] or len(counts) != 1:
        raise refusal
    rows_of_floats = TensorInput(inputs[0].name, "float32", (None, int(columns)), 0)
    return ScriptSignature((rows_of_floats,), counts.pop())


def _open_rows(
    library: Any, module: Any, signature: ScriptSignature, options: Mapping[str, str], remarks: tuple[Remark, ...]
) -> FedSession:
    """A module of rows, as `engines.torch.engine` opens the program that it was made of."""
    (rows,), count = signature.inputs, signature.outputs or 0
    batch, columns = rows.shape or (None, 0)
    task: Task = "regression" if count == 1 else "raw"
    features = make_features(int(columns or 0))
    fixed = batch if isinstance(batch, int) else None
    spec = ModelSpec(task, features, name_outputs(count), batch=fixed, remarks=remarks)
    feed = feeds.make_feed(feeds.make_schema(features, options, np.float32), options["feed"])
    writes_inputs = bool(find_changed_script_inputs(module.inlined_graph))
    predict = make_predictor(library, module, np.float32, options["device"], copy=writes_inputs)
    return FedSession(spec, feed, guard(predict, "PyTorch cannot run the module"))


def name_leaves(outputs: Any) -> list[tuple[str, Any]]:
    """Of a dict its keys, joined by dots to the places within; else `output`, or `output_0`, `output_1`, …

    Those of a list have a number also where there is one: it may have another length next time.
    """
    from torch.utils import _pytree

    paths, _ = _pytree.tree_flatten_with_path(outputs)
    if isinstance(outputs, dict):
        return [(".".join(str(getattr(k, "key", getattr(k, "idx", k))) for k in path), leaf) for path, leaf in paths]
    return [
        ("output" if len(paths) == 1 and not isinstance(outputs, list) else f"output_{i}", leaf)
        for i, (_, leaf) in enumerate(paths)
    ]


def _to_cpu(outputs: Any) -> Any:
    from torch.utils import _pytree

    return _pytree.tree_map(lambda value: value.cpu() if hasattr(value, "cpu") else value, outputs)


def _is_output(value: Any) -> bool:
    return value is not None and (hasattr(value, "numpy") or isinstance(value, bool | int | float))


def list_arguments(module: Any) -> list[Any]:
    """What `forward` takes, without the module itself."""
    arguments: list[Any] = list(module._c._get_method("forward").schema.arguments)[1:]
    return arguments


def _describe_inputs(module: Any, dtypes: str) -> tuple[TensorInput, ...]:
    """The inputs, of unknown rank where they are tensors; `dtypes` are the user's, in their order."""
    graph, arguments = module.inlined_graph, list_arguments(module)
    own_dtypes = dtypes.split("+") if dtypes else []
    if own_dtypes and (len(own_dtypes) != len(arguments) or not set(own_dtypes) <= NUMPY_DTYPES):
        names = ", ".join(argument.name for argument in arguments)
        raise OptionError(f"dtypes={dtypes} is not one dtype for each of {names}", "such as dtypes=int64+float32")
    values, floats = list(graph.inputs())[1:], _find_float_dtype(module)
    return tuple(
        _describe_input(argument, own_dtypes[i] if own_dtypes else guess_dtype(values[i], floats))
        for i, argument in enumerate(arguments)
    )


def _describe_input(argument: Any, dtype: str) -> TensorInput:
    kind = str(argument.type).removeprefix("Optional[").removesuffix("]")
    if kind in _NUMBERS:
        return TensorInput(argument.name, _NUMBERS[kind], (), optional=argument.has_default_value())
    if kind == "Tensor":
        return TensorInput(argument.name, dtype, None, optional=argument.has_default_value())
    if argument.has_default_value():
        return TensorInput(argument.name, "object", (), optional=True)
    raise EngineError(
        f"the input {argument.name!r} is a {argument.type}, which no array can be", "give the module an own forward"
    )


def _find_float_dtype(module: Any) -> str:
    """That of the module's first float weight, or float32."""
    names = (str(p.dtype).removeprefix("torch.") for p in module.parameters() if p.is_floating_point())
    return next((name for name in names if name in NUMPY_DTYPES), "float32")


def _name_inputs(module: Any, graph: Any) -> dict[str, str]:
    """The inputs' own names by those of the graph."""
    values = list(graph.inputs())[1:]
    return {v.debugName(): a.name for v, a in zip(values, list_arguments(module), strict=True)}


def describe_error(error: Exception) -> str:
    """The last line of TorchScript's traceback, which says what is wrong."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[-1].strip() if lines else first_line(error))[:300]
