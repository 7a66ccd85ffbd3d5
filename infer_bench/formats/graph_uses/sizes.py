"""Which sizes operators ask of their input's axes: a layer's weights say how many channels or columns it takes."""

from collections.abc import Callable, Mapping, Sequence

from infer_bench.formats import onnx_graph
from infer_bench.formats.graph_uses.input_use import Constant, InputUse, Origin
from infer_bench.formats.onnx_graph import Node

Sizes = Mapping[int, int]
"""Sizes by axis; a negative axis counts from the end."""

_ELEMENTWISE = frozenset(["Add", "Sub", "Mul", "Div", "PRelu"])
RECURRENCES = ("LSTM", "GRU", "RNN")
_WEIGHTS = {"QLinearConv": 3, "QLinearMatMul": 3}
"""Which input of an operator holds its weights, where it is not the second."""


def _convolution(node: Node, weights: Sequence[int]) -> Sizes:
    return {1: weights[1] * (onnx_graph.ints(node, "group") or [1])[0]}


def _transposed_convolution(_: Node, weights: Sequence[int]) -> Sizes:
    return {1: weights[0]}


def _product(_: Node, weights: Sequence[int]) -> Sizes:
    return {-1: weights[-2] if len(weights) > 1 else weights[0]}


def _general_product(node: Node, weights: Sequence[int]) -> Sizes:
    is_transposed = any(onnx_graph.ints(node, "transB"))
    axis = 0 if any(onnx_graph.ints(node, "transA")) else 1
    return {axis: weights[1] if is_transposed else weights[0]}


def _recurrence(_: Node, weights: Sequence[int]) -> Sizes:
    return {2: weights[2]}


def _channels(_: Node, weights: Sequence[int]) -> Sizes:
    return {1: weights[0]}


def _last(_: Node, weights: Sequence[int]) -> Sizes:
    return {-1: weights[-1]}


def _broadcast(_: Node, weights: Sequence[int]) -> Sizes:
    """A size other than 1 is one that the input has as well, or has as 1, which nobody would leave free."""
    return {axis - len(weights): size for axis, size in enumerate(weights) if size > 1}


_RULES: Mapping[str, tuple[Callable[[Node, Sequence[int]], Sizes], int]] = {
    "Conv": (_convolution, 3),
    "FusedConv": (_convolution, 3),
    "ConvInteger": (_convolution, 3),
    "QLinearConv": (_convolution, 3),
    "ConvTranspose": (_transposed_convolution, 3),
    "MatMul": (_product, 1),
    "MatMulInteger": (_product, 1),
    "QLinearMatMul": (_product, 1),
    "Gemm": (_general_product, 2),
    "FusedGemm": (_general_product, 2),
    "LSTM": (_recurrence, 3),
    "GRU": (_recurrence, 3),
    "RNN": (_recurrence, 3),
    "BatchNormalization": (_channels, 1),
    "InstanceNormalization": (_channels, 1),
    "LayerNormalization": (_last, 1),
    "RMSNormalization": (_last, 1),
} | dict.fromkeys(_ELEMENTWISE, (_broadcast, 1))
"""By operator how its weights say sizes, and how many axes they have at the least."""


def note_sizes(
    node: Node,
    origins: Sequence[tuple[Origin, ...]],
    constants: Sequence[Constant | None],
    uses: Mapping[str, InputUse],
) -> None:
    """Add to `uses` the sizes that the node asks of the inputs that reach it; of several the first counts."""
    if node.op in RECURRENCES and not any(onnx_graph.ints(node, "layout")):
        _note_steps(origins[0], uses)
    if node.op not in _RULES or not constants:
        return
    rule, least_axes = _RULES[node.op]
    places = ((0, 1), (1, 0)) if node.op in _ELEMENTWISE else ((0, _WEIGHTS.get(node.op, 1)),)
    for place, weights_place in places:
        weights = constants[weights_place] if weights_place < len(constants) else None
        if weights is None or len(weights.sizes) < least_axes:
            continue
        for origin in origins[place]:
            _note(origin, rule(node, weights.sizes), uses)


def _note_steps(origins: Sequence[Origin], uses: Mapping[str, InputUse]) -> None:
    """A recurrence goes along the first axis of its input, and has requests along the second."""
    for origin in origins:
        if origin.axes is not None and len(origin.axes) == 3:
            uses[origin.input].time_axis, uses[origin.input].batch_axis = origin.axes[:2]


def _note(origin: Origin, sizes: Sizes, uses: Mapping[str, InputUse]) -> None:
    if origin.axes is None:
        return
    for place, size in sizes.items():
        if -len(origin.axes) <= place < len(origin.axes):
            axis = origin.axes[place]
            if axis is not None:
                uses[origin.input].sizes.setdefault(axis, size)
