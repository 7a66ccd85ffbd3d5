"""Trees that give the number of the leaf reached, whose values a graph looks up: doubles in ai.onnx.ml 3."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.errors import NotConvertible
from infer_bench.trees.ensemble import LEAF
from infer_bench.trees.readers.onnx.attributes import OPERATORS
from infer_bench.trees.readers.onnx.operators import OperatorTrees
from infer_bench.typing import Array


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """The tree operator, the leaves' values (leaves,) or (leaves, outputs), and which trees add to which output.

    `shares` (one array of trees an output) is empty where all trees add to one output, or to all of them.
    """

    operator: Any
    table: Array
    shares: tuple[Array, ...] = ()

    def apply(self, trees: OperatorTrees) -> OperatorTrees:
        """The trees with the values in place of the leaves' numbers. Raises `NotConvertible` where they do not fit."""
        count, number = len(trees.roots), trees.nodes.value[:, 0].astype(np.int64)
        plain = trees.nodes.value.shape[1] == 1 and np.array_equal(trees.output, np.arange(count))
        table = self.table.reshape(len(self.table), -1).astype(np.float64)
        if not plain or trees.base.any() or number.max(initial=0) >= len(table):
            raise NotConvertible("trees whose leaves' values are looked up otherwise cannot be read")
        output = np.zeros(count, dtype=np.int64) - (table.shape[1] > 1)
        for place, share in enumerate(self.shares):
            output[share] = place
        leaf = (trees.nodes.mode == LEAF)[:, None]
        nodes = replace(trees.nodes, value=np.where(leaf, table[number], 0.0))
        width = len(self.shares) or table.shape[1]
        return replace(trees, nodes=nodes, output=output, base=np.zeros(width))


def find_lookup(maker: Mapping[str, Any], constants: Mapping[str, Array], tensor: str) -> Lookup | None:
    """What `tensor` is the sum of, an output or all of them; None where it is made otherwise."""
    node = maker.get(tensor)
    if node is None or node.op_type not in ("ReduceSum", "Concat"):
        return None
    parts = [node] if node.op_type == "ReduceSum" else [maker.get(name) for name in node.input]
    sums = [part for part in parts if part is not None and part.op_type == "ReduceSum"]
    if len(sums) < len(parts):
        return None
    shares, values = [], []
    for part in sums:
        tree_values = maker.get(part.input[0])
        if node.op_type == "Concat":
            if tree_values is None or tree_values.op_type != "Gather" or tree_values.input[1] not in constants:
                return None
            shares.append(constants[tree_values.input[1]].reshape(-1))
            tree_values = maker.get(tree_values.input[0])
        values.append(tree_values)
    first = values[0]
    if first is None or first.op_type != "Gather" or any(other is not first for other in values):
        return None
    table, numbers = constants.get(first.input[0]), maker.get(first.input[1])
    while numbers is not None and numbers.op_type == "Cast":
        numbers = maker.get(numbers.input[0])
    if table is None or numbers is None or numbers.op_type not in OPERATORS:
        return None
    return Lookup(numbers, table, tuple(shares))
