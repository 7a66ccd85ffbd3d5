"""Nodes that two ONNX files have at the same places of a graph, and that are not the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from infer_bench.errors import ModelError
from infer_bench.formats import onnx_graph
from infer_bench.formats.onnx_graph import Node
from infer_bench.formats.protobuf import Message, integers, messages, text

_OPSETS, _GRAPH, _NODES, _SUBGRAPHS = 8, 7, 1, (6, 11)
_FUNCTIONS, _FUNCTION_NAME, _FUNCTION_NODES = 25, 1, 7
_FLOAT, _INT, _STRING, _TENSOR, _FLOATS, _INTS, _STRINGS = 2, 3, 4, 5, 7, 8, 9
_EITHER_WAY = frozenset({"Add", "Mul", "And", "Or", "Xor", "Max", "Min", "Sum", "Mean", "Equal", "BitwiseAnd"})
"""Operators whose inputs may change places."""
_PASS_ON = frozenset({"Identity", "Dropout"})
"""Operators that a simplified file puts in each other's place."""
_NEAR = 1e-6
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class OtherNode:
    """A node by its operator and first output, and `what` is another: its attribute, its operator or its inputs."""

    op: str
    output: str
    what: str


def find_other_nodes(ours: bytes | Message, theirs: bytes | Message) -> list[OtherNode]:
    """The nodes of another kind, where both graphs compute the same names by the same opsets; none where they do not.

    An attribute that one side alone has may be the default of the other, and is not counted; nor are the numbers of
    constants. Raises `ModelError` for bytes that are no ONNX model.
    """
    models = memoryview(ours), memoryview(theirs)
    try:
        first, second = ({bytes(opset) for opset in messages(model, _OPSETS)} for model in models)
        graphs, functions = zip(*((_find_graph(model), _find_functions(model)) for model in models), strict=True)
        if first != second or functions[0].keys() != functions[1].keys():
            return []
        others = _compare(graphs[0], graphs[1], _NODES, 0) or []
        for name, function in functions[0].items():
            others += _compare(function, functions[1][name], _FUNCTION_NODES, 0) or []
    except ValueError as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None
    return others


def _find_graph(model: Message) -> Message:
    return next(messages(model, _GRAPH), memoryview(b""))


def _find_functions(model: Message) -> dict[str, Message]:
    return {next(map(text, messages(f, _FUNCTION_NAME)), ""): f for f in messages(model, _FUNCTIONS)}


def _compare(ours: Message, theirs: Message, field: int, depth: int) -> list[OtherNode] | None:
    """The other nodes of two graphs or functions, which stand in a `field`; None where values have other names."""
    if depth > _DEEPEST:
        raise ValueError("its graphs are nested too deeply")
    first, second = (
        {node.outputs: node for node in map(onnx_graph.read_node, messages(side, field))} for side in (ours, theirs)
    )
    if first.keys() != second.keys():
        return None
    return [other for outputs, node in first.items() for other in _compare_nodes(node, second[outputs], depth)]


def _compare_nodes(ours: Node, theirs: Node, depth: int) -> Iterator[OtherNode]:
    output = ours.outputs[0] if ours.outputs else ""
    if (ours.op, ours.domain) != (theirs.op, theirs.domain):
        if not {ours.op, theirs.op} <= _PASS_ON:
            yield OtherNode(ours.op, output, f"{theirs.op} in its place")
        return
    if ours.inputs != theirs.inputs and sorted(ours.inputs) == sorted(theirs.inputs) and ours.op not in _EITHER_WAY:
        yield OtherNode(ours.op, output, "its inputs in another order")
    for name in ours.attributes.keys() & theirs.attributes.keys() if ours.op != "Constant" else ():
        yield from _compare_attributes(ours, output, name, theirs.attributes[name], depth)


def _compare_attributes(node: Node, output: str, name: str, other: Message, depth: int) -> Iterator[OtherNode]:
    own = node.attributes[name]
    graphs = list(messages(own, *_SUBGRAPHS)), list(messages(other, *_SUBGRAPHS))
    for ours, theirs in zip(*graphs, strict=False):
        inner = _compare(ours, theirs, _NODES, depth + 1)
        yield from [OtherNode(node.op, output, name)] if inner is None else inner
    if not graphs[0] and not _are_alike(own, other):
        yield OtherNode(node.op, output, name)


def _are_alike(ours: Message, theirs: Message) -> bool:
    """Whether two attributes hold the same but for the last bits of numbers; of tensors the first value counts."""
    if integers(ours, _INT, _INTS) != integers(theirs, _INT, _INTS):
        return False
    for field in (_STRING, _STRINGS):
        if [bytes(value) for value in messages(ours, field)] != [bytes(value) for value in messages(theirs, field)]:
            return False
    first, second = (_floats(side) for side in (ours, theirs))
    if len(first) != len(second) or not np.allclose(first, second, rtol=_NEAR, atol=0, equal_nan=True):
        return False
    return _tensors(ours) == _tensors(theirs)


def _floats(attribute: Message) -> Sequence[float]:
    values: list[float] = np.frombuffer(b"".join(messages(attribute, _FLOAT, _FLOATS)), dtype="<f4").tolist()
    return values


def _tensors(attribute: Message) -> list[tuple[int, str]]:
    """The type of each tensor and its first value: how the others are stored may differ."""
    stored = [onnx_graph.read_stored(tensor) for tensor in messages(attribute, _TENSOR)]
    return [(tensor.data_type, str(tensor.first)) for tensor in stored]
