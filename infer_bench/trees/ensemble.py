"""The one intermediate form of a tree ensemble: what the readers produce and the ONNX writer eats.

All nodes of all trees lie in one set of arrays, so that nothing has to loop over nodes in Python. For a row

    score[k]   = base[k] + sum over trees of leaf value / divisor (+ the linear term)
    prediction = links applied to score, in order
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from infer_bench.errors import ModelError
from infer_bench.model import Family, Feature, Label, Task
from infer_bench.typing import Bools, Floats, Ints

Bytes = npt.NDArray[np.uint8]

LEAF, LEQ, LT, MEMBER = np.uint8(0), np.uint8(1), np.uint8(2), np.uint8(3)
"""A node's mode: a leaf; left iff x <= threshold; left iff x < threshold; left iff x is one of the node's members."""

Dtype = Literal["float32", "float64"]
Rounding = Literal["none", "truncate", "floor"]
Refusal = Literal["nothing", "infinite", "not-finite"]
LabelRule = Literal["argmax", "raw-not-negative"]
LinkKind = Literal[
    "sigmoid",
    "softmax",
    "exp",
    "softplus",
    "signed-square",
    "normalise",
    "clip",
    "affine",
    "step",
    "sort",
]


@dataclass(frozen=True, slots=True)
class Link:
    """One step from raw scores to predictions, on all outputs of a row.

    `sigmoid` 1 / (1 + exp(-a x)); `softmax` over the outputs; `exp`; `softplus` log(1 + exp(x)); `signed-square` x |x|;
    `normalise` x / sum over the outputs; `clip` to [a, b]; `affine` a x + b; `step` 1 if x > a else 0; `sort` a
    row's a outputs in rising order.
    """

    kind: LinkKind
    a: float = 1.0
    b: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The nodes of all trees, one after the other. Every array has one entry a node; child indices are absolute.

    `left` is where a row goes when the node's condition holds, `right` when it does not; both are -1 at a leaf, as is
    `feature`. NaN goes left iff `missing_left`; where `zero_missing`, |x| <= `Ensemble.zero_band` counts as NaN. The
    members of node i are `members[member_start[i]:member_start[i + 1]]`. `value` has shape (nodes, width), where width
    is 1 or, for leaves that hold a value for each output, the number of outputs; it is 0 for inner nodes.
    """

    mode: Bytes
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: Bools
    zero_missing: Bools
    value: Floats
    member_start: Ints
    members: Floats

    def __len__(self) -> int:
        return len(self.mode)


@dataclass(frozen=True, slots=True, eq=False)
class LinearLeaves:
    """Leaves that hold a linear function: const[i] + sum of coefficients x features; a NaN among them gives `value`.

    The terms of node i are `[start[i]:start[i + 1]]` of `feature` and `coefficient`; `const` has one entry a node.
    """

    start: Ints
    feature: Ints
    coefficient: Floats
    const: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """A whole model.

    `roots` (trees,) are node indices, in order; a tree's nodes lie together, its root first. `output` (trees,) is the
    output that each tree adds to (-1 where its leaves hold a value for each output), `base` (outputs,) the scores
    before any tree. `row_dtype` is what the source library casts a row to before it compares, `score_dtype` what it
    adds leaves up in. `missing_value`, where given, is a number that means NaN. `zero_band`: |x| <= zero_band is read
    as 0. `rounding` is what happens to a value before it is looked up among a node's members. Features whose
    `categories` are known take the values and are compared by code (the position in `categories`; anything else
    becomes NaN). `linear` (features, outputs) adds rows @ linear, NaN read as 0. A binary model has one output, the
    positive class's score, or two. `label_rule`: the first largest probability, or class 1 iff the raw score is >= 0.
    `refuses`: the source library raises for rows that hold an infinity, or any value not finite; they get NaN.
    """

    family: Family
    task: Task
    features: tuple[Feature, ...]
    nodes: Nodes
    roots: Ints
    output: Ints
    base: Floats
    links: tuple[Link, ...] = ()
    divisor: float = 1.0
    classes: tuple[Label, ...] = ()
    row_dtype: Dtype = "float64"
    score_dtype: Dtype = "float64"
    zero_band: float = 0.0
    rounding: Rounding = "none"
    missing_value: float | None = None
    label_rule: LabelRule = "argmax"
    refuses: Refusal = "nothing"
    linear: Floats | None = None
    linear_leaves: LinearLeaves | None = None
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> int:
        """The number of raw scores a row gets."""
        return len(self.base)

    @property
    def trees(self) -> int:
        """The number of trees that are used."""
        return len(self.roots)


def make_nodes(
    *,
    feature: npt.ArrayLike,
    threshold: npt.ArrayLike,
    left: npt.ArrayLike,
    right: npt.ArrayLike,
    value: npt.ArrayLike,
    mode: npt.ArrayLike,
    missing_left: npt.ArrayLike = False,
    zero_missing: npt.ArrayLike = False,
    member_start: npt.ArrayLike | None = None,
    members: npt.ArrayLike = (),
) -> Nodes:
    """`Nodes` from anything array-like; `mode` may be one value for all inner nodes (left < 0 marks the leaves)."""
    children = np.asarray(left, dtype=np.int64)
    count = len(children)
    leaf = children < 0
    values = np.asarray(value, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    return Nodes(
        mode=np.where(leaf, LEAF, np.broadcast_to(np.asarray(mode, dtype=np.uint8), count)),
        feature=np.where(leaf, -1, np.asarray(feature, dtype=np.int64)),
        threshold=np.where(leaf, 0.0, np.asarray(threshold, dtype=np.float64)),
        left=np.where(leaf, -1, children),
        right=np.where(leaf, -1, np.asarray(right, dtype=np.int64)),
        missing_left=np.broadcast_to(np.asarray(missing_left, dtype=np.bool_), count) & ~leaf,
        zero_missing=np.broadcast_to(np.asarray(zero_missing, dtype=np.bool_), count) & ~leaf,
        value=np.where(leaf[:, None], values, 0.0),
        member_start=np.zeros(count + 1, np.int64) if member_start is None else np.asarray(member_start, np.int64),
        members=np.asarray(members, dtype=np.float64),
    )


def concatenate(parts: list[Nodes]) -> tuple[Nodes, Ints]:
    """The nodes of several trees (child indices relative to each part) as one, and each part's first index."""
    sizes = np.array([len(part) for part in parts], dtype=np.int64)
    first = np.concatenate(([0], np.cumsum(sizes)))[:-1].astype(np.int64)
    shift = np.repeat(first, sizes)
    member_sizes = np.concatenate([np.diff(part.member_start) for part in parts])

    def column(name: str) -> npt.NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])

    left, right = column("left").astype(np.int64), column("right").astype(np.int64)
    nodes = make_nodes(
        feature=column("feature"),
        threshold=column("threshold"),
        left=np.where(left < 0, -1, left + shift),
        right=np.where(left < 0, -1, right + shift),
        value=column("value"),
        mode=column("mode"),
        missing_left=column("missing_left"),
        zero_missing=column("zero_missing"),
        member_start=np.concatenate(([0], np.cumsum(member_sizes))),
        members=column("members"),
    )
    return nodes, first


def empty_nodes(width: int = 1) -> Nodes:
    """No nodes at all, as of a model without trees."""
    none: list[float] = []
    return make_nodes(feature=none, threshold=none, left=none, right=none, value=np.zeros((0, width)), mode=none)


def levels(ensemble: Ensemble) -> Ints:
    """Each node's depth (nodes,), -1 where no tree reaches it.

    Raises `ModelError` when a child or feature index is out of range or a node has two parents (no tree then).
    """
    nodes, count = ensemble.nodes, len(ensemble.nodes)
    depth = np.full(count, -1, dtype=np.int64)
    inner = nodes.mode != LEAF
    indices = np.concatenate((nodes.left[inner], nodes.right[inner], ensemble.roots))
    if len(indices) and (indices.min() < 0 or indices.max() >= count):
        raise ModelError("a tree refers to a node that does not exist", "the file is damaged; save the model again")
    if np.any((nodes.feature[inner] < 0) | (nodes.feature[inner] >= len(ensemble.features))):
        raise ModelError("a tree splits on a feature that does not exist", "the file is damaged; save the model again")
    if len(indices) and np.bincount(indices).max() > 1:
        raise ModelError("a tree's node has two parents", "the file is damaged; save the model again")
    frontier, level = ensemble.roots, 0
    while len(frontier):
        depth[frontier] = level
        frontier = frontier[inner[frontier]]
        frontier = np.concatenate((nodes.left[frontier], nodes.right[frontier]))
        level += 1
    return depth


def compact(ensemble: Ensemble, depth: Ints) -> Ensemble:
    """The ensemble without the nodes that no tree reaches (`depth` -1, as `levels` tells)."""
    keep = depth >= 0
    if keep.all():
        return ensemble
    nodes = ensemble.nodes
    index = np.cumsum(keep) - 1
    sizes = np.diff(nodes.member_start)
    remaining = make_nodes(
        feature=nodes.feature[keep],
        threshold=nodes.threshold[keep],
        left=np.where(nodes.left < 0, -1, index[nodes.left])[keep],
        right=np.where(nodes.right < 0, -1, index[nodes.right])[keep],
        value=nodes.value[keep],
        mode=nodes.mode[keep],
        missing_left=nodes.missing_left[keep],
        zero_missing=nodes.zero_missing[keep],
        member_start=np.concatenate(([0], np.cumsum(sizes[keep]))),
        members=nodes.members[np.repeat(keep, sizes)],
    )
    return replace(ensemble, nodes=remaining, roots=index[ensemble.roots])
