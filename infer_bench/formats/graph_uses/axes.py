"""Which axis of a value is which of the input's, on the way through operators that move axes."""

from collections.abc import Sequence

from infer_bench.formats import onnx_graph
from infer_bench.formats.graph_uses.input_use import Axes, Constant, permute
from infer_bench.formats.onnx_graph import Node

_KEEP = frozenset({"Cast", "CastLike", "Identity", "Clip", "DequantizeLinear", "QuantizeLinear", "Dropout"})


def follow_axes(node: Node, axes: Axes, constants: Sequence[Constant | None]) -> Axes:
    """The axes of the node's output, where its first input has `axes`; None where that is not known."""
    if axes is None or node.op in _KEEP:
        return axes
    if node.op == "Transpose":
        order = onnx_graph.ints(node, "perm")
        return tuple(axes[place] for place in permute(range(len(axes)), order))
    if node.op == "Unsqueeze":
        return _unsqueeze(axes, _places(node, constants))
    if node.op == "Squeeze":
        return _squeeze(axes, _places(node, constants))
    return None


def axes_of_rows(node: Node, axes: Axes, table: Constant) -> Axes:
    """Those of the rows of a table that values with `axes` have looked up."""
    rank = len(table.sizes)
    axis = (onnx_graph.ints(node, "axis") or [0])[0]
    if axes is None or not -rank <= axis < rank:
        return None
    return (*(None,) * (axis % rank), *axes, *(None,) * (rank - axis % rank - 1))


def axes_of_product(axes: Axes) -> Axes:
    """Those of a value after it was multiplied by weights, along its last axis."""
    return None if not axes else (*axes[:-1], None)


def _places(node: Node, constants: Sequence[Constant | None]) -> tuple[int, ...]:
    """The axes that the node names: in an attribute up to opset 12, in its second input from 13 on."""
    second = constants[1] if len(constants) > 1 else None
    return second.values if second is not None else tuple(onnx_graph.ints(node, "axes"))


def _unsqueeze(axes: tuple[int | None, ...], places: tuple[int, ...]) -> Axes:
    rank = len(axes) + len(places)
    new = {place % rank for place in places}
    old = iter(axes)
    return tuple(None if place in new else next(old) for place in range(rank)) if len(new) == len(places) else None


def _squeeze(axes: tuple[int | None, ...], places: tuple[int, ...]) -> Axes:
    if not places or not axes:
        return None
    removed_axes = {place % len(axes) for place in places}
    return tuple(axis for place, axis in enumerate(axes) if place not in removed_axes)
