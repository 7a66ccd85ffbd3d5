"""Exported programs of any signature: named tensors go in, in the structure that the program takes, and come out."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.feeds.tensors import TensorFeed
from infer_bench.engines.rounding_runs import Method, RoundingRuns
from infer_bench.engines.session import first_line
from infer_bench.engines.tensor_session import TensorSession
from infer_bench.engines.torch.float64 import widen_module
from infer_bench.engines.torch.input_uses import read_input_uses
from infer_bench.engines.torch.mutation import find_changed_inputs
from infer_bench.engines.torch.precision import find_precisions
from infer_bench.engines.torch.rounding import open_rounding_runs
from infer_bench.errors import EngineError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.formats.signature import find_batch_axis
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.typing import Array

_NUMBERS = {"bool": "bool", "int": "int64", "float": "float64"}
_WHOLE = (f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64))
NUMPY_DTYPES = frozenset({*_WHOLE, "float16", "float32", "float64", "bool"})


class TorchNetworkSession(TensorSession):
    """A loaded program that is fed by tensors. `predict` gives its outputs as a list, without their structure."""

    def __init__(self, library: Any, program: Any, spec: ModelSpec, module: Any, device: str = "cpu") -> None:
        feed = TensorFeed(spec.inputs)
        self._make_predict = functools.partial(_make_predict, library, program, feed=feed, device=device)
        super().__init__(spec, feed, self._make_predict(module))
        self._library, self._program, self._device = library, program, device
        self.declared_outputs = tuple(_describe_outputs(program, spec.output_names))

    def named_outputs(self, outputs: Sequence[Any]) -> dict[str, Array]:
        """Every output that is a tensor or a number, by its name."""
        pairs = zip(self.spec.output_names, outputs, strict=True)
        return {name: as_array(value) for name, value in pairs if value is not None}

    def rounding_runs(self, method: Method) -> RoundingRuns:
        """What the program rounds. Raises `EngineError` where that cannot be known by this method."""
        library, program = self._library, self._program
        modules = (lambda: self._place(widen_module(library, program))), (lambda: self._place(program.module()))
        precisions = find_precisions(program, self.spec.output_names)
        return open_rounding_runs(library, modules, self._make_predict, self.named_outputs, method, precisions)

    def _place(self, module: Any) -> Any:
        return module if self._device == "cpu" else module.to(self._device)

    def input_uses(self) -> dict[str, InputUse]:
        """What the program does with its inputs, by name."""
        return read_input_uses(self._program)


def describe_program(program: Any) -> ModelSpec:
    """The inputs and outputs of a program. Raises `EngineError` for an input that no array can be."""
    inputs = tuple(_describe_input(name, value) for name, value in _list_inputs(program) if value is not None)
    names = _name_outputs(program)
    _refuse_complex(program)
    return ModelSpec("raw", (), names, inputs=inputs, output_names=names)


def _refuse_complex(program: Any) -> None:
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    for name in program.graph_signature.user_outputs:
        _require_real(getattr(values.get(name), "dtype", ""))


def _require_real(dtype: Any) -> None:
    """Raise `EngineError` for an output of complex numbers."""
    if "complex" in str(dtype):
        text = f"an output is a tensor of {str(dtype).removeprefix('torch.')}, which is not compared"
        raise EngineError(text, "export torch.view_as_real of it")


def _list_inputs(program: Any) -> list[tuple[str, Any]]:
    """What the user gives, by name: a tensor without data, a number that may change, or None for a constant."""
    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    specs = [spec for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]
    return [(spec.arg.name, None if _is_constant(spec.arg) else values.get(spec.arg.name)) for spec in specs]


def _is_constant(argument: Any) -> bool:
    return type(argument).__name__ == "ConstantArgument"


def _describe_input(name: str, value: Any) -> TensorInput:
    if not hasattr(value, "dtype"):
        dtype = next((d for kind, d in _NUMBERS.items() if kind in type(value).__name__.lower()), "")
        if not dtype:
            raise EngineError(f"the input {name!r} is a {type(value).__name__}, which NumPy has no array for")
        return TensorInput(name, dtype, ())
    dtype = str(value.dtype).removeprefix("torch.")
    if dtype not in NUMPY_DTYPES:
        raise EngineError(f"the input {name!r} is a tensor of {dtype}, which NumPy has no array for")
    shape = tuple(size if isinstance(size, int) else str(size) for size in value.shape)
    return TensorInput(name, dtype, shape, find_batch_axis(name, shape))


def _name_outputs(program: Any) -> tuple[str, ...]:
    """Of a dict its keys, joined by dots to the places within; else `output`, or `output_0`, `output_1`, …"""
    from torch.utils import _pytree

    count, structure = len(program.graph_signature.user_outputs), program.call_spec.out_spec
    if structure is not None and structure.type is dict:
        paths, _ = _pytree.tree_flatten_with_path(_pytree.tree_unflatten(list(range(count)), structure))
        return tuple(".".join(str(getattr(key, "key", getattr(key, "idx", key))) for key in path) for path, _ in paths)
    return ("output",) if count == 1 else tuple(f"output_{i}" for i in range(count))


def _describe_outputs(program: Any, names: Sequence[str]) -> Iterator[TensorInput]:
    """As `as_array` gives them; numbers of the program's own among them."""
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    for name, output in zip(names, program.graph_signature.user_outputs, strict=True):
        value = values.get(output, output) if isinstance(output, str) else output
        if hasattr(value, "dtype"):
            dtype = str(value.dtype).removeprefix("torch.")
            shape = tuple(size if isinstance(size, int) else str(size) for size in value.shape)
            yield TensorInput(name, dtype if dtype in NUMPY_DTYPES else "float32", shape)
        elif isinstance(value, bool | int | float):
            yield TensorInput(name, _NUMBERS[type(value).__name__], ())


def _make_predict(
    library: Any, program: Any, module: Any, feed: TensorFeed, device: str
) -> Callable[[Mapping[str, Array]], list[Any]]:
    from torch.utils import _pytree

    arguments = list(_list_arguments(program))
    names, structure = {tensor.name for tensor in feed.inputs}, program.call_spec.in_spec
    numbers = {name for name, value in _list_inputs(program) if value is not None and not hasattr(value, "dtype")}
    changed_inputs = find_changed_inputs(program)

    def convert(name: str, constant: Any, arrays: Mapping[str, Array]) -> Any:
        if name not in names:
            return constant
        tensor = library.from_numpy(arrays[name])
        if name in changed_inputs:
            tensor = tensor.clone()
        return tensor.item() if name in numbers else tensor if device == "cpu" else tensor.to(device)

    def predict(arrays: Mapping[str, Array]) -> list[Any]:
        try:
            with library.inference_mode():
                flat = [convert(name, constant, arrays) for name, constant in arguments]
                positional, named = _pytree.tree_unflatten(flat, structure)
                outputs: list[Any] = _pytree.tree_leaves(module(*positional, **named))
                return outputs if device == "cpu" else [_to_cpu(value) for value in outputs]
        except Exception as error:  # noqa: BLE001 - PyTorch raises one class an operator
            raise EngineError(feed.explain(arrays) or f"PyTorch cannot run the program: {first_line(error)}") from None

    return predict


def _list_arguments(program: Any) -> Iterator[tuple[str, Any]]:
    """Every argument that the user gives: its name, and its value where that is a constant."""
    for spec in program.graph_signature.input_specs:
        if spec.kind.name == "USER_INPUT":
            yield spec.arg.name, spec.arg.value if _is_constant(spec.arg) else None


def _to_cpu(value: Any) -> Any:
    return value.cpu() if hasattr(value, "cpu") else value


def as_array(value: Any) -> Array:
    """An output as an array, of bfloat16, which NumPy lacks, in float32. Raises `EngineError` for complex numbers.

    What is the module's own memory is copied: another request may change it.
    """
    if not hasattr(value, "numpy"):
        return np.asarray(value)
    dtype = str(value.dtype).removeprefix("torch.")
    _require_real(dtype)
    try:
        tensor = value if value.is_inference() else value.detach().clone()
        array: Array = (tensor if dtype in NUMPY_DTYPES else tensor.float()).numpy()
    except (RuntimeError, TypeError) as error:  # sparse tensors, and those of strange layouts
        raise EngineError(f"an output is no array of {dtype}: {first_line(error)}") from None
    return array
