"""What an exported program does with its inputs, as `formats.graph_uses` tells it of an ONNX graph."""

from collections.abc import Iterator
from typing import Any

from infer_bench.formats.graph_uses import InputUse

_HAND_ON = frozenset(
    {"_to_copy", "to", "type_as", "clone", "alias", "contiguous", "detach", "lift_fresh_copy"}
    | {"view", "reshape", "_unsafe_view", "unsqueeze", "squeeze", "expand", "slice", "select", "transpose", "permute"}
)
"""Operators whose output holds the values of their first input."""
MOST = 1 << 31
"""A range that ends beyond it is none."""
_BAG = "where a bag begins"
_EMBEDDINGS = frozenset({"embedding", "embedding_bag", "_embedding_bag"})


def read_input_uses(program: Any) -> dict[str, InputUse]:
    """The rows of the embeddings that each input's whole numbers choose from, by the input's name."""
    names = set(program.graph_signature.user_inputs)
    starts = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    uses = {node.name: InputUse() for node in starts}
    for node in starts:
        for place, rows in _find_places(node):
            uses[node.name].limit(0, rows - 1, place if place == _BAG else f"{place} ({rows:,} rows)")
        limits = _find_limits(program, node.meta.get("val"))
        if limits is not None:
            uses[node.name].limit(*limits, "as the program was exported for")
    return uses


def _find_limits(program: Any, value: Any) -> tuple[int, int] | None:
    """From where to where a number may be, of which the program was exported for a range; None for any other."""
    expression = getattr(getattr(value, "node", None), "expr", None)
    limits = program.range_constraints.get(expression) if not hasattr(value, "shape") else None
    try:
        return None if limits is None or int(limits.upper) > MOST else (int(limits.lower), int(limits.upper))
    except (TypeError, ValueError, OverflowError, AttributeError):  # the last one of a symbol for infinity
        return None


def _find_places(start: Any) -> Iterator[tuple[str, int]]:
    """What is looked up by the values of a node, an embedding by its name, and how many of it there are."""
    waiting, visited = [start], {start}
    while waiting:
        node = waiting.pop()
        for user in node.users:
            name, arguments = _operator(user), user.args
            if name in _EMBEDDINGS and len(arguments) > 1 and arguments[1] is node:
                yield f"a row of {arguments[0]}", int(arguments[0].meta["val"].shape[0])
            elif name in _EMBEDDINGS and len(arguments) > 2 and arguments[2] is node:
                yield _BAG, 1
            elif name == "index_select" and len(arguments) > 2 and arguments[2] is node:
                yield f"a row of {arguments[0]}", int(arguments[0].meta["val"].shape[arguments[1]])
            if name in _HAND_ON and arguments and arguments[0] is node and user not in visited:
                visited.add(user)
                waiting.append(user)


def _operator(node: Any) -> str:
    schema = getattr(node.target, "_schema", None)
    return "" if schema is None else str(schema.name).rsplit("::", 1)[-1]
