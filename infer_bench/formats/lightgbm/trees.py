"""The trees of LightGBM's text format: all trees' fields side by side, checked to form trees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from infer_bench.formats.lightgbm.columns import Columns, Fields, count_of
from infer_bench.formats.tree_arrays import check_range, first_where, offsets, values_by_feature
from infer_bench.typing import Array, Floats, Ints

CATEGORICAL, DEFAULT_LEFT, MISSING_ZERO, MISSING_NAN = 0b0001, 0b0010, 0b0100, 0b1000
"""The bits of a split's `decision_type`."""

_INFINITE = 1e300
"""What LightGBM writes for an infinite threshold."""

_PER_SPLIT = ("split_gain", "internal_value", "internal_weight", "internal_count")
_PER_LEAF = ("leaf_weight", "leaf_count")
_KEYS = frozenset(
    {*_PER_SPLIT, *_PER_LEAF}
    | {"num_leaves", "num_cat", "split_feature", "threshold", "decision_type", "left_child", "right_child"}
    | {"leaf_value", "cat_boundaries", "cat_threshold", "is_linear", "leaf_const", "num_features", "leaf_features"}
    | {"leaf_coeff", "shrinkage", "leaf_parent"}
)


@dataclass(frozen=True, slots=True, eq=False)
class CategorySets:
    """The sets that categorical splits refer to.

    Tree i's sets are `first[i]` to `first[i + 1]`; the members of set j are `members[start[j]:start[j + 1]]`.
    """

    first: Ints
    start: Ints
    members: Ints

    def sizes(self) -> Ints:
        """How many members each set has."""
        return np.diff(self.start)

    def members_of(self, which: Ints) -> Ints:
        """The members of the sets `which`, one set after the other."""
        sizes = self.sizes()[which]
        within = np.arange(sizes.sum()) - np.repeat(offsets(sizes), sizes)
        members: Ints = self.members[np.repeat(self.start[which], sizes) + within]
        return members


@dataclass(frozen=True, slots=True, eq=False)
class LinearTerms:
    """The linear functions in the leaves: const[i] + the sum of `count[i]` coefficients x features; one entry a leaf.

    A tree without them has its leaves' values as constants.
    """

    const: Floats
    count: Ints
    feature: Ints
    coefficient: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """All trees' fields, one tree after the other.

    `leaves` (trees,) counts each tree's leaves; it has one split less. `split_feature`, `threshold`, `decision_type`,
    `left_child` and `right_child` have one entry a split, `leaf_value` one a leaf. A child i >= 0 is the tree's split
    i, i < 0 its leaf -i - 1. A categorical split's threshold is the number of its set in its tree. `linear` is None
    where no tree has linear leaves. `unknown` names what this reader does not know.
    """

    leaves: Ints
    split_feature: Ints
    threshold: Floats
    decision_type: Ints
    left_child: Ints
    right_child: Ints
    leaf_value: Floats
    sets: CategorySets
    linear: LinearTerms | None
    unknown: tuple[str, ...]

    def split_tree(self) -> Ints:
        """Each split's tree."""
        return np.repeat(np.arange(len(self.leaves)), self.leaves - 1)

    def set_of_split(self) -> Ints:
        """The number of each categorical split's set, among those of all trees."""
        categorical = (self.decision_type & CATEGORICAL) != 0
        which: Ints = self.sets.first[self.split_tree()[categorical]] + self.threshold[categorical].astype(np.int64)
        return which

    def thresholds(self) -> dict[int, tuple[float, ...]]:
        """Each feature's distinct thresholds and categories, sorted; no entry for one that no tree splits on."""
        categorical, sets, which = (self.decision_type & CATEGORICAL) != 0, self.sets, self.set_of_split()
        sizes = sets.sizes()[which]
        of_member = np.repeat(self.split_feature[categorical], sizes)
        plain = ~categorical & (np.abs(self.threshold) < _INFINITE)
        return values_by_feature(
            np.concatenate((self.split_feature[plain], of_member)),
            np.concatenate((self.threshold[plain], sets.members_of(which))),
        )


def read_trees(blocks: Sequence[Fields], features: int) -> Trees:
    """The trees of these blocks of fields. Raises `ValueError` saying which tree does not hold together."""
    leaves = np.array([count_of(blocks, tree, b"num_leaves") for tree in range(len(blocks))], dtype=np.int64)
    if (leaves < 1).any():
        tree = first_where(leaves < 1)
        raise ValueError(f"tree {tree}: it has {leaves[tree]} leaves")
    columns = Columns(blocks, np.arange(len(blocks)))
    with_splits = columns.of(leaves > 1)  # of a tree of one leaf LightGBM reads nothing else
    splits = leaves[leaves > 1] - 1
    trees = Trees(
        leaves=leaves,
        split_feature=with_splits.integers("split_feature", splits),
        threshold=with_splits.floats("threshold", splits),
        decision_type=with_splits.integers("decision_type", splits),
        left_child=with_splits.integers("left_child", splits),
        right_child=with_splits.integers("right_child", splits),
        leaf_value=columns.floats("leaf_value", leaves),
        sets=_sets(columns, np.flatnonzero(leaves > 1)),
        linear=_linear(columns, leaves, features),
        unknown=tuple(_unknown(blocks)),
    )
    _check(trees, features)
    return trees


def check_statistics(blocks: Sequence[Fields], leaves: Ints) -> None:
    """Raises `ValueError` where the numbers that describe training are not as many as they should be, or no numbers."""
    for names, sizes in ((_PER_SPLIT, leaves - 1), (_PER_LEAF, leaves)):
        for name in names:
            some = [i for i in np.flatnonzero(leaves > 1).tolist() if blocks[i].get(name.encode(), b"").strip()]
            Columns([blocks[i] for i in some], np.array(some, dtype=np.int64)).floats(name, sizes[some])


def _unknown(blocks: Sequence[Fields]) -> Iterator[str]:
    keys = {key: tree for tree, block in reversed(list(enumerate(blocks))) for key in block}
    for key, tree in keys.items():
        name = key.decode("utf-8", "replace")
        if name not in _KEYS:
            yield f"tree {tree}'s {name[:40]!r}"


def _check(trees: Trees, features: int) -> None:
    tree, splits, leaves = trees.split_tree(), trees.leaves - 1, trees.leaves
    check_range("split_feature", trees.split_feature, np.full(len(tree), features), tree)
    children = np.concatenate((trees.left_child, trees.right_child))
    owner = np.concatenate((tree, tree))
    inner = children >= 0
    check_range("a child", children[inner], splits[owner[inner]], owner[inner])
    check_range("a leaf", ~children[~inner], leaves[owner[~inner]], owner[~inner])
    first_split, first_leaf = offsets(splits), offsets(leaves)
    _check_parents(trees, first_split[owner[inner]] + children[inner], first_split, inner)
    ends = np.bincount(first_leaf[owner[~inner]] + ~children[~inner], minlength=int(leaves.sum()))
    lone = np.repeat(leaves == 1, leaves)
    wrong = (ends != 1) & ~lone
    if wrong.any():
        raise _no_tree(int(np.repeat(np.arange(len(leaves)), leaves)[first_where(wrong)]))
    categorical = (trees.decision_type & CATEGORICAL) != 0
    sets = np.diff(trees.sets.first)[tree[categorical]]
    if (sets < 1).any():
        raise ValueError(f"tree {tree[categorical][first_where(sets < 1)]}: it splits on categories and has none")
    check_range("a category's threshold", trees.threshold[categorical], sets, tree[categorical])


def _check_parents(trees: Trees, children: Ints, first_split: Ints, inner: Array) -> None:
    """Every split but the first is the child of one, and leads up to the first."""
    tree = trees.split_tree()
    root = first_split[tree]
    count = np.bincount(children, minlength=len(tree))
    wrong = count != (np.arange(len(tree)) != root)
    parent = root.copy()
    parent[children] = np.tile(np.arange(len(tree)), 2)[inner]
    for _ in range(int(trees.leaves.max(initial=1)).bit_length()):
        parent = parent[parent]  # each time twice as far up
    wrong |= parent != root
    if wrong.any():
        raise _no_tree(int(tree[first_where(wrong)]))


def _no_tree(tree: int) -> ValueError:
    return ValueError(f"tree {tree}: its nodes do not form a tree (one has two parents, or none)")


def _sets(columns: Columns, with_splits: Ints) -> CategorySets:
    """A set is stored as 32-bit words, of which bit b of word w stands for the category 32 w + b."""
    counts = np.zeros(len(columns.blocks), dtype=np.int64)
    counts[with_splits] = [count_of(columns.blocks, tree, b"num_cat") for tree in with_splits.tolist()]
    if (counts < 0).any():
        raise ValueError(f"tree {first_where(counts < 0)}: num_cat is negative")
    with_sets, ends = columns.of(counts > 0), counts[counts > 0] + 1
    bounds = with_sets.integers("cat_boundaries", ends)
    first, last = offsets(ends), np.cumsum(ends) - 1
    steps = np.delete(np.diff(bounds, prepend=0), first)
    if bounds[first].any() or (steps < 0).any():
        raise ValueError("cat_boundaries do not fit cat_threshold: they fall, or do not begin at 0")
    try:
        words = with_sets.integers("cat_threshold", bounds[last])
    except ValueError as error:
        raise ValueError(f"cat_boundaries do not fit cat_threshold: {error}") from None
    if ((words < 0) | (words >> 32 > 0)).any():
        raise ValueError("cat_threshold holds a number of more than 32 bits")
    bits: Array = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little").reshape(-1, 32)
    word, bit = np.nonzero(bits)
    set_of_word = np.repeat(np.arange(len(steps)), steps)
    within = np.arange(len(words)) - np.repeat(offsets(steps), steps)
    sizes = np.bincount(set_of_word[word], minlength=len(steps))
    return CategorySets(
        np.concatenate(([0], np.cumsum(counts))),
        np.concatenate(([0], np.cumsum(sizes))),
        (within[word] * 32 + bit).astype(np.int64),
    )


def _linear(columns: Columns, leaves: Ints, features: int) -> LinearTerms | None:
    words = [block.get(b"is_linear", b"0").strip() for block in columns.blocks]
    if not {b"0", b"1"}.issuperset(words):
        raise ValueError("is_linear holds other than 0 or 1")
    which = np.array([word == b"1" for word in words], dtype=np.bool_)
    if not which.any():
        return None
    trees, sizes = columns.of(which), leaves[which]
    count = np.zeros(int(leaves.sum()), dtype=np.int64)
    const = columns.floats("leaf_value", leaves)
    of_leaf = np.repeat(which, leaves)
    count[of_leaf] = trees.integers("num_features", sizes)
    if (count < 0).any():
        raise ValueError("num_features is negative")
    const[of_leaf] = trees.floats("leaf_const", sizes)
    terms = np.add.reduceat(count[of_leaf], offsets(sizes))
    feature = trees.integers("leaf_features", terms)
    check_range("leaf_features", feature, np.full(len(feature), features), np.repeat(trees.numbers, terms))
    return LinearTerms(const, count, feature, trees.floats("leaf_coeff", terms))
