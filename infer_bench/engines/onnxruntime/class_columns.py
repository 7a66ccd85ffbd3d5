"""Probabilities of which each class's are an output of their own, as skl2onnx writes them with `zipmap="columns"`."""

from collections.abc import Sequence
from typing import Any

from infer_bench.formats.onnx_graph import Node
from infer_bench.model import Label

_NUMBER, _TEXT = "i", "s"
"""What skl2onnx puts before a class in the name of its output, by the class's type."""
_LABEL_TYPES = {_NUMBER: "tensor(int64)", _TEXT: "tensor(string)"}


def find_class_columns(outputs: Sequence[Any], nodes: Sequence[Node]) -> tuple[str, ...]:
    """The outputs that are, beside labels, columns of one tensor, a class each, in its order; none in another graph."""
    makers = {name: node for node in nodes for name in node.outputs}
    columns = [output.name for output in outputs if output.type in ("tensor(float)", "tensor(double)")]
    tensors = {_sliced_tensor(name, makers) for name in columns}
    is_whole = len(columns) > 1 and len(outputs) == len(columns) + 1 and len(tensors) == 1 and None not in tensors
    prefix = columns[0][:1] if is_whole else ""
    if prefix not in _LABEL_TYPES or not all(name.startswith(prefix) for name in columns):
        return ()
    has_labels = any(output.type == _LABEL_TYPES[prefix] for output in outputs)
    return tuple(columns) if has_labels and (prefix == _TEXT or all(map(_is_whole_number, columns))) else ()


def read_classes(columns: Sequence[str]) -> tuple[Label, ...]:
    """The classes that the names of the outputs tell."""
    return tuple(int(name[1:]) if name.startswith(_NUMBER) else name[1:] for name in columns)


def _is_whole_number(column: str) -> bool:
    return column[1:].removeprefix("-").isdecimal()


def _sliced_tensor(output: str, makers: dict[str, Node]) -> str | None:
    """The tensor of which an output is a slice in other words of its shape."""
    node = makers.get(output)
    if node is not None and node.op == "Reshape":
        node = makers.get(node.inputs[0])
    return node.inputs[0] if node is not None and node.op == "Slice" else None
