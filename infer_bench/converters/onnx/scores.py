"""An ensemble's raw scores as ONNX nodes."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from infer_bench.converters.onnx.columns import NUMBER, cast_rows, read_columns
from infer_bench.converters.onnx.graph import Graph
from infer_bench.converters.onnx.operators import make_tree_node
from infer_bench.converters.onnx.thresholds import (
    add_base_to_leaves,
    drop_empty_sets,
    drop_unreachable_members,
    fold,
    reverse_trees,
    slice_trees,
    split_outputs,
)
from infer_bench.errors import NotConvertible
from infer_bench.model import Feature
from infer_bench.trees.ensemble import LEAF, Dtype, Ensemble, LinearLeaves, Nodes, concatenate
from infer_bench.typing import Ints

_LARGEST_COUNT = 1 << 24
"""Up to here float32 holds every whole number."""
_SHORT_SUM = 200
"""So many leaves added in float32, the last tree's first, stay within 1e-6 of their sum; more go on in double."""
_SHORT_AVERAGE = 100
"""The same of leaves that do not become smaller from tree to tree, as those of a forest."""
_SHORT_SUMS_OF_PROBABILITIES = {"sigmoid": 500, "softmax": 250}
"""As `_SHORT_SUM`, within 1e-6 of the probability: a score s is rounded by about 2.5e-8 |s| sqrt(trees), of which a
sigmoid leaves p (1 - p), and p (1 - p) |s| is below 0.23."""
_SMALL_START = 2.0
"""Where the first tree's leaves, which hold the mean, are larger, sums pass through large numbers on their way to 0."""


def add_scores(g: Graph, ensemble: Ensemble, rows: str, input_dtype: Dtype, tree_dtype: Dtype) -> tuple[str, Dtype]:
    """Raw scores (batch, outputs) and their dtype, from the tensor `rows` (batch, features) of dtype `input_dtype`.

    `tree_dtype` is the dtype of the trees. Scores that the source library adds up in double are double even where the
    trees are float32, so that neither a long sum nor a link function makes more of the leaves' rounding; a short sum
    that becomes a probability is float32.
    """
    ensemble = add_base_to_leaves(drop_empty_sets(drop_unreachable_members(ensemble, tree_dtype)))
    score_dtype: Dtype = "float64" if _adds_in_double(ensemble, tree_dtype) else tree_dtype
    scores = _add_sums(g, ensemble, rows, input_dtype, tree_dtype, score_dtype) if ensemble.trees else ""
    kind = np.dtype(score_dtype)
    if scores and ensemble.divisor != 1.0:
        scores = g.op("Div", scores, g.const(ensemble.divisor, kind))
    if ensemble.linear is not None:
        product = _add_linear_term(g, ensemble, rows, input_dtype, score_dtype)
        scores = g.op("Add", scores, product) if scores else product
    if not scores:
        scores = _add_zeros(g, ensemble, rows, input_dtype, score_dtype)
    return (g.op("Add", scores, g.const(ensemble.base, kind)) if ensemble.base.any() else scores), score_dtype


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


def refuse_rows(g: Graph, ensemble: Ensemble, rows: str, input_dtype: Dtype, scores: str, score_dtype: Dtype) -> str:
    """The scores, NaN in the rows that the source library refuses."""
    if ensemble.refuses == "nothing":
        return scores
    columns = cast_rows(g, ensemble, rows, input_dtype, score_dtype)
    if ensemble.refuses == "not-finite":
        return g.op("Add", scores, g.total(g.op("Sub", columns, columns)))
    infinite = g.total(g.op("Cast", g.op("IsInf", columns), to=NUMBER[score_dtype]))
    return g.op("Where", g.op("Cast", infinite, to=9), g.const(np.nan, np.dtype(score_dtype)), scores)


def _add_sums(
    g: Graph, ensemble: Ensemble, rows: str, input_dtype: Dtype, tree_dtype: Dtype, score_dtype: Dtype
) -> str:
    if ensemble.linear_leaves is not None or (g.opset_ml < 5 and tree_dtype == "float64"):
        return _add_by_leaf(g, ensemble, rows, input_dtype, tree_dtype, score_dtype)
    if g.opset_ml >= 5:
        ensemble = split_outputs(ensemble)
    tensor, columns = read_columns(g, ensemble, rows, input_dtype, tree_dtype)
    if ensemble.score_dtype == tree_dtype:
        return _add_tree_op(g, ensemble, tensor, columns, tree_dtype)
    parts = []
    for first, last in itertools.pairwise(_find_cuts(ensemble)):
        part, nodes = slice_trees(ensemble, first, last)
        part, source = reverse_trees(part)
        parts.append(_add_tree_op(g, part, tensor, columns[nodes][source], tree_dtype))
    return parts[0] if score_dtype == tree_dtype else _add_parts(g, ensemble, parts, score_dtype)


def _add_parts(g: Graph, ensemble: Ensemble, parts: Sequence[str], dtype: Dtype) -> str:
    """The sum of (batch, outputs) tensors, in `dtype`."""
    if ensemble.outputs == 1 and len(parts) > 1:
        return g.total(g.op("Cast", g.concat(parts), to=NUMBER[dtype]))
    wide = [g.op("Cast", part, to=NUMBER[dtype]) for part in parts]
    return g.op("Sum", *wide) if len(wide) > 1 else wide[0]


def _adds_in_double(ensemble: Ensemble, tree_dtype: Dtype) -> bool:
    if ensemble.score_dtype != "float64" or tree_dtype == "float64":
        return ensemble.score_dtype == "float64"
    simple = ensemble.divisor == 1.0 and ensemble.linear is None and ensemble.linear_leaves is None
    bare = not ensemble.links and not ensemble.base.any()
    return not (simple and (bare or _gives_probabilities(ensemble)) and len(_find_cuts(ensemble)) == 2)


def _gives_probabilities(ensemble: Ensemble) -> bool:
    return len(ensemble.links) == 1 and ensemble.links[0].kind in _SHORT_SUMS_OF_PROBABILITIES


def _short_sum(ensemble: Ensemble) -> int:
    """How many trees of one output may be added up in float32."""
    if not _gives_probabilities(ensemble):
        return _SHORT_SUM if ensemble.divisor == 1.0 else _SHORT_AVERAGE
    longest = _SHORT_SUMS_OF_PROBABILITIES[ensemble.links[0].kind]
    ends = np.append(ensemble.roots, len(ensemble.nodes))
    firsts = ensemble.nodes.value[: ends[min(ensemble.outputs, ensemble.trees)]]
    start = max(np.abs(firsts).max(initial=0.0), np.abs(ensemble.base).max(initial=0.0))
    return longest if start <= _SMALL_START else longest // 2


def _find_cuts(ensemble: Ensemble) -> list[int]:
    """Where to cut the trees into short sums: before the first tree, between two parts, and behind the last tree."""
    length, counts, cuts = _short_sum(ensemble), [0] * ensemble.outputs, [0]
    for tree, output in enumerate(ensemble.output.tolist()):
        if counts[output] == length:
            cuts.append(tree)
            counts = [0] * ensemble.outputs
        counts[output] += 1
    return [*cuts, ensemble.trees]


def _add_tree_op(g: Graph, ensemble: Ensemble, tensor: str, columns: Ints, dtype: Dtype) -> str:
    weights = ensemble.nodes.value.astype(dtype)
    node, attributes = make_tree_node(ensemble, columns, fold(ensemble, dtype), weights, g.opset_ml)
    output = g.name("scores")
    node.name = g.name("trees")
    node.input.append(tensor)
    node.output.append(output)
    g.nodes.append(node)
    g.attributes[node.name] = attributes
    g.domains["ai.onnx.ml"] = g.opset_ml
    return output


def _add_by_leaf(
    g: Graph, ensemble: Ensemble, rows: str, input_dtype: Dtype, tree_dtype: Dtype, score_dtype: Dtype
) -> str:
    """Each tree gives the number of the leaf reached; the leaves' values or functions are looked up by it."""
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
    tensor, columns = read_columns(g, ensemble, rows, input_dtype, tree_dtype)
    numbers = _add_tree_op(g, routed, tensor, columns, tree_dtype)
    leaves = g.op("Cast", numbers, to=7)
    if ensemble.linear_leaves is not None:
        total = _sum_by_output(
            g, ensemble, _add_linear_leaves(g, ensemble, ensemble.linear_leaves, rows, input_dtype, leaves)
        )
        return total if score_dtype == "float64" else g.op("Cast", total, to=NUMBER[score_dtype])
    kind = np.dtype(tree_dtype)
    table = nodes.value[leaf].astype(tree_dtype)
    if table.shape[1] > 1:
        return g.op("ReduceSum", g.op("Gather", g.const(table, kind), leaves, axis=0), g.ints(1), keepdims=0)
    values = g.op("Gather", g.const(table[:, 0], kind), leaves, axis=0)
    return _sum_by_output(g, ensemble, values)


def _sum_by_output(g: Graph, ensemble: Ensemble, values: str) -> str:
    """(batch, outputs) from each tree's value (batch, trees).

    Not a product with a matrix of ones: ONNX Runtime fuses that with a following division, in float32.
    """
    if ensemble.outputs == 1:
        return g.total(values)
    shares = [np.flatnonzero(ensemble.output == output) for output in range(ensemble.outputs)]
    return g.concat([g.total(g.take(values, share)) for share in shares])


def _add_linear_leaves(
    g: Graph, ensemble: Ensemble, linear: LinearLeaves, rows: str, input_dtype: Dtype, leaves: str
) -> str:
    """(batch, trees), double: const + coefficients x features of the leaves reached, or the leaf's value if one is NaN.

    Leaves have different numbers of terms; short ones are filled up with terms 0 x (a column of zeros).
    """
    leaf = np.flatnonzero(ensemble.nodes.mode == LEAF)
    sizes = linear.start[leaf + 1] - linear.start[leaf]
    width = max(1, int(sizes.max(initial=1)))
    place = np.arange(width)[None, :] < sizes[:, None]
    term = np.where(place, linear.start[leaf][:, None] + np.arange(width), 0)
    blank = len(ensemble.features)
    terms = bool(len(linear.feature))
    feature = np.where(place, linear.feature[term], blank) if terms else np.full(place.shape, blank)
    coefficient = np.where(place, linear.coefficient[term], 0.0) if terms else np.zeros(place.shape)
    kind = np.dtype(np.float64)
    columns = cast_rows(g, ensemble, rows, input_dtype, "float64")
    widened = g.op("Pad", columns, g.ints(0, 0, 0, 1), g.const(0.0, kind))
    flat = g.op(
        "Reshape", g.op("Gather", g.const(feature, np.int64), leaves, axis=0), g.ints(-1, ensemble.trees * width)
    )
    picked = g.op("Reshape", g.op("GatherElements", widened, flat, axis=1), g.ints(-1, ensemble.trees, width))
    product = g.op("Mul", picked, g.op("Gather", g.const(coefficient, kind), leaves, axis=0))
    total = g.op("ReduceSum", product, g.ints(2), keepdims=0)
    value = g.op("Add", total, g.op("Gather", g.const(linear.const[leaf], kind), leaves, axis=0))
    plain = g.op("Gather", g.const(ensemble.nodes.value[leaf, 0], kind), leaves, axis=0)
    missing = g.op("ReduceSum", g.op("Cast", g.op("IsNaN", picked), to=7), g.ints(2), keepdims=0)
    return g.op("Where", g.op("Cast", missing, to=9), plain, value)


def _add_linear_term(g: Graph, ensemble: Ensemble, rows: str, input_dtype: Dtype, score_dtype: Dtype) -> str:
    columns = cast_rows(g, ensemble, rows, input_dtype, "float64")
    numbers = g.op("Where", g.op("IsNaN", columns), g.const(0.0), columns)
    product = g.op("MatMul", numbers, g.const(ensemble.linear))
    return product if score_dtype == "float64" else g.op("Cast", product, to=NUMBER[score_dtype])


def _add_zeros(g: Graph, ensemble: Ensemble, rows: str, input_dtype: Dtype, score_dtype: Dtype) -> str:
    """(batch, outputs) of zeros, for a model without trees."""
    batch = g.op("Slice", g.op("Shape", rows), g.ints(0), g.ints(1))
    shape = g.op("Concat", batch, g.ints(ensemble.outputs), axis=0)
    return g.op("Expand", g.const(0.0, np.dtype(score_dtype)), shape)
