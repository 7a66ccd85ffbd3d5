"""An ensemble's trees in the numbering of ONNX: splits and leaves counted apart, one output a leaf, no tree of one leaf."""

from dataclasses import dataclass

import numpy as np

from infer_bench.converters.ensemble import LEAF, Bools, Ensemble, Floats, Ints, levels
from infer_bench.errors import NotConvertible


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Trees as ONNX counts them.

    `node` (splits,) is the ensemble's node behind each split, -1 for the split in front of a tree's only leaf. `true`
    and `false` (splits,) are indices of splits, or of leaves where `true_leaf` / `false_leaf`. `roots` (trees,) are
    splits. `weight` and `target` (leaves,) are what a leaf adds, and to which output.
    """

    node: Ints
    tree: Ints
    true: Ints
    false: Ints
    true_leaf: Bools
    false_leaf: Bools
    roots: Ints
    weight: Floats
    target: Ints
    leaf_tree: Ints


def lay_out(ensemble: Ensemble) -> Layout:
    """Number the splits and leaves. Trees whose leaves hold several values are repeated, once for each output."""
    order, tree = _in_tree_order(ensemble)
    nodes, trees = ensemble.nodes, ensemble.trees
    repeats = np.where(ensemble.output < 0, ensemble.outputs, 1) if trees else np.zeros(0, np.int64)
    copies = _copies(order, tree, repeats)
    node, owner, target = copies.node, copies.tree, copies.output
    target = np.where(ensemble.output[copies.source] < 0, target, ensemble.output[copies.source])
    leaf = nodes.mode[node] == LEAF
    lone = leaf & (node == ensemble.roots[copies.source])
    value = nodes.value[node, np.where(ensemble.output[copies.source] < 0, target, 0)]
    is_split = ~leaf | lone
    split_index, leaf_index = np.cumsum(is_split) - 1, np.cumsum(leaf) - 1
    left, right = copies.child(nodes.left), copies.child(nodes.right)
    here = np.flatnonzero(is_split)
    left, right = np.where(lone[here], here, left[here]), np.where(lone[here], here, right[here])
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    return Layout(
        node=np.where(lone[here], -1, node[here]),
        tree=owner[here],
        true=np.where(leaf[left], leaf_index[left], split_index[left]),
        false=np.where(leaf[right], leaf_index[right], split_index[right]),
        true_leaf=leaf[left],
        false_leaf=leaf[right],
        roots=split_index[starts],
        weight=value[leaf],
        target=target[leaf],
        leaf_tree=owner[leaf],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Copied:
    """Nodes with repeated trees: the ensemble's node, the tree's number here and there, and the copy's output."""

    node: Ints
    tree: Ints
    source: Ints
    output: Ints
    shift: Ints
    place: Ints

    def child(self, children: Ints) -> Ints:
        """Where each node's child stands here (any number at leaves)."""
        return self.place[children[self.node]] + self.shift


def _copies(order: Ints, tree: Ints, repeats: Ints) -> _Copied:
    sizes = np.bincount(tree, minlength=len(repeats))
    start = np.cumsum(sizes) - sizes
    source_of_copy = np.repeat(np.arange(len(repeats)), repeats)
    output_of_copy = np.arange(len(source_of_copy)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    sizes_here = sizes[source_of_copy]
    owner = np.repeat(np.arange(len(source_of_copy)), sizes_here)
    start_here = np.cumsum(sizes_here) - sizes_here
    within = np.arange(len(owner)) - start_here[owner]
    source = source_of_copy[owner]
    place = np.zeros(max(order.max(initial=-1) + 1, 1), np.int64)
    place[order] = np.arange(len(order))
    return _Copied(
        node=order[start[source] + within],
        tree=owner,
        source=source,
        output=output_of_copy[owner],
        shift=start_here[owner] - start[source],
        place=place,
    )


def _in_tree_order(ensemble: Ensemble) -> tuple[Ints, Ints]:
    """The nodes that trees reach, tree by tree with the root first, and the tree of each."""
    depth = levels(ensemble)
    nodes = ensemble.nodes
    tree = np.full(len(nodes), -1, dtype=np.int64)
    tree[ensemble.roots] = np.arange(ensemble.trees)
    for level in range(int(depth.max(initial=-1))):
        parents = np.flatnonzero((depth == level) & (nodes.mode != LEAF))
        tree[nodes.left[parents]] = tree[parents]
        tree[nodes.right[parents]] = tree[parents]
    reached = np.flatnonzero(depth >= 0)
    order = reached[np.lexsort((reached, depth[reached], tree[reached]))]
    return order, tree[order]


def kept_apart(layout: Layout) -> Layout:
    """ONNX Runtime reads a root whose leaf and branch have one index as a lone leaf: put unused leaves in front."""
    true, false = layout.true[layout.roots], layout.false[layout.roots]
    true_leaf, false_leaf = layout.true_leaf[layout.roots], layout.false_leaf[layout.roots]
    mixed = true_leaf != false_leaf
    gaps = np.where(true_leaf, false - true, true - false)[mixed]
    taken = set(gaps[gaps >= 0].tolist())
    pad = next(i for i in range(len(taken) + 1) if i not in taken)
    if pad == 0:
        return layout
    front = np.zeros(pad, np.int64)
    return Layout(
        layout.node,
        layout.tree,
        np.where(layout.true_leaf, layout.true + pad, layout.true),
        np.where(layout.false_leaf, layout.false + pad, layout.false),
        layout.true_leaf,
        layout.false_leaf,
        layout.roots,
        np.concatenate((np.zeros(pad), layout.weight)),
        np.concatenate((front, layout.target)),
        np.concatenate((front, layout.leaf_tree)),
    )


def with_base(ensemble: Ensemble, layout: Layout) -> Layout:
    """The layout with the base scores as trees of one leaf in front, so that they are added first, as libraries do."""
    outputs = np.flatnonzero(ensemble.base)
    count = len(outputs)
    if count == 0:
        return layout
    ahead, yes = np.arange(count), np.ones(count, np.bool_)
    return Layout(
        np.concatenate((np.full(count, -1), layout.node)),
        np.concatenate((ahead, layout.tree + count)),
        np.concatenate((ahead, layout.true + count)),
        np.concatenate((ahead, layout.false + count)),
        np.concatenate((yes, layout.true_leaf)),
        np.concatenate((yes, layout.false_leaf)),
        np.concatenate((ahead, layout.roots + count)),
        np.concatenate((ensemble.base[outputs], layout.weight)),
        np.concatenate((outputs, layout.target)),
        np.concatenate((ahead, layout.leaf_tree + count)),
    )


def refuse_linear_leaves(ensemble: Ensemble) -> None:
    """Raise `NotConvertible` for leaves that hold linear functions."""
    if ensemble.linear_leaves is not None:
        raise NotConvertible(
            "linear_tree=true: the leaves hold linear functions",
            "train with linear_tree=false, or keep the model as it is",
        )
