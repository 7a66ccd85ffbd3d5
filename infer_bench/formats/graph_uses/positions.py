"""Inputs whose values are positions in something, numbers to compare with, or how another tensor is cut."""

from collections.abc import Mapping, Sequence

from infer_bench.formats import onnx_graph
from infer_bench.formats.graph_uses.input_use import Constant, InputAxis, InputUse, Origin, Size
from infer_bench.formats.graph_uses.known_texts import LISTS, MOST_TEXTS
from infer_bench.formats.onnx_graph import Node

Origins = Sequence[tuple[Origin, ...]]
Constants = Sequence[Constant | None]
Sizes = Sequence[Sequence[Size] | None]

INDICES = {
    "Gather": 1,
    "GatherElements": 1,
    "GatherND": 1,
    "GatherBlockQuantized": 1,
    "ScatterElements": 1,
    "ScatterND": 1,
    "ArrayFeatureExtractor": 1,
    "SequenceAt": 1,
}
"""Which input of an operator holds positions in its first."""
_BY_POSITION = ("GatherND", "ScatterND")
"""Operators whose positions are along several axes at once."""
_EMBEDDINGS = {0: 2, 1: 4, 7: 3}
"""Of the inputs of `EmbedLayerNormalization`: ids, segments and positions, and their tables."""
_OPERANDS = {
    "Expand": {1: 1},
    "ConstantOfShape": {0: 1},
    "Tile": {1: 1},
    "TopK": {1: 1},
    "Range": {0: 0, 1: 1, 2: 1},
    "Slice": {1: 0, 2: 1, 3: 0, 4: 1},
    "Pad": {1: 0},
    "Resize": {2: 1, 3: 1},
    "Reshape": {1: 1},
    "CumSum": {1: 0},
    "Trilu": {1: 0},
    "Unsqueeze": {1: 0},
    "Squeeze": {1: 0},
    "OneHot": {1: 2},
    "Loop": {0: 1},
    "Dropout": {2: 0},
} | {f"Reduce{name}": {1: 0} for name in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSumExp")}
"""Of each operator the inputs that say how it changes another one, and a value that changes little."""


def note_positions(
    node: Node, origins: Origins, constants: Constants, sizes: Sizes, uses: Mapping[str, InputUse]
) -> None:
    """Add to `uses` what the node makes of the values of the inputs that reach it; `sizes` are its inputs'."""
    if node.op == "OneHot":
        depth = constants[1] if len(constants) > 1 else None
        rows = None if depth is None or depth.first is None else int(depth.first)
        _limit(origins[0], rows, f"OneHot of depth {rows}", uses)
    elif node.op == "EmbedLayerNormalization":
        for place, table in _EMBEDDINGS.items():
            if place < len(origins) and table < len(constants):
                _limit_to_rows(origins[place], constants[table], 0, uses)
    elif node.op in INDICES and len(origins) > 1:
        _note_index(node, origins, constants, sizes, uses)
    elif node.op in LISTS:
        texts = [text for name in LISTS[node.op] for text in onnx_graph.strings(node, name)]
        for origin in origins[0]:
            uses[origin.input].texts.update(dict.fromkeys(texts[:MOST_TEXTS]))
    elif node.op == "Mod" and len(constants) > 1:
        _note_modulus(origins[0], constants[1], uses)
    elif node.op == "Equal":
        _note_comparison(origins, constants, uses)
    elif node.op == "Cast":
        for origin in origins[0]:
            uses[origin.input].is_cast = True
    for place, value in _OPERANDS.get(node.op, {}).items():
        if place < len(origins):
            for origin in origins[place]:
                uses[origin.input].note_operand(node.op, value)


def _note_index(node: Node, origins: Origins, constants: Constants, sizes: Sizes, uses: Mapping[str, InputUse]) -> None:
    table, table_sizes = constants[0], sizes[0]
    axes = None if table_sizes is None else _indexed_axes(node, len(table_sizes), sizes[1])
    if table_sizes is None or axes is None:
        _limit(origins[1], 1, f"{node.op} of a tensor whose size the run decides", uses)
        return
    for axis in axes:
        size, name = table_sizes[axis], table.name if table else node.inputs[0]
        if isinstance(size, tuple):
            _limit_to_axis(origins[1], size, f"along axis {axis} of {name}", uses)
        elif size is None:
            _limit(origins[1], 1, f"{node.op} of a tensor whose size the run decides", uses)
        else:
            _limit(origins[1], size, _describe_rows(node, name, size), uses)


def _describe_rows(node: Node, name: str, rows: int) -> str:
    return f"{node.op} of {name} ({rows:,} rows)" if node.op in _BY_POSITION else f"a row of {name} ({rows:,} rows)"


def _indexed_axes(node: Node, rank: int, index_sizes: Sequence[Size] | None) -> Sequence[int] | None:
    """The axes of a table of so many that a node looks up positions along; None where it has no such."""
    if node.op in _BY_POSITION:
        first = (onnx_graph.ints(node, "batch_dims") or [0])[0]
        count = index_sizes[-1] if index_sizes else None
        return range(first, min(rank, first + count if isinstance(count, int) else rank))
    axis = (onnx_graph.ints(node, "axis") or [-1 if node.op == "ArrayFeatureExtractor" else 0])[0]
    return [axis % rank] if -rank <= axis < rank else None


def _limit_to_axis(origins: Sequence[Origin], axis: InputAxis, reason: str, uses: Mapping[str, InputUse]) -> None:
    for origin in origins:
        if origin.offset is not None and origin.input != axis[0]:
            uses[origin.input].places.append((axis, origin.offset, reason))


def _limit_to_rows(origins: Sequence[Origin], table: Constant | None, axis: int, uses: Mapping[str, InputUse]) -> None:
    if table is not None and table.sizes and -len(table.sizes) <= axis < len(table.sizes):
        rows = table.sizes[axis]
        _limit(origins, rows, f"a row of {table.name} ({rows:,} rows)", uses)


def _limit(origins: Sequence[Origin], rows: int | None, reason: str, uses: Mapping[str, InputUse]) -> None:
    for origin in origins:
        if rows is not None and rows > 0 and origin.offset is not None:
            low, high = max(0, -origin.offset), rows - 1 - origin.offset
            if low <= high:  # else it is what only positions from the end become, which are below 0
                uses[origin.input].limit(low, high, reason)


def _note_modulus(origins: Sequence[Origin], divisor: Constant | None, uses: Mapping[str, InputUse]) -> None:
    """Of numbers that come round again after so many, as those that are hashed, each comes twice."""
    if divisor is not None and divisor.first is not None and divisor.first >= 1 and divisor.first.is_integer():
        _limit(origins, 2 * int(divisor.first), f"taken modulo {divisor.first:,.0f}", uses)


def _note_comparison(origins: Origins, constants: Constants, uses: Mapping[str, InputUse]) -> None:
    for origin_side, constant_side in ((0, 1), (1, 0)):
        constant = constants[constant_side]
        for origin in origins[origin_side] if constant is not None else ():
            if origin.offset is None or constant is None:
                continue
            if constant.is_range:  # a one-hot encoding, as TensorFlow and JAX write it
                low, high = constant.values[0], constant.values[-1]
                reason = f"compared with each number from {low} to {high}"
                uses[origin.input].limit(low - origin.offset, high - origin.offset, reason)
            elif constant.first is not None:
                uses[origin.input].constants.append(constant.first - origin.offset)
