"""An exported program as a TorchScript file: its graph as a script, tried beside the program at other sizes."""

from typing import Any

from infer_bench.engines.session import errors_as
from infer_bench.engines.torch.engine import describe_rows, list_values
from infer_bench.engines.torch.float64 import CHECKS
from infer_bench.engines.torch.network import describe_program
from infer_bench.engines.torch.script import list_arguments
from infer_bench.engines.torch.signature import FILE, ScriptSignature, write_signature
from infer_bench.errors import EngineError

_RELATIVE = 1e-3
"""Beyond what fused operators round: a size or a branch that differs is further off."""


def write_script(library: Any, program: Any, path: str) -> None:
    """Write the file. Raises `EngineError` where a script is not the program, as with inputs that are numbers."""
    arguments, keywords = program.example_inputs or ((), {})
    spec = describe_program(program)
    if keywords or not arguments or len(arguments) != len(spec.inputs) or not all(map(library.is_tensor, arguments)):
        raise EngineError("it takes more than tensors by their place")
    with errors_as(EngineError, "TorchScript refuses it"):
        script = library.jit.script(_rewrite(library, program, spec.output_names))
    if [argument.name for argument in list_arguments(script)] != [tensor.name for tensor in spec.inputs]:
        raise EngineError("its inputs would have other names")
    rows = describe_rows(library, program)
    signature = ScriptSignature(spec.inputs, None if rows is None else len(rows.outputs))
    library.jit.save(script, path, _extra_files={FILE: write_signature(signature)})
    _compare(library, program, library.jit.load(path), arguments)


def _rewrite(library: Any, program: Any, names: tuple[str, ...]) -> Any:
    """A module of the program's graph in what a script may say; outputs of a dict in one of their `names`."""
    from torch.fx.graph import CodeGen

    module = program.module()
    for node in list(module.graph.nodes):
        if any(check in str(node.target) for check in CHECKS):
            module.graph.erase_node(node)
        elif isinstance(node.target, library._ops.OpOverload):
            is_size = node.target == library.ops.aten.sym_size.int
            node.target = library.ops.aten.size if is_size else node.target.overloadpacket
            node.kwargs = {k: str(v) if isinstance(v, library.device) else v for k, v in node.kwargs.items()}
        elif node.op == "output":
            node.args = (_name_outputs(program, tuple(node.args[0]), names),)
    module.graph.set_codegen(CodeGen())
    module.graph.eliminate_dead_code()
    return library.fx.GraphModule(module, module.graph)


def _name_outputs(program: Any, outputs: tuple[Any, ...], names: tuple[str, ...]) -> Any:
    structure = program.call_spec.out_spec
    if structure is not None and structure.type is dict:
        return dict(zip(names, outputs, strict=True))
    return outputs[0] if len(outputs) == 1 else outputs


def _compare(library: Any, program: Any, script: Any, arguments: Any) -> None:
    """On the example, and where axes are free on other sizes. Raises `EngineError` where answers are others."""
    module = program.module()
    values = list_values(program, program.graph_signature.user_inputs)
    free = [[axis for axis, size in enumerate(value.shape) if not isinstance(size, int)] for value in values]
    trials = 0
    for resize in (None, _double, _drop_last):
        requests = [
            tensor.clone() if resize is None else resize(library, tensor, axes)
            for tensor, axes in zip(arguments, free, strict=True)
        ]
        with library.inference_mode():
            try:
                reference = module(*[tensor.clone() for tensor in requests])
            except Exception:  # noqa: BLE001 - the program has limits of its own
                continue
            with errors_as(EngineError, "the script fails where the program answers"):
                answers = script(*requests)
        trials += resize is not None
        if not _agree(library, reference, answers):
            raise EngineError("the script does not answer as the program does")
    if any(free) and not trials:
        raise EngineError("it cannot be tried at another size than the example's")


def _double(library: Any, tensor: Any, axes: list[int]) -> Any:
    for axis in axes:
        tensor = library.cat([tensor, tensor], axis)
    return tensor


def _drop_last(library: Any, tensor: Any, axes: list[int]) -> Any:
    for axis in axes:
        tensor = tensor.narrow(axis, 0, max(1, tensor.shape[axis] - 1))
    return tensor.contiguous()


def _agree(library: Any, reference: Any, answers: Any) -> bool:
    ours, theirs = _list_tensors(reference), _list_tensors(answers)
    return len(ours) == len(theirs) and all(
        one.shape == other.shape and one.dtype == other.dtype and _is_near(library, one.double(), other.double())
        for one, other in zip(ours, theirs, strict=True)
    )


def _is_near(library: Any, one: Any, other: Any) -> bool:
    """Within `_RELATIVE` of the largest number."""
    finite = one[library.isfinite(one)].abs()
    largest = float(finite.max()) if finite.numel() else 0.0
    return bool(library.allclose(one, other, rtol=_RELATIVE, atol=_RELATIVE * largest, equal_nan=True))


def _list_tensors(outputs: Any) -> list[Any]:
    from torch.utils import _pytree

    return [leaf for leaf in _pytree.tree_leaves(outputs) if hasattr(leaf, "shape")]
