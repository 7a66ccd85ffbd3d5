"""Follow each input of a graph through what hands its values on, to the operators that say what they may be."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infer_bench.errors import ModelError
from infer_bench.formats import onnx_graph
from infer_bench.formats.graph_uses.axes import axes_of_product, axes_of_rows, follow_axes
from infer_bench.formats.graph_uses.flags import Flags
from infer_bench.formats.graph_uses.graph_parts import (
    Graph,
    read_constant_node,
    read_functions,
    read_main_graph,
    subgraphs,
)
from infer_bench.formats.graph_uses.input_use import Constant, InputAxis, InputUse, Origin, Size, permute
from infer_bench.formats.graph_uses.positions import INDICES, note_positions
from infer_bench.formats.graph_uses.sizes import note_sizes
from infer_bench.formats.onnx_graph import Node
from infer_bench.formats.protobuf import Message

_DEEPEST = 32
_SAME_VALUES = ("Cast", "CastLike", "Identity", "Clip", "Optional", "OptionalGetElement", "Dropout", "DequantizeLinear")
_MOVED_VALUES = (
    *("Squeeze", "Unsqueeze", "Reshape", "Slice", "Transpose", "Flatten", "Expand", "Tile", "Split", "Pad"),
    *("Gather", "GatherND", "GatherElements", "Compress", "QuantizeLinear"),
)
_HAND_ON = frozenset({*_SAME_VALUES, *_MOVED_VALUES})
"""Operators whose output holds the values of their first input."""
_ACTIVATIONS = (
    "Relu",
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Selu",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Sigmoid",
    "Tanh",
    "Softmax",
)
_ARITHMETIC = (
    *("Mul", "Div", "Pow", "Mod", "Max", "Min", "Neg", "Abs", "Sqrt", "Exp", "Log", "Erf", "Floor", "Ceil", "Round"),
    *("Not", "IsNaN", "DynamicQuantizeLinear"),
)
_NORMALISATIONS = ("BatchNormalization", "LayerNormalization", "InstanceNormalization")
_CHANGE = frozenset({*_ACTIVATIONS, *_ARITHMETIC, *_NORMALISATIONS})
"""Operators whose output has the axes of their inputs, and other values."""
_SHIFT = {"Add": 1, "Sub": -1}


def read_input_uses(content: bytes | Message) -> dict[str, InputUse]:
    """What the main graph of an ONNX file does with each of its inputs, by name; none for those with a default.

    Raises `ModelError` for bytes that are no ONNX model.
    """
    model = memoryview(content)
    try:
        graph = read_main_graph(model)
        names = [name for name in graph.inputs if name not in graph.constants]
        trace = _Trace({name: InputUse() for name in names}, read_functions(model), _find_symbols(graph, names))
        origins = {name: _start(name, graph) for name in names}
        trace.walk(graph, _Scope(ChainMap(origins), ChainMap(dict(graph.constants)), ChainMap(graph.declared)), 0)
    except (ValueError, IndexError) as error:
        raise ModelError(f"the file is no ONNX model: {error}") from None
    return trace.uses


def _start(name: str, graph: Graph) -> tuple[Origin, ...]:
    sizes = graph.declared.get(name)
    return (Origin(name, 0, None if sizes is None else tuple(range(len(sizes)))),)


def _find_symbols(graph: Graph, names: Sequence[str]) -> dict[str, InputAxis]:
    """By symbol the first axis of an input that is declared with it."""
    axes = [(size, (name, axis)) for name in names for axis, size in enumerate(graph.declared.get(name, ()))]
    return {size: axis for size, axis in reversed(axes) if isinstance(size, str)}


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is known of the values of a graph, by name: where they come from, that they are constant, what is declared.

    See `Graph.declared`.
    """

    origins: ChainMap[str, tuple[Origin, ...]]
    constants: ChainMap[str, Constant]
    declared: ChainMap[str, tuple[int | str | None, ...]]

    def within(self, graph: Graph) -> "_Scope":
        """The scope of a graph inside this one."""
        constants = self.constants.new_child(dict(graph.constants))
        return _Scope(self.origins.new_child(), constants, self.declared.new_child(graph.declared))


class _Trace:
    def __init__(
        self, uses: dict[str, InputUse], functions: dict[str, Graph], symbols: Mapping[str, InputAxis]
    ) -> None:
        self.uses = uses
        self._functions, self._symbols, self._flags = functions, symbols, Flags(uses)

    def walk(self, graph: Graph, scope: _Scope, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError("its graphs are nested too deeply")
        for node in graph.read_nodes():
            self._visit(node, scope, depth)

    def _visit(self, node: Node, scope: _Scope, depth: int) -> None:
        if node.op == "Constant":
            constant = read_constant_node(node)
            if constant is not None:
                scope.constants[node.outputs[0]] = constant
            return
        origins = [scope.origins.get(name, ()) for name in node.inputs]
        constants = [scope.constants.get(name) for name in node.inputs]
        if any(origins):
            sizes = [self._find_sizes(name, scope) for name in node.inputs] if node.op in INDICES else ()
            note_positions(node, origins, constants, sizes, self.uses)
            note_sizes(node, origins, constants, self.uses)
        if node.op in self._functions:
            self._enter(self._functions[node.op], node, node.inputs, scope, depth)
            return
        for graph in subgraphs(node):
            self._enter(graph, node, _carried_in(node, graph), scope, depth)
        self._hand_on(node, origins, constants, scope)
        self._flags.note(node)

    def _find_sizes(self, name: str, scope: _Scope) -> Sequence[Size] | None:
        """The sizes of a value: as it is stored or declared, else those of the inputs that it comes from."""
        if name in scope.constants:
            return scope.constants[name].sizes
        declared_sizes = scope.declared.get(name)
        origins = [origin for origin in scope.origins.get(name, ()) if origin.axes is not None]
        ranks = [len(origin.axes or ()) for origin in origins]
        rank = len(declared_sizes) if declared_sizes is not None else max(ranks, default=0)
        if not rank:
            return None
        return [
            self._find_size(declared_sizes[axis] if declared_sizes else None, origins, axis - rank)
            for axis in range(rank)
        ]

    def _find_size(self, declared_size: int | str | None, origins: Sequence[Origin], axis: int) -> Size:
        """The size of an axis, which counts from the end, as sizes that are stretched do."""
        if isinstance(declared_size, int):
            return declared_size
        if declared_size is not None and declared_size in self._symbols:
            return self._symbols[declared_size]
        axes = [(origin.input, origin.axes[axis]) for origin in origins if origin.axes and -axis <= len(origin.axes)]
        return next(((name, place) for name, place in axes if place is not None), None)

    def _enter(self, graph: Graph, node: Node, names: tuple[str, ...], scope: _Scope, depth: int) -> None:
        """Walk a graph that is given the values of these names, and hand on what goes out of it."""
        inner = scope.within(graph)
        for name, outer in zip(graph.inputs, names, strict=False):
            _copy(scope, outer, inner, name, axes=node.op in self._functions)
        self.walk(graph, inner, depth + 1)
        if node.op in ("If", *self._functions):
            for name, outer in zip(graph.outputs, node.outputs, strict=False):
                _copy(inner, name, scope, outer)

    def _hand_on(
        self, node: Node, origins: list[tuple[Origin, ...]], constants: list[Constant | None], scope: _Scope
    ) -> None:
        if not node.inputs or not node.outputs:
            return
        first = constants[0]
        if first is not None and not any(origins) and node.op in _HAND_ON:
            constant = _constant_after(node, first)
            if constant is not None:
                scope.constants[node.outputs[0]] = constant
        chosen = self._flags.find_chosen(node)
        if chosen is not None:
            reaching = origins[chosen]
        elif self._flags.puts_together(node):
            reaching = (*origins[0], *origins[1])
        else:
            reaching = _reaching(node, origins, constants)
        reaching = _distinct(reaching)
        if reaching:
            outputs = node.outputs if node.op == "Split" else node.outputs[:1]
            scope.origins.update(dict.fromkeys(filter(None, outputs), reaching))


def _distinct(origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """Each once, without those of which nothing is known any more: a network adds its layers over and over."""
    return tuple(dict.fromkeys(origin for origin in origins if origin.offset is not None or origin.axes is not None))


def _reaching(node: Node, origins: list[tuple[Origin, ...]], constants: list[Constant | None]) -> tuple[Origin, ...]:
    """Where the node's output comes from."""
    if node.op in _HAND_ON:
        if node.op == "Gather" and constants[0] is not None:
            return tuple(
                origin.shift(None).with_axes(axes_of_rows(node, origin.axes, constants[0])) for origin in origins[1]
            )
        return tuple(origin.with_axes(follow_axes(node, origin.axes, constants)) for origin in origins[0])
    if node.op in ("MatMul", "Gemm"):
        return tuple(origin.shift(None).with_axes(axes_of_product(origin.axes)) for origin in origins[0])
    if node.op == "Where":
        return (*origins[1], *origins[2]) if len(origins) > 2 else ()
    if node.op == "Concat":
        return tuple(origin.with_axes(None) for part in origins for origin in part)
    if node.op in _SHIFT:
        return _add(node, origins, constants)
    if node.op in _CHANGE:
        return tuple(origin.shift(None) for part in origins for origin in part)
    return ()


def _add(node: Node, origins: list[tuple[Origin, ...]], constants: list[Constant | None]) -> tuple[Origin, ...]:
    """A sum: of an input and a single number, it is the input shifted by that."""
    if len(origins) != 2:
        return ()
    addend = constants[1] if origins[0] else constants[0] if node.op == "Add" else None
    single = addend is not None and addend.first is not None and all(size == 1 for size in addend.sizes)
    offset = None
    if single and addend is not None and addend.first is not None and addend.first.is_integer():
        offset = _SHIFT[node.op] * int(addend.first)
    return tuple(origin.shift(offset) for part in origins for origin in part)


def _constant_after(node: Node, constant: Constant) -> Constant | None:
    """A constant that a node has handed on, as far as it is still known."""
    if node.op == "Transpose":
        return Constant(constant.name, permute(constant.sizes, onnx_graph.ints(node, "perm")), None)
    if node.op in ("Cast", "CastLike", "Identity", "DequantizeLinear", "QuantizeLinear", "Dropout"):
        return constant
    return Constant(constant.name, (), constant.first) if constant.sizes in ((), (1,)) else None


def _carried_in(node: Node, graph: Graph) -> tuple[str, ...]:
    """What a loop hands to its body: nothing for the count of a `Loop` and its condition. A branch takes nothing."""
    if node.op == "Loop":
        return ("", "", *node.inputs[2:])
    return node.inputs if node.op == "Scan" else ()


def _copy(source: _Scope, name: str, target: _Scope, new_name: str, *, axes: bool = True) -> None:
    if name in source.origins:
        origins = source.origins[name]
        target.origins[new_name] = origins if axes else tuple(origin.with_axes(None) for origin in origins)
    if name in source.constants:
        target.constants[new_name] = source.constants[name]
