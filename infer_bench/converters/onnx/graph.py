"""An ONNX graph under construction: nodes and constants.

Numbers in it are double unless a method says otherwise, because the libraries converted here compute in double.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import numpy as np

from infer_bench.errors import NotConvertible
from infer_bench.typing import Array

OPSET = 19
"""The first opset in which strings may be compared."""


class Graph:
    """Collects nodes and constants under unique names. `shared` are tensors that several steps make alike.

    `attributes` are those of large nodes, by the node's name, already on the wire.
    """

    def __init__(self, opset_ml: int = 5, prefix: str = "") -> None:
        self.opset_ml = opset_ml
        self._prefix = prefix
        self._branches = 0
        self.nodes: list[Any] = []
        self.attributes: dict[str, bytes] = {}
        self.initializers: list[Any] = []
        self.domains: dict[str, int] = {}
        self.reserved: set[str] = set()
        self.refusal_masks: list[str] = []
        self.shared: dict[tuple[str, ...], str] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._count = 0

    def name(self, stem: str) -> str:
        """A name that nothing else in the graph has."""
        self._count += 1
        while (name := f"{self._prefix}{stem}_{self._count}") in self.reserved:
            self._count += 1
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return that output's name."""
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with several outputs."""
        from onnx import helper

        names = [self.name(kind) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=self.name("n"), **attributes))
        return names

    def branch(self) -> "Graph":
        """A graph within this one, for `either` and `repeat`; it may read this one's tensors."""
        self._branches += 1
        return Graph(self.opset_ml, f"{self._prefix}b{self._branches}_")

    def either(self, condition: str, then: "Graph", result: str, other: "Graph", default: str, *, element: int) -> str:
        """`result` of `then` where the scalar `condition` holds, else `default` of `other`; (rows, n) both."""
        sides = [branch._nest({}, {name: (element, 2)}) for branch, name in ((then, result), (other, default))]
        return self.op("If", condition, then_branch=sides[0], else_branch=sides[1])

    def repeat(self, body: "Graph", inputs: Sequence[str], going: str, result: str, start: str, *, element: int) -> str:
        """A (rows, n) tensor that `body` makes anew, from `start` on, while its scalar `going` holds; once at least.

        `inputs` are the body's names of the turn, of the condition and of the tensor.
        """
        kinds = dict(zip(inputs, ((7, 0), (9, 0), (element, 2)), strict=True))
        nested = body._nest(kinds, {going: (9, 0), result: (element, 2)})
        return self.op("Loop", "", "", start, body=nested)

    def _nest(self, inputs: Mapping[str, tuple[int, int]], outputs: Mapping[str, tuple[int, int]]) -> Any:
        """As a graph of ONNX; each tensor has its element type and its number of axes."""
        from onnx import helper

        infos = [
            [helper.make_tensor_value_info(name, element, [None] * axes) for name, (element, axes) in tensors.items()]
            for tensors in (inputs, outputs)
        ]
        return helper.make_graph(self.nodes, f"{self._prefix}body", *infos, self.initializers)

    def const(self, values: Any, dtype: Any = np.float64) -> str:
        """A constant tensor; equal constants are stored once. `dtype` str makes a tensor of strings."""
        from onnx import helper, numpy_helper

        array = np.asarray(values, dtype=object if dtype is str else dtype)
        data = "\0".join(map(str, array.ravel())).encode() if dtype is str else array.tobytes()
        key = (str(np.dtype(dtype) if dtype is not str else "str"), array.shape, data)
        if key not in self._constants:
            name = self._constants[key] = self.name("c")
            if dtype is str:
                text = [str(value).encode() for value in array.ravel()]
                self.initializers.append(helper.make_tensor(name, 8, array.shape, text))
            else:
                self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return self._constants[key]

    def ints(self, *values: int) -> str:
        """A 1-D int64 constant."""
        return self.const(np.array(values, dtype=np.int64), np.int64)

    def double(self, tensor: str) -> str:
        """Cast to double."""
        return self.op("Cast", tensor, to=11)

    def take(self, tensor: str, indices: Sequence[int] | Array) -> str:
        """The columns `indices` of a (batch, width) tensor, in that order."""
        return self.op("Gather", tensor, self.const(np.asarray(indices, dtype=np.int64), np.int64), axis=1)

    def concat(self, tensors: Sequence[str]) -> str:
        """(batch, …) tensors side by side."""
        return tensors[0] if len(tensors) == 1 else self.op("Concat", *tensors, axis=1)

    def total(self, tensor: str) -> str:
        """The sum of each row, as (batch, 1)."""
        return self.op("ReduceSum", tensor, self.ints(1), keepdims=1)

    def matmul(self, x: str, matrix: Any) -> str:
        """x @ matrix, (batch, columns of the matrix).

        As Gemm, because ONNX Runtime folds a scalar beside a MatMul into a factor that it keeps in float32.
        """
        return self.op("Gemm", x, self.const(matrix))

    def linear(self, x: str, coefficients: Any, intercept: Any = 0.0) -> str:
        """x @ coefficients.T + intercept, (batch, outputs)."""
        return self.op("Add", self.matmul(x, np.atleast_2d(coefficients).T), self.const(np.atleast_1d(intercept)))

    def expit(self, x: str) -> str:
        """1 / (1 + exp(-x)), in double.

        ONNX Runtime's Sigmoid knows a small result to 1e-16 only, and none below that: what is divided by a sum of such
        results, as several classes' probabilities are, would be wrong in the first digit.
        """
        return self.op("Reciprocal", self.op("Add", self.op("Exp", self.op("Neg", x)), self.const(1.0)))

    def argmax(self, scores: str) -> str:
        """The index of each row's first maximum, int64 (batch,)."""
        return self.op("ArgMax", scores, axis=1, keepdims=0)

    def flat(self, tensor: str) -> str:
        """(batch, 1) as (batch,)."""
        return self.op("Reshape", tensor, self.ints(-1))


class Finiteness(IntEnum):
    """What is known of the numbers of a frame, in the rows that are not refused."""

    UNKNOWN = 0
    NO_INFINITY = 1
    FINITE = 2


Storage = Literal["dense", "csr", "csc"]
"""What the original's library holds columns in: an array, or a sparse matrix of one of scipy's formats."""


@dataclass(frozen=True, slots=True)
class Block:
    """A (batch, width) tensor of the graph: double numbers, or strings.

    Within a sparse matrix `support` is the tensor whose zeros mark what the matrix does not store; None where that is
    the block's own. `rounded_by` names the step whose numbers ONNX Runtime rounds otherwise in the last bit, or is "".
    """

    tensor: str
    width: int
    text: bool = False
    support: str | None = None
    rounded_by: str = ""

    def take(self, g: Graph, indices: Sequence[int]) -> "Block":
        """The columns `indices`, in that order."""
        support = None if self.support is None else g.take(self.support, indices)
        return Block(g.take(self.tensor, indices), len(indices), self.text, support, self.rounded_by)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a step of a pipeline is given: blocks side by side. `names` are the columns' names, where known.

    Where `storage` is sparse, a zero may be one that the matrix stores, or one that it does not.
    """

    blocks: tuple[Block, ...]
    names: tuple[str, ...] = ()
    finiteness: Finiteness = Finiteness.UNKNOWN
    storage: Storage = "dense"

    @property
    def width(self) -> int:
        """The number of columns."""
        return sum(block.width for block in self.blocks)

    @property
    def text(self) -> bool:
        """Whether any column holds strings."""
        return any(block.text for block in self.blocks)

    @property
    def rounded_by(self) -> str:
        """The step whose numbers are rounded otherwise than here in any of the columns; "" for none."""
        return next((block.rounded_by for block in self.blocks if block.rounded_by), "")

    def numbers(self, g: Graph, who: str) -> str:
        """All columns as one double tensor; raises `NotConvertible` when one holds strings."""
        if self.text:
            raise NotConvertible(f"{who} is given a column of strings", "encode it in an earlier step")
        if not self.blocks:
            raise NotConvertible(f"{who} is given no columns")
        return g.concat([block.tensor for block in self.blocks])

    def support(self, g: Graph) -> str:
        """The tensor (batch, width) whose zeros mark what a sparse matrix does not store."""
        return g.concat([block.support or block.tensor for block in self.blocks])

    def columns(self, g: Graph) -> list[Block]:
        """Each column on its own, as a (batch, 1) block."""
        parts: list[Block] = []
        for block in self.blocks:
            if block.width == 1:
                parts.append(block)
                continue
            parts += [block.take(g, [i]) for i in range(block.width)]
        return parts

    def select(self, g: Graph, indices: Sequence[int]) -> "Frame":
        """The columns `indices`, in that order."""
        names = tuple(self.names[i] for i in indices) if self.names else ()
        if list(indices) == list(range(self.width)):
            return self
        if len(self.blocks) == 1:
            picked: tuple[Block, ...] = (self.blocks[0].take(g, list(indices)),)
        else:
            columns = self.columns(g)
            picked = tuple(columns[i] for i in indices)
        return Frame(picked if len(indices) else (), names, self.finiteness, self.storage)

    @staticmethod
    def of(tensor: str, width: int, finiteness: Finiteness = Finiteness.UNKNOWN) -> "Frame":
        """One block of numbers."""
        return Frame((Block(tensor, width),), (), finiteness)
