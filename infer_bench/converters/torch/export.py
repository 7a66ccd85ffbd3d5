"""Exported programs written by torch's exporter, one file of rows or of tensors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infer_bench.converters.torch.programs import import_torch, list_inputs, load_program
from infer_bench.engines.session import first_line
from infer_bench.errors import MissingDependency, NotConvertible

_FAMILY = {"infer_bench.family": '"torch"'}
_MOST_INSIDE = 2_000_000_000
"""Protobuf ends at 2 GiB."""


def convert_torch(program: Any, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """The ONNX file of an exported program (or of a `.pt2` file's path), serialized, with its weights inside.

    The program takes rows. Raises `NotConvertible` for a fixed batch and for operators without an ONNX form.
    """
    program = load_program(program) if isinstance(program, str | Path) else program
    _refuse_fixed_batch(import_torch(), program)
    model = _export(program, ()).model_proto
    describe_model(model, metadata or {})
    serialized: bytes = model.SerializeToString()
    return serialized


def write_network(program: Any, path: Path, metadata: Mapping[str, str], *, external: bool) -> None:
    """Write a program of any signature, its free axes and the names of its inputs and outputs kept.

    With `external` its weights stand in a file beside it, which is called as it and `.data`. Raises `NotConvertible`.
    """
    _refuse_constants(program)
    exported = _export(program, _list_output_names(program))
    _name_inputs(exported.model.graph, program)
    if external:
        exported.save(str(path), external_data=True)
        model = _load_graph(path)
    else:
        model = exported.model_proto  # another copy at each access
        if model.ByteSize() > _MOST_INSIDE:
            raise NotConvertible("the file would be over 2 GB, which ONNX does not allow")
    describe_model(model, metadata)
    path.write_bytes(model.SerializeToString())


def _load_graph(path: Path) -> Any:
    """A file without the weights beside it."""
    import onnx

    return onnx.load(str(path), load_external_data=False)


def _export(program: Any, output_names: Sequence[str]) -> Any:
    torch = import_torch()
    try:
        return torch.onnx.export(
            program, (), dynamo=True, verbose=False, external_data=False, output_names=list(output_names) or None
        )
    except ImportError as error:
        raise MissingDependency(str(getattr(error, "name", "") or "onnxscript"), "torch") from None
    except Exception as error:  # noqa: BLE001 - the exporter raises one class a pass
        raise NotConvertible(f"PyTorch cannot export the program: {describe_failure(error)}") from None


def describe_failure(error: BaseException) -> str:
    """The first line of what the exporter's last pass met, which is the cause of what it raises."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)[:200]


def describe_model(model: Any, metadata: Mapping[str, str]) -> None:
    """Put what the file says of itself into its metadata."""
    from onnx import helper

    helper.set_model_props(model, {**_FAMILY, **metadata})


def _list_output_names(program: Any) -> list[str]:
    """As the engine calls them; the exporter leaves out what is no tensor."""
    from infer_bench.engines.torch.network import describe_program

    outputs = [spec.arg for spec in program.graph_signature.output_specs if spec.kind.name == "USER_OUTPUT"]
    names = describe_program(program).output_names
    return [name for name, argument in zip(names, outputs, strict=True) if not _is_none(argument)]


def _name_inputs(graph: Any, program: Any) -> None:
    """As the program calls them: the exporter gives another name to an input that is an output too."""
    from infer_bench.engines.torch.network import describe_program

    names = [tensor.name for tensor in describe_program(program).inputs]
    if len(names) == len(graph.inputs):
        for value, name in zip(graph.inputs, names, strict=True):
            value.name = name


def _refuse_constants(program: Any) -> None:
    """Raise `NotConvertible` for an output that is a number of the program's own, which the exporter cannot write."""
    for spec in program.graph_signature.output_specs:
        if type(spec.arg).__name__ == "ConstantArgument" and spec.arg.value is not None:
            raise NotConvertible(f"an output is the constant {spec.arg.value!r}", "return tensors alone")


def _is_none(argument: Any) -> bool:
    return type(argument).__name__ == "ConstantArgument" and argument.value is None


def _refuse_fixed_batch(torch: Any, program: Any) -> None:
    for value in list_inputs(program):
        if not value.shape or isinstance(value.shape[0], torch.SymInt):
            continue
        raise NotConvertible(
            f"the program was exported for a fixed batch of {value.shape[0]}",
            "pass dynamic_shapes with torch.export.Dim('batch') for axis 0 to torch.export.export",
        )
