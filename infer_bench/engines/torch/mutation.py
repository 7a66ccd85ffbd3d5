"""What a module writes to when it answers: its inputs, which are somebody else's memory, and its own buffers."""

from collections.abc import Collection, Iterator
from typing import Any

from infer_bench.engines.torch.script_uses import list_nodes
from infer_bench.engines.training_mode import STATE
from infer_bench.model import Remark

_VIEWS = frozenset(
    f"aten::{name}"
    for name in (
        *("view", "reshape", "flatten", "unsqueeze", "squeeze", "expand", "slice", "select", "transpose", "permute"),
        *("detach", "narrow", "t"),
    )
)
"""Operators of TorchScript whose output is the memory of their first input."""
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Buffers of normalisation in training mode, which has a remark of its own."""


def find_changed_inputs(program: Any) -> frozenset[str]:
    """The inputs of an exported program that it writes to."""
    signature = program.graph_signature
    return frozenset({*signature.user_inputs_to_mutate.values(), *_list_written(program, signature.user_inputs)})


def describe_program_state(program: Any) -> tuple[Remark, ...]:
    """A remark where an exported program writes to buffers of its own, which are named."""
    signature = program.graph_signature
    buffers = signature.inputs_to_buffers
    written_buffers = {buffers[name] for name in _list_written(program, buffers)}
    return _describe({*signature.buffers_to_mutate.values(), *written_buffers})


def find_changed_script_inputs(graph: Any) -> frozenset[str]:
    """The inputs of a TorchScript graph that it may write to, by the graph's names."""
    aliases = graph.alias_db()
    values = list(graph.inputs())[1:]
    return frozenset(v.debugName() for v in values if str(v.type()) == "Tensor" and aliases.has_writers(v))


def describe_script_state(graph: Any) -> tuple[Remark, ...]:
    """A remark where a TorchScript module assigns to its own attributes, or works in place on them."""
    return _describe(set(_list_written_attributes(graph)))


def _describe(names: Collection[str]) -> tuple[Remark, ...]:
    own = sorted(name for name in names if not name.endswith(_STATISTICS))
    if not own:
        return ()
    text = f"keeps state between requests ({', '.join(own)}): an answer may depend on the requests before it"
    return (Remark(STATE, text, "take the state as an input, and give the new one as an output"),)


def _list_written(program: Any, names: Collection[str]) -> list[str]:
    """Those of the placeholders of these names to which an operator writes."""
    nodes = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    return [node.name for node in nodes if _is_written(node)]


def _is_written(start: Any) -> bool:
    """Whether an operator writes to a node's memory, or to a view of it."""
    waiting, visited = [start], {start}
    while waiting:
        node = waiting.pop()
        for user in node.users:
            kind = _find_use(user, node)
            if kind == "write":
                return True
            if kind == "view" and user not in visited:
                visited.add(user)
                waiting.append(user)
    return False


def _find_use(user: Any, node: Any) -> str:
    """What an operator does with the memory of one of its arguments: `write`, hand on a `view`, or nothing."""
    schema = getattr(user.target, "_schema", None)
    if schema is None:
        return "view" if user.op == "call_function" else ""
    uses = ""
    for i, argument in enumerate(schema.arguments):
        value = user.args[i] if i < len(user.args) else user.kwargs.get(argument.name)
        is_it = value is node or (isinstance(value, list | tuple) and any(entry is node for entry in value))
        if is_it and argument.alias_info is not None:
            if argument.alias_info.is_write:
                return "write"
            uses = "view"
    return uses


def _list_written_attributes(graph: Any) -> Iterator[str]:
    """Attributes that are assigned to, and those that are the target of an operator in place."""
    for node in list_nodes(graph):
        if node.kind() == "prim::SetAttr":
            yield node.s("name")
        elif node.kind().startswith("aten::") and node.kind().endswith("_") and not node.kind().endswith("__"):
            owner = _find_owner(node)
            if owner.kind() == "prim::GetAttr":
                yield owner.s("name")


def _find_owner(node: Any) -> Any:
    """The node whose memory an operator in place writes to."""
    owner = next(iter(node.inputs())).node()
    while owner.kind() in _VIEWS:
        owner = next(iter(owner.inputs())).node()
    return owner
