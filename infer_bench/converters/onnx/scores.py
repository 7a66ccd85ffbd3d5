"""An ensemble's raw scores as ONNX nodes."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.converters.onnx.columns import NUMBER, cast_rows, read_columns
from infer_bench.converters.onnx.graph import Graph
from infer_bench.converters.onnx.operators import tree_node
from infer_bench.converters.onnx.thresholds import (
    base_in_leaves,
    fold,
    one_output_a_leaf,
    reachable_members,
    slice_of_trees,
    without_empty_sets,
)
from infer_bench.errors import NotConvertible
from infer_bench.model import Feature
from infer_bench.trees.ensemble import LEAF, Dtype, Ensemble, LinearLeaves, Nodes, concatenate
from infer_bench.typing import Ints

_LARGEST_COUNT = 1 << 24
"""Up to here float32 holds every whole number."""
_SHORT_SUM = 100
"""So many leaves added in float32 stay well within 1e-6 of their sum; longer sums go on in double."""


def add_scores(g: Graph, ensemble: Ensemble, rows: str, given: Dtype, wanted: Dtype) -> tuple[str, Dtype]:
    """Raw scores (batch, outputs) and their dtype, from the tensor `rows` (batch, features) of dtype `given`.

    `wanted` is the dtype of the trees. Scores that the source library adds up in double are double even where the trees
    are float32, so that neither a long sum nor a link function makes more of the leaves' rounding.
    """
    ensemble = base_in_leaves(without_empty_sets(reachable_members(ensemble, wanted)))
    held: Dtype = "float64" if ensemble.score_dtype == "float64" else wanted
    scores = _sums(g, ensemble, rows, given, wanted, held) if ensemble.trees else ""
    kind = np.dtype(held)
    if scores and ensemble.divisor != 1.0:
        scores = g.op("Div", scores, g.const(ensemble.divisor, kind))
    if ensemble.linear is not None:
        product = _linear_term(g, ensemble, rows, given, held)
        scores = g.op("Add", scores, product) if scores else product
    if not scores:
        scores = _nothing(g, ensemble, rows, given, held)
    return (g.op("Add", scores, g.const(ensemble.base, kind)) if ensemble.base.any() else scores), held


def add_trees(g: Graph, rows: str, parts: Sequence[Nodes], output: Sequence[int]) -> str:
    """The sums of the trees' leaves by output, in the order of the trees: double (batch, outputs).

    `rows` is double, each of `parts` one tree, and `output` (trees,) the output that it adds to. As `add_scores` writes
    an ensemble, here for a step of a larger graph.
    """
    nodes, roots = concatenate(list(parts))
    trees = Ensemble(
        family="sklearn",
        task="raw",
        features=tuple(Feature(f"f{i}") for i in range(1 + int(nodes.feature.max(initial=0)))),
        nodes=nodes,
        roots=roots,
        output=np.array(output, dtype=np.int64),
        base=np.zeros(1 + max(output)),
    )
    return add_scores(g, trees, rows, "float64", "float64")[0]


def refuse_rows(g: Graph, ensemble: Ensemble, rows: str, given: Dtype, scores: str, held: Dtype) -> str:
    """The scores, NaN in the rows that the source library refuses."""
    if ensemble.refuses == "nothing":
        return scores
    columns = cast_rows(g, ensemble, rows, given, held)
    if ensemble.refuses == "not-finite":
        return g.op("Add", scores, g.total(g.op("Sub", columns, columns)))
    infinite = g.total(g.op("Cast", g.op("IsInf", columns), to=NUMBER[held]))
    return g.op("Where", g.op("Cast", infinite, to=9), g.const(np.nan, np.dtype(held)), scores)


def _sums(g: Graph, ensemble: Ensemble, rows: str, given: Dtype, wanted: Dtype, held: Dtype) -> str:
    if ensemble.linear_leaves is not None or (g.opset_ml < 5 and wanted == "float64"):
        return _by_leaf(g, ensemble, rows, given, wanted, held)
    if g.opset_ml >= 5:
        ensemble = one_output_a_leaf(ensemble)
    tensor, columns = read_columns(g, ensemble, rows, given, wanted)
    if held == wanted:
        return _tree_op(g, ensemble, tensor, columns, ensemble.nodes.value, wanted)
    parts = []
    for first, last in itertools.pairwise(_cuts(ensemble)):
        part, nodes = slice_of_trees(ensemble, first, last)
        short = _tree_op(g, part, tensor, columns[nodes], part.nodes.value, wanted)
        parts.append(g.op("Cast", short, to=NUMBER[held]))
    return g.op("Sum", *parts) if len(parts) > 1 else parts[0]


def _cuts(ensemble: Ensemble) -> list[int]:
    """Where to cut the trees into short sums. The first of each output stand apart: their leaves hold the mean."""
    if ensemble.trees <= _SHORT_SUM:
        return [0, ensemble.trees]
    return [0, *range(min(ensemble.outputs, ensemble.trees), ensemble.trees, _SHORT_SUM), ensemble.trees]


def _tree_op(g: Graph, ensemble: Ensemble, tensor: str, columns: Ints, weights: Any, dtype: Dtype) -> str:
    node = tree_node(ensemble, columns, fold(ensemble, dtype), weights.astype(dtype), g.opset_ml)
    output = g.name("scores")
    node.name = g.name("trees")
    node.input.append(tensor)
    node.output.append(output)
    g.nodes.append(node)
    g.domains["ai.onnx.ml"] = g.opset_ml
    return output


def _by_leaf(g: Graph, ensemble: Ensemble, rows: str, given: Dtype, wanted: Dtype, held: Dtype) -> str:
    """Each tree answers the number of the leaf reached; the leaves' values or functions are looked up by it."""
    nodes = ensemble.nodes
    leaf = nodes.mode == LEAF
    number = np.where(leaf, np.cumsum(leaf) - 1, 0)
    if leaf.sum() >= _LARGEST_COUNT:
        raise NotConvertible(f"{leaf.sum()} leaves are too many to be told apart by number", "leave --opset-ml out")
    routed = replace(
        ensemble,
        nodes=replace(nodes, value=number[:, None].astype(np.float64)),
        output=np.arange(ensemble.trees),
        base=np.zeros(ensemble.trees),
    )
    tensor, columns = read_columns(g, ensemble, rows, given, wanted)
    numbers = _tree_op(g, routed, tensor, columns, routed.nodes.value, wanted)
    reached = g.op("Cast", numbers, to=7)
    if ensemble.linear_leaves is not None:
        total = _by_output(g, ensemble, _linear_leaves(g, ensemble, ensemble.linear_leaves, rows, given, reached))
        return total if held == "float64" else g.op("Cast", total, to=NUMBER[held])
    kind = np.dtype(wanted)
    table = nodes.value[leaf].astype(wanted)
    if table.shape[1] > 1:
        return g.op("ReduceSum", g.op("Gather", g.const(table, kind), reached, axis=0), g.ints(1), keepdims=0)
    values = g.op("Gather", g.const(table[:, 0], kind), reached, axis=0)
    return _by_output(g, ensemble, values)


def _by_output(g: Graph, ensemble: Ensemble, values: str) -> str:
    """(batch, outputs) from each tree's value (batch, trees).

    Not a product with a matrix of ones: ONNX Runtime fuses that with a following division, in float32.
    """
    if ensemble.outputs == 1:
        return g.total(values)
    shares = [np.flatnonzero(ensemble.output == output) for output in range(ensemble.outputs)]
    return g.concat([g.total(g.take(values, share)) for share in shares])


def _linear_leaves(g: Graph, ensemble: Ensemble, linear: LinearLeaves, rows: str, given: Dtype, reached: str) -> str:
    """(batch, trees), double: const + coefficients x features of the leaves reached, or the leaf's value if one is NaN.

    Leaves have different numbers of terms; short ones are filled up with terms 0 x (a column of zeros).
    """
    leaf = np.flatnonzero(ensemble.nodes.mode == LEAF)
    sizes = linear.start[leaf + 1] - linear.start[leaf]
    width = max(1, int(sizes.max(initial=1)))
    place = np.arange(width)[None, :] < sizes[:, None]
    term = np.where(place, linear.start[leaf][:, None] + np.arange(width), 0)
    blank = len(ensemble.features)
    held = bool(len(linear.feature))
    feature = np.where(place, linear.feature[term], blank) if held else np.full(place.shape, blank)
    coefficient = np.where(place, linear.coefficient[term], 0.0) if held else np.zeros(place.shape)
    kind = np.dtype(np.float64)
    columns = cast_rows(g, ensemble, rows, given, "float64")
    padded = g.op("Pad", columns, g.ints(0, 0, 0, 1), g.const(0.0, kind))
    flat = g.op(
        "Reshape", g.op("Gather", g.const(feature, np.int64), reached, axis=0), g.ints(-1, ensemble.trees * width)
    )
    picked = g.op("Reshape", g.op("GatherElements", padded, flat, axis=1), g.ints(-1, ensemble.trees, width))
    product = g.op("Mul", picked, g.op("Gather", g.const(coefficient, kind), reached, axis=0))
    total = g.op("ReduceSum", product, g.ints(2), keepdims=0)
    value = g.op("Add", total, g.op("Gather", g.const(linear.const[leaf], kind), reached, axis=0))
    plain = g.op("Gather", g.const(ensemble.nodes.value[leaf, 0], kind), reached, axis=0)
    missing = g.op("ReduceSum", g.op("Cast", g.op("IsNaN", picked), to=7), g.ints(2), keepdims=0)
    return g.op("Where", g.op("Cast", missing, to=9), plain, value)


def _linear_term(g: Graph, ensemble: Ensemble, rows: str, given: Dtype, wanted: Dtype) -> str:
    columns = cast_rows(g, ensemble, rows, given, "float64")
    known = g.op("Where", g.op("IsNaN", columns), g.const(0.0), columns)
    product = g.op("MatMul", known, g.const(ensemble.linear))
    return product if wanted == "float64" else g.op("Cast", product, to=NUMBER[wanted])


def _nothing(g: Graph, ensemble: Ensemble, rows: str, given: Dtype, wanted: Dtype) -> str:
    """(batch, outputs) of zeros, for a model without trees."""
    batch = g.op("Slice", g.op("Shape", rows), g.ints(0), g.ints(1))
    shape = g.op("Concat", batch, g.ints(ensemble.outputs), axis=0)
    return g.op("Expand", g.const(0.0, np.dtype(wanted)), shape)
