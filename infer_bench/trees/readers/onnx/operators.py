"""The trees of an ONNX operator as the intermediate form: `TreeEnsemble` (ai.onnx.ml 5) and its elders (1 to 3)."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.trees.ensemble import LEAF, LEQ, LT, MEMBER, Nodes, make_nodes
from infer_bench.trees.readers.onnx.attributes import (
    Attributes,
    flags,
    integers,
    reals,
    refuse_unknown_attributes,
    text,
)
from infer_bench.trees.readers.onnx.category_chains import Branches, as_sets
from infer_bench.trees.readers.unknown import refuse_unknown
from infer_bench.typing import Floats, Ints

_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
_OTHER_WAY = (2, 3, 5)
"""GTE, GT and NEQ are what LT, LEQ and EQ say of the other child."""
_PLAIN = np.array([LEQ, LT, LT, LEQ, MEMBER, MEMBER, MEMBER], dtype=np.uint8)
_TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")


@dataclass(frozen=True, slots=True, eq=False)
class OperatorTrees:
    """The trees of an operator: as in `Ensemble`, and its `transform` and whether its sum is an average."""

    nodes: Nodes
    roots: Ints
    output: Ints
    base: Floats
    transform: str
    average: bool


def read_trees(kind: str, attributes: Attributes) -> OperatorTrees:
    """The trees of an operator with these attributes (lists, arrays, strings and numbers).

    Raises `NotConvertible` for aggregates other than sum and average and for attributes and modes that are not known,
    `ModelError` for nodes that form no trees.
    """
    refuse_unknown_attributes(kind, attributes)
    try:
        return _modern(attributes) if kind == "TreeEnsemble" else _classic(kind, attributes)
    except (IndexError, KeyError, ValueError, OverflowError) as error:
        reason = f"{type(error).__name__} {error}"[:120]
        raise ModelError(f"the trees of a {kind} do not hold together: {reason}", "convert the model again") from None


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Nodes in any order, a row each: `mode` counts as `_MODES`, -1 at a leaf; `weights` (nodes, outputs)."""

    mode: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing: npt.NDArray[np.bool_]
    weights: Floats
    member_start: Ints
    members: Floats
    roots: Ints


def _modern(attributes: Attributes) -> OperatorTrees:
    features, leaves = integers(attributes, "nodes_featureids"), integers(attributes, "leaf_targetids")
    count, ends = len(features), len(leaves)
    outputs = int(attributes.get("n_targets", 1))
    mode = np.asarray(attributes["nodes_modes"], dtype=np.int64)
    refuse_unknown("TreeEnsemble", [f"the mode {code}" for code in set(mode.tolist()) - set(range(len(_MODES)))])
    left = integers(attributes, "nodes_truenodeids") + count * integers(attributes, "nodes_trueleafs")
    right = integers(attributes, "nodes_falsenodeids") + count * integers(attributes, "nodes_falseleafs")
    weights = np.zeros((count + ends, outputs))
    weights[count + np.arange(ends), leaves] = np.asarray(attributes["leaf_weights"], dtype=np.float64)
    lone = left == right  # how a tree of one leaf is written: both ways lead there
    weights[:count][lone] = weights[left[lone]]
    start, members = _delimited(mode, np.asarray(attributes.get("membership_values", ()), dtype=np.float64))
    start, members = _with_equal(mode, np.asarray(attributes["nodes_splits"], dtype=np.float64), start, members)
    wide = np.zeros(ends, dtype=np.int64)
    table = _Table(
        mode=np.concatenate((np.where(lone, -1, mode), wide - 1)),
        feature=np.concatenate((features, wide)),
        threshold=np.concatenate((np.asarray(attributes["nodes_splits"], dtype=np.float64), wide)),
        left=np.concatenate((left, wide)),
        right=np.concatenate((right, wide)),
        missing=np.concatenate((flags(attributes, count), wide > 0)),
        weights=weights,
        member_start=np.concatenate((start, np.full(ends, start[-1]))),
        members=members,
        roots=integers(attributes, "tree_roots"),
    )
    aggregate = {0: "AVERAGE", 1: "SUM"}.get(int(attributes.get("aggregate_function", 1)), "")
    return _assemble(
        table, outputs, np.zeros(outputs), _TRANSFORMS[int(attributes.get("post_transform", 0))], aggregate
    )


def _classic(kind: str, attributes: Attributes) -> OperatorTrees:
    classifier = kind == "TreeEnsembleClassifier"
    lead = "class" if classifier else "target"
    trees, numbers = integers(attributes, "nodes_treeids"), integers(attributes, "nodes_nodeids")
    names = [mode.decode() if isinstance(mode, bytes) else str(mode) for mode in attributes["nodes_modes"]]
    refuse_unknown(kind, [f"the mode {name[:40]!r}" for name in set(names) - {"LEAF", *_MODES[:-1]}])
    mode = np.array([-1 if name == "LEAF" else _MODES.index(name) for name in names], dtype=np.int64)
    place = _Places(trees, numbers)
    leaf = mode < 0
    outputs = _width(classifier, attributes)
    targets = integers(attributes, f"{lead}_ids")
    if classifier and len(np.unique(targets)) == 1 and outputs == 2:
        outputs, targets = 1, np.zeros_like(targets)  # one score tells two classes apart
    weights = np.zeros((len(mode), outputs))
    at = place.of(integers(attributes, f"{lead}_treeids"), integers(attributes, f"{lead}_nodeids"))
    np.add.at(weights, (at, targets), reals(attributes, f"{lead}_weights"))
    threshold = reals(attributes, "nodes_values")
    start, members = _with_equal(mode, threshold, np.zeros(len(mode) + 1, np.int64), np.zeros(0))
    table = _Table(
        mode=mode,
        feature=integers(attributes, "nodes_featureids"),
        threshold=threshold,
        left=np.where(leaf, 0, place.of(trees, np.where(leaf, numbers, integers(attributes, "nodes_truenodeids")))),
        right=np.where(leaf, 0, place.of(trees, np.where(leaf, numbers, integers(attributes, "nodes_falsenodeids")))),
        missing=flags(attributes, len(mode)),
        weights=weights,
        member_start=start,
        members=members,
        roots=np.sort(np.unique(trees, return_index=True)[1]),
    )
    base = _base(reals(attributes, "base_values"), outputs)
    transform = text(attributes.get("post_transform", "NONE"))
    return _assemble(table, outputs, base, transform, text(attributes.get("aggregate_function", "SUM")))


def _base(attributes: Floats, outputs: int) -> Floats:
    """One value an output, or none. Of two for one score, the second is the positive class's."""
    if len(attributes) == 2 and outputs == 1:
        return attributes[-1:]
    if len(attributes) not in (0, outputs):
        raise NotConvertible(f"trees with {len(attributes)} base values for {outputs} outputs cannot be read")
    return attributes if len(attributes) else np.zeros(outputs)


def _width(classifier: bool, attributes: Attributes) -> int:
    if not classifier:
        return int(attributes.get("n_targets", 1))
    return len(attributes.get("classlabels_int64s", ())) or len(attributes.get("classlabels_strings", ()))


class _Places:
    """Where the node with a number stands, among nodes that are named by tree and number."""

    def __init__(self, trees: Ints, numbers: Ints) -> None:
        self._scale = int(numbers.max(initial=0)) + 1
        keys = trees * self._scale + numbers
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        if len(np.unique(keys)) < len(keys):
            raise ModelError("two nodes of a tree have one number", "the file is damaged; convert the model again")

    def of(self, trees: Ints, numbers: Ints) -> Ints:
        """The positions; raises `ModelError` where there is no such node."""
        keys = trees * self._scale + numbers
        at = np.minimum(np.searchsorted(self._keys, keys), max(0, len(self._keys) - 1))
        if len(keys) and (not len(self._keys) or np.any(self._keys[at] != keys)):
            raise ModelError("a tree refers to a node that does not exist", "the file is damaged; convert it again")
        return self._order[at] if len(keys) else keys


def _delimited(mode: Ints, values: Floats) -> tuple[Ints, Floats]:
    """The members of each node: those of the MEMBER nodes in turn, a NaN after each."""
    sets = np.flatnonzero(mode == _MODES.index("BRANCH_MEMBER"))
    ends = np.flatnonzero(np.isnan(values))
    if len(ends) != len(sets):
        raise ModelError("the members of the trees' sets do not fit", "the file is damaged; convert the model again")
    sizes = np.zeros(len(mode), dtype=np.int64)
    sizes[sets] = np.diff(np.concatenate(([-1], ends))) - 1
    return np.concatenate(([0], np.cumsum(sizes))), values[~np.isnan(values)]


def _with_equal(mode: Ints, threshold: Floats, start: Ints, members: Floats) -> tuple[Ints, Floats]:
    """EQ and NEQ as sets of one member."""
    equal = (mode == _MODES.index("BRANCH_EQ")) | (mode == _MODES.index("BRANCH_NEQ"))
    if not equal.any():
        return start, members
    sizes = np.diff(start)
    sets = [threshold[i : i + 1] if equal[i] else members[start[i] : start[i + 1]] for i in range(len(mode))]
    return np.concatenate(([0], np.cumsum(np.where(equal, 1, sizes)))), np.concatenate(sets)


def _assemble(table: _Table, outputs: int, base: Floats, transform: str, aggregate: str) -> OperatorTrees:
    if aggregate not in ("SUM", "AVERAGE"):
        raise NotConvertible("trees whose largest or smallest answer counts cannot be read")
    table = _with_sets(table)
    tree, depth = _walk(table)
    order = np.lexsort((depth, tree))
    order = order[tree[order] >= 0]
    index = np.full(len(tree), -1, dtype=np.int64)
    index[order] = np.arange(len(order))
    mode = table.mode[order]
    leaf, other_way = mode < 0, np.isin(mode, _OTHER_WAY)
    left, right = index[table.left[order]], index[table.right[order]]
    sizes = np.diff(table.member_start)[order]
    missing = table.missing[order] | (mode == _MODES.index("BRANCH_NEQ"))  # NaN is unequal to anything
    output, value = _values(table, tree, order, outputs)
    nodes = make_nodes(
        feature=table.feature[order],
        threshold=table.threshold[order],
        left=np.where(leaf, -1, np.where(other_way, right, left)),
        right=np.where(leaf, -1, np.where(other_way, left, right)),
        value=value,
        mode=np.where(leaf, LEAF, _PLAIN[mode]),
        missing_left=missing != other_way,
        member_start=np.concatenate(([0], np.cumsum(sizes))),
        members=_members(table, order),
    )
    return OperatorTrees(nodes, index[table.roots], output, base, transform, aggregate == "AVERAGE")


def _with_sets(table: _Table) -> _Table:
    """With chains of EQ nodes as sets."""
    equal = table.mode == _MODES.index("BRANCH_EQ")
    if not equal.any():
        return table
    branches = Branches(table.feature, table.left, table.right, table.missing, table.member_start, table.members)
    with_sets = as_sets(branches, equal)
    return replace(table, right=with_sets.right, member_start=with_sets.start, members=with_sets.members)


def _members(table: _Table, order: Ints) -> Floats:
    if not len(table.members):
        return table.members
    return np.concatenate([table.members[table.member_start[i] : table.member_start[i + 1]] for i in order])


def _values(table: _Table, tree: Ints, order: Ints, outputs: int) -> tuple[Ints, Floats]:
    """Each tree's output and the leaves' values; -1 and one value an output where leaves of a tree add to several."""
    weights = table.weights[order]
    if outputs == 1:
        return np.zeros(len(table.roots), np.int64), weights
    at, target = np.nonzero(weights)
    low, high = np.full(len(table.roots), outputs), np.full(len(table.roots), -1)
    np.minimum.at(low, tree[order][at], target)
    np.maximum.at(high, tree[order][at], target)
    if np.all(low >= high):
        return np.maximum(high, 0), weights.sum(axis=1, keepdims=True)
    return np.full(len(table.roots), -1), weights


def _walk(table: _Table) -> tuple[Ints, Ints]:
    """Each node's tree and depth, -1 where no tree reaches it. Raises `ModelError` when a node has two parents."""
    tree, depth = np.full(len(table.mode), -1), np.full(len(table.mode), -1)
    frontier, owner, level = table.roots, np.arange(len(table.roots)), 0
    while len(frontier):
        if len(np.unique(frontier)) < len(frontier) or np.any(tree[frontier] >= 0):
            raise ModelError("a tree's node has two parents", "the file is damaged; convert the model again")
        tree[frontier], depth[frontier] = owner, level
        inner = table.mode[frontier] >= 0
        parents, owner = frontier[inner], np.tile(owner[inner], 2)
        frontier = np.concatenate((table.left[parents], table.right[parents]))
        level += 1
    return tree, depth


def concatenate_trees(parts: list[OperatorTrees]) -> OperatorTrees:
    """Operators whose outputs are added up, as one. Raises `NotConvertible` where they cannot be."""
    from infer_bench.trees.ensemble import concatenate

    first = parts[0]
    if len(parts) == 1:
        return first
    plain = all(p.transform == "NONE" and not p.average and p.nodes.value.shape[1] == 1 for p in parts)
    if not plain or len({len(p.base) for p in parts}) > 1:
        raise NotConvertible("these trees cannot be added up")
    nodes, starts = concatenate([p.nodes for p in parts])
    roots = np.concatenate([p.roots + start for p, start in zip(parts, starts, strict=True)])
    base = np.sum([p.base for p in parts], axis=0)
    return replace(first, nodes=nodes, roots=roots, output=np.concatenate([p.output for p in parts]), base=base)
