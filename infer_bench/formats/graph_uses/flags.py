"""Values of a graph that are only 0 and 1, and what is chosen by multiplying with them."""

from collections.abc import Iterable

from infer_bench.formats.input_names import is_mask
from infer_bench.formats.onnx_graph import Node

_COMPARISONS = frozenset(
    {"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "And", "Or", "Xor", "Not", "IsNaN", "IsInf"}
)
_MOVES = frozenset({"Cast", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Expand", "Slice", "Transpose"})


class Flags:
    """By name the values that are 0 and 1, as comparisons and masks are, and the products of another with them."""

    def __init__(self, inputs: Iterable[str]) -> None:
        self._flags = {name for name in inputs if is_mask(name)}
        self._products: set[str] = set()

    def note(self, node: Node) -> None:
        """Take in what the node makes."""
        if node.op in _COMPARISONS or (node.op in _MOVES and node.inputs and node.inputs[0] in self._flags):
            self._flags.update(node.outputs)
        elif self.find_chosen(node) is not None:
            self._products.update(node.outputs)

    def find_chosen(self, node: Node) -> int | None:
        """Which input of a product is kept where the other is 1; None where no other is only 0 and 1."""
        if node.op != "Mul" or len(node.inputs) != 2:
            return None
        are_flags = [name in self._flags for name in node.inputs]
        return are_flags.index(False) if sum(are_flags) == 1 else None

    def puts_together(self, node: Node) -> bool:
        """Whether a sum is one of what was chosen here and what was chosen there, as a `Where` is."""
        return node.op == "Add" and len(node.inputs) == 2 and all(name in self._products for name in node.inputs)
