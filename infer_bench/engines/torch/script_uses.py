"""What a TorchScript module does with its inputs: its archive keeps neither their dtypes nor their ranks."""

from collections.abc import Iterator
from typing import Any

from infer_bench.engines.training_mode import TrainingOperators
from infer_bench.formats.graph_uses import InputUse

_HAND_ON = frozenset(
    f"aten::{name}"
    for name in (
        *("to", "type_as", "clone", "contiguous", "detach", "long", "int", "view", "reshape", "flatten"),
        *("unsqueeze", "squeeze", "expand", "slice", "select", "transpose", "permute"),
    )
)
"""Operators whose output holds the values of their first input."""
_INDICES = {
    "aten::embedding": {1},
    "aten::embedding_bag": {1, 2},
    "aten::index_select": {2},
    "aten::gather": {2},
    "aten::one_hot": {0},
}
"""Operators that look something up, and the places of what they look up by."""
_OFFSETS = ("aten::embedding_bag", 2)
_CONDITIONS = {"aten::where": 0, "aten::masked_fill": 1, "aten::masked_fill_": 1}
_LOGIC = ("aten::logical_", "aten::bitwise_not", "aten::bitwise_and", "aten::bitwise_or", "aten::bitwise_xor")
_COMPARISONS = frozenset(f"aten::{name}" for name in ("eq", "ne", "lt", "le", "gt", "ge"))
_RANDOM = ("aten::rand", "aten::normal", "aten::bernoulli", "aten::multinomial", "aten::uniform_", "aten::exponential")


def guess_dtype(value: Any, floats: str) -> str:
    """Of a value of the graph: int64 of what looks up or is compared with whole numbers, bool of conditions."""
    for use, node in _list_uses(value):
        kind = node.kind()
        if use in _INDICES.get(kind, ()):
            return "int64"
        if _CONDITIONS.get(kind) == use or kind.startswith(_LOGIC):
            return "bool"
        if kind in _COMPARISONS and isinstance(_constant(list(node.inputs())[1 - use]), int):
            return "int64"
    return floats


def read_script_uses(module: Any, graph: Any, names: dict[str, str]) -> dict[str, InputUse]:
    """The rows of the embeddings that whole numbers choose from, by the input's name; `names` are by the graph's."""
    uses = {name: InputUse() for name in names.values()}
    for value in graph.inputs():
        name = names.get(value.debugName())
        for use, node in _list_uses(value) if name else ():
            if name and (node.kind(), use) == _OFFSETS:
                uses[name].limit(0, 0, "where a bag begins")
            is_table = use == 1 and use in _INDICES.get(node.kind(), ())
            shape = getattr(_resolve(module, next(iter(node.inputs()))), "shape", None) if is_table else None
            if name and shape is not None:
                uses[name].limit(0, int(shape[0]) - 1, f"a row of a table of {int(shape[0]):,} rows")
    return uses


def find_training_nodes(module: Any, graph: Any) -> TrainingOperators:
    """Operators that work as in training, and those that draw numbers."""
    batch, dropout, random = list[str](), list[str](), list[str]()
    for node in list_nodes(graph):
        kind, name = node.kind(), node.kind().removeprefix("aten::")
        if kind.startswith("aten::") and ("batch_norm" in name or "dropout" in name):
            if _is_training(module, node):
                (batch if "batch_norm" in name else dropout).append(name)
        elif kind.startswith(_RANDOM):
            random.append(name)
    return TrainingOperators(tuple(batch), tuple(dropout), tuple(random))


def _is_training(module: Any, node: Any) -> bool:
    """By its truth values, of which the first says it; of what is no constant, the module's own mode."""
    for value in node.inputs():
        if str(value.type()) == "bool":
            constant = _constant(value)
            return bool(module.training if constant is None else constant)
    return False


def list_nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph, those of its blocks among them."""
    for node in graph.nodes():
        yield node
        for block in node.blocks():
            yield from list_nodes(block)


def _list_uses(start: Any) -> Iterator[tuple[int, Any]]:
    """The place and the node of each use of a value, and of what only hands it on."""
    waiting, visited = [start], set[str]()
    while waiting:
        for use in waiting.pop().uses():
            yield use.offset, use.user
            if use.user.kind() in _HAND_ON and use.offset == 0:
                outputs = [value for value in use.user.outputs() if value.debugName() not in visited]
                visited.update(value.debugName() for value in outputs)
                waiting += outputs


def _constant(value: Any) -> Any:
    return value.toIValue() if value.node().kind() == "prim::Constant" else None


def _resolve(module: Any, value: Any) -> Any:
    """The module's own part that a value is; None where it is computed."""
    node = value.node()
    if node.kind() == "prim::GetAttr":
        owner = _resolve(module, next(iter(node.inputs())))
        return None if owner is None else getattr(owner, node.s("name"), None)
    return module if node.kind() == "prim::Param" else None
