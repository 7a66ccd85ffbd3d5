"""From an ONNX graph's predictions back to its trees: the simple steps between, as links."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.errors import NotConvertible
from infer_bench.trees.ensemble import Dtype, Link, Refusal
from infer_bench.trees.readers.onnx.attributes import OPERATORS
from infer_bench.trees.readers.onnx.leaf_lookup import Lookup, find_lookup
from infer_bench.trees.readers.onnx.two_classes import read_slope, take_second_factor


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """a x + b, where b may hold one value an output."""

    a: float
    b: npt.NDArray[np.float64]


Step = Affine | Link

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_SAME = frozenset({"Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "ZipMap"})
_LINKS = {"Sigmoid": "sigmoid", "Softmax": "softmax", "Exp": "exp"}
_READ_BY_A_METHOD = frozenset(
    ("Add", "Sub", "Mul", "Div", "Where", "Concat", "Clip", "Normalizer", "TopK", "Gemm", "LinearClassifier")
)
_DTYPES: Mapping[int, Dtype] = {1: "float32", 11: "float64"}


@dataclass(slots=True, eq=False)
class Path:
    """What lies between the trees and the output: `steps` in the order of applying, the tree operators, and whether
    rows with infinite or with any missing values get NaN.

    `row_dtype` is that of the rows that the trees compare, `score_dtype` that of their sums. `columns`: for a graph
    with an input a column, which of them stands at each place of what the trees see. `lookup`: where the trees give
    leaves' numbers, what is looked up by them.
    """

    steps: list[Step] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    refuses: Refusal = "nothing"
    row_dtype: Dtype = "float32"
    score_dtype: Dtype = "float32"
    columns: tuple[int, ...] = ()
    lookup: Lookup | None = None


class Walk:
    """A walk through one graph, an `onnx.ModelProto`, from an output to its trees and on to its inputs."""

    def __init__(self, model: Any) -> None:
        from onnx import numpy_helper

        graph = model.graph
        self._maker = {name: node for node in graph.node for name in node.output}
        self._constants = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self._constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        self._inputs = [entry for entry in graph.input if entry.name not in self._constants]

    def path(self, output: str) -> Path:
        """From `output` back to the trees. Raises `NotConvertible` where anything but simple steps lies between."""
        path = Path()
        steps: list[Step] = []
        tensor = output
        while not path.operators:
            tensor = self._step(tensor, steps, path)
        path.steps = merge(steps[::-1])
        kinds = {self._rows(operator.input[0]) for operator in path.operators}
        if len(kinds) != 1:
            raise NotConvertible("trees that compare rows of different dtypes cannot be read")
        path.row_dtype, path.score_dtype, path.columns = kinds.pop()
        if path.lookup is not None:
            path.score_dtype = "float64" if path.lookup.table.dtype == np.float64 else "float32"
        return path

    def _step(self, tensor: str, steps: list[Step], path: Path) -> str:
        """The tensor that `tensor` is made of; what is done to it goes to `steps`."""
        node = self._maker.get(tensor)
        if node is None:
            raise NotConvertible("the answer is not made from trees alone")
        if node.domain not in _DOMAINS:
            raise NotConvertible(f"a graph with {node.op_type} of the domain {node.domain} cannot be read")
        path.lookup = find_lookup(self._maker, self._constants, tensor)
        if path.lookup is not None:
            path.operators = [path.lookup.operator]
            return tensor
        kind = node.op_type
        if kind in OPERATORS:
            path.operators = [node]
        elif kind in ("Sum", "ReduceSum"):
            path.operators = [self._operator(name) for name in self._addends(node)]
        elif kind in _LINKS:
            steps.append(Link(_LINKS[kind]))  # type: ignore[arg-type]
        elif kind in _READ_BY_A_METHOD:
            return str(getattr(self, f"_{kind.lower()}")(node, steps, path))
        elif kind not in _SAME:
            raise NotConvertible(f"a graph with {kind} between trees and answer cannot be read")
        return str(node.input[0])

    def _operator(self, tensor: str) -> Any:
        node = self._maker.get(tensor)
        while node is not None and node.op_type in _SAME:
            node = self._maker.get(node.input[0])
        if node is None or node.op_type not in OPERATORS:
            raise NotConvertible("a sum of other things than trees cannot be read")
        return node

    def _affine(self, node: Any, steps: list[Step], by: Callable[[Any, int], Affine]) -> str:
        """One constant and one tensor; `by` makes the step of the constant and its place."""
        for place in (0, 1):
            constant = self._constants.get(node.input[place])
            if constant is not None and constant.dtype.kind in "fi":
                steps.append(by(constant.astype(np.float64).reshape(-1), place))
                return str(node.input[1 - place])
        raise NotConvertible(f"a graph with {node.op_type} of two tensors cannot be read")

    def _add(self, node: Any, steps: list[Step], path: Path) -> str:
        for place in (0, 1):
            if self._is_not_finite(node.input[place]):
                path.refuses = "not-finite"
                return str(node.input[1 - place])
        return self._affine(node, steps, lambda value, _: Affine(1.0, value))

    def _sub(self, node: Any, steps: list[Step], path: Path) -> str:
        return self._affine(node, steps, lambda value, place: Affine(1.0, -value) if place else Affine(-1.0, value))

    def _mul(self, node: Any, steps: list[Step], path: Path) -> str:
        return self._affine(node, steps, lambda value, _: Affine(_single(take_second_factor(value)), np.zeros(1)))

    def _div(self, node: Any, steps: list[Step], path: Path) -> str:
        total = self._maker.get(node.input[1])
        if total is not None and total.op_type in ("ReduceSum", "ReduceL1") and total.input[0] == node.input[0]:
            steps.append(Link("normalise"))
            return str(node.input[0])
        if node.input[1] not in self._constants:
            raise NotConvertible("a graph that divides by a tensor cannot be read")
        return self._affine(node, steps, lambda value, _: Affine(1.0 / _single(value), np.zeros(1)))

    def _normalizer(self, node: Any, steps: list[Step], path: Path) -> str:
        norm = next((entry.s for entry in node.attribute if entry.name == "norm"), b"MAX")
        if norm != b"L1":
            raise NotConvertible("a graph with this Normalizer cannot be read")
        steps.append(Link("normalise"))
        return str(node.input[0])

    def _clip(self, node: Any, steps: list[Step], path: Path) -> str:
        bounds = [self._constants.get(name) for name in node.input[1:]]
        if len(bounds) != 2 or bounds[0] is None or bounds[1] is None:
            raise NotConvertible("a graph with this Clip cannot be read")
        steps.append(Link("clip", float(bounds[0]), float(bounds[1])))
        return str(node.input[0])

    def _topk(self, node: Any, steps: list[Step], path: Path) -> str:
        """All outputs of a row, sorted."""
        count = self._constants.get(node.input[1])
        attributes = {entry.name: entry.i for entry in node.attribute}
        if count is None or count.size != 1 or attributes != {"axis": 1, "largest": 0}:
            raise NotConvertible("a graph with this TopK cannot be read")
        steps.append(Link("sort", float(count.reshape(-1)[0])))
        return str(node.input[0])

    def _where(self, node: Any, steps: list[Step], path: Path) -> str:
        """NaN in the rows that hold an infinity."""
        constant = self._constants.get(node.input[1])
        if constant is None or constant.size != 1 or not np.isnan(constant).all():
            raise NotConvertible("a graph with this Where cannot be read")
        path.refuses = "infinite"
        return str(node.input[2])

    def _concat(self, node: Any, steps: list[Step], path: Path) -> str:
        """Both classes' columns, of which the second counts."""
        if len(node.input) != 2:
            raise NotConvertible("a graph that joins more than two columns cannot be read")
        return str(node.input[1])

    def _gemm(self, node: Any, steps: list[Step], path: Path) -> str:
        """Both classes' columns, as p (-1, 1) + (1, 0)."""
        constants = [self._constants.get(name, np.zeros(0)).tolist() for name in node.input[1:]]
        if constants != [[[-1.0, 1.0]], [1.0, 0.0]] or node.attribute:
            raise NotConvertible("a graph with this Gemm cannot be read")
        return str(node.input[0])

    def _linearclassifier(self, node: Any, steps: list[Step], path: Path) -> str:
        """Both classes' columns, as the softmax of next to 0 and of a multiple of the score."""
        steps += [Link("sigmoid"), Affine(read_slope(node), np.zeros(1))]
        return str(node.input[0])

    def _addends(self, node: Any) -> Sequence[str]:
        """What a node adds up: its inputs, or the columns that were joined before."""
        if node.op_type == "Sum":
            return list(node.input)
        tensor, _ = self._uncast(node.input[0])
        joined, axes = (
            self._maker.get(tensor),
            [self._constants.get(name, np.zeros(0)).tolist() for name in node.input[1:]],
        )
        if joined is None or joined.op_type != "Concat" or axes != [[1]]:
            raise NotConvertible("a graph with this ReduceSum cannot be read")
        return list(joined.input)

    def _is_not_finite(self, tensor: str) -> bool:
        """Whether a tensor is a sum of x - x, which is NaN where x is not finite."""
        total = self._maker.get(tensor)
        inner = self._maker.get(total.input[0]) if total is not None and total.op_type == "ReduceSum" else None
        return inner is not None and inner.op_type == "Sub" and inner.input[0] == inner.input[1]

    def _rows(self, tensor: str) -> tuple[Dtype, Dtype, tuple[int, ...]]:
        """In which dtype trees see the graph's inputs, which may only have been cast and joined, in which it reaches
        them, and the places of the inputs among the columns; none for a graph with one input.

        Doubles that were float32 once hold no more than float32 does.
        """
        tensor, kinds = self._uncast(tensor)
        names = [entry.name for entry in self._inputs]
        columns: tuple[int, ...] = ()
        node = self._maker.get(tensor)
        if node is not None and node.op_type == "Concat":
            parts = [self._uncast(name) for name in node.input]
            if sorted(name for name, _ in parts) != sorted(names) or not all(map(_single_column, self._inputs)):
                raise NotConvertible("trees that see other columns than the inputs' cannot be read")
            columns = tuple(names.index(name) for name, _ in parts)
            if len({tuple(casts) for _, casts in parts}) != 1:
                raise NotConvertible("trees that see columns of different dtypes cannot be read")
            kinds += parts[0][1]
        elif names != [tensor]:
            raise NotConvertible("trees that see other columns than the input's cannot be read")
        kinds += sorted({entry.type.tensor_type.elem_type for entry in self._inputs})
        if not set(kinds) <= set(_DTYPES):
            raise NotConvertible("trees that see whole numbers cannot be read")
        return ("float32" if 1 in kinds else "float64"), _DTYPES[kinds[0]], columns

    def _uncast(self, tensor: str) -> tuple[str, list[int]]:
        """The tensor that casts alone lie before, and what it was cast to, the last first."""
        kinds: list[int] = []
        node = self._maker.get(tensor)
        while node is not None and node.op_type in ("Cast", "Identity"):
            if node.op_type == "Cast":
                kinds.append(next(entry.i for entry in node.attribute if entry.name == "to"))
            tensor = str(node.input[0])
            node = self._maker.get(tensor)
        return tensor, kinds


def _single_column(entry: Any) -> bool:
    """Whether a graph's input holds one column."""
    sizes = [size.dim_value for size in entry.type.tensor_type.shape.dim]
    return len(sizes) == 2 and sizes[1] == 1


def _single(value: npt.NDArray[np.float64]) -> float:
    if value.size != 1 or value[0] == 0:
        raise NotConvertible("a graph that scales its columns one by one cannot be read")
    return float(value[0])


def merge(steps: Sequence[Step]) -> list[Step]:
    """The same steps, those of one kind that follow each other as one."""
    links: list[Step] = []
    for step in steps:
        last = links[-1] if links else None
        if isinstance(step, Affine) and isinstance(last, Affine):
            links[-1] = Affine(step.a * last.a, step.a * last.b + step.b)
        else:
            links.append(step)
    return links


def to_links(steps: Sequence[Step]) -> tuple[Link, ...]:
    """Steps as links. Raises `NotConvertible` for another constant an output."""
    links = [step if isinstance(step, Link) else Link("affine", step.a, _scalar(step.b)) for step in steps]
    return tuple(link for link in links if link != Link("affine"))


def _scalar(value: npt.NDArray[np.float64]) -> float:
    if np.any(value != value[0]):
        raise NotConvertible("a graph that shifts its columns one by one cannot be read")
    return float(value[0])


def split_scale(steps: Sequence[Step]) -> tuple[float, npt.NDArray[np.float64], tuple[Link, ...]]:
    """The divisor and the base (1 or outputs,) of the raw scores, and the links; a factor before a sigmoid is its."""
    first, rest = (steps[0], steps[1:]) if steps and isinstance(steps[0], Affine) else (None, steps)
    if first is None:
        return 1.0, np.zeros(1), to_links(rest)
    if rest and isinstance(rest[0], Link) and rest[0].kind == "sigmoid" and first.a > 0:
        links = (Link("sigmoid", first.a), *to_links(rest[1:]))
        return 1.0, first.b / first.a, links
    return 1.0 / first.a, first.b, to_links(rest)
