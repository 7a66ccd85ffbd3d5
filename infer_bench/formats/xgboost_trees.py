"""The trees of XGBoost's JSON: all trees' fields side by side, checked to form trees."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.formats.numbers import parse_floats, parse_integers
from infer_bench.formats.tree_arrays import check_range, first_where, offsets, values_by_feature
from infer_bench.typing import Array, Bools, Floats, Ints

Json = Mapping[str, Any]

_CATEGORICAL = 1
_PARAMETERS = ("num_deleted", "num_feature", "num_nodes", "num_roots", "size_leaf_vector")
_FIELDS = (
    *("base_weights", "categories", "categories_nodes", "categories_segments", "categories_sizes", "default_left"),
    *("id", "leaf_weights", "left_children", "loss_changes", "parents", "right_children", "split_conditions"),
    *("split_indices", "split_type", "sum_hessian", "tree_param"),
)


@dataclass(frozen=True, slots=True, eq=False)
class TreeTable:
    """All trees' nodes, one tree after the other.

    `nodes` (trees,) counts each tree's; `left`, `right` (-1 at a leaf, else a node of the same tree), `feature`,
    `condition` and `default_left` have one entry a node, `value` (nodes, width) what a leaf adds: to the output that
    `group` (trees,) says, or to each of `width`. A row goes left iff x < condition, at a node that `is_set` tells: iff
    x is none of `categories[category_start[i]:category_start[i + 1]]`. `weight` (trees,) scales leaves; None: not at
    all. Iteration i ends before tree `iteration_ends[i + 1]`, where that is stored; it has `parallel` trees an output.
    Nodes that training removed have no parent.
    """

    nodes: Ints
    left: Ints
    right: Ints
    feature: Ints
    condition: npt.NDArray[np.float32]
    default_left: Bools
    value: npt.NDArray[np.float32]
    is_set: Bools
    category_start: Ints
    categories: Ints
    group: Ints
    weight: Floats | None
    iteration_ends: Ints | None
    parallel: int
    unknown: tuple[str, ...]

    def thresholds(self) -> dict[int, tuple[float, ...]]:
        """Each feature's distinct thresholds and categories, sorted; no entry for one that no tree splits on."""
        plain = (self.left >= 0) & ~self.is_set
        of_member = np.repeat(self.feature, np.diff(self.category_start))
        return values_by_feature(
            np.concatenate((self.feature[plain], of_member)),
            np.concatenate((self.condition[plain].astype(np.float64), self.categories)),
        )


def read_table(model: Json, features: int, outputs: int) -> TreeTable:
    """The trees of a booster's `model`. Raises `ValueError`, `KeyError` or `TypeError` saying what does not fit."""
    trees, parameters = model["trees"], model["gbtree_model_param"]
    announced, group = int(parameters["num_trees"]), _whole("tree_info", model["tree_info"])
    if not announced == len(trees) == len(group):
        raise ValueError(f"it announces {announced} trees, has {len(trees)} and assigns {len(group)}")
    wrong = (group < 0) | (group >= outputs)
    if wrong.any():
        raise ValueError(f"tree_info {group[first_where(wrong)]} is not in 0…{outputs - 1}")
    shape = [_plain(_field(tree, "tree_param", index)) for index, tree in enumerate(trees)]
    nodes = np.array([int(entry["num_nodes"]) for entry in shape], dtype=np.int64)
    if (nodes < 1).any():
        raise ValueError(f"tree {first_where(nodes < 1)}: it has {nodes[first_where(nodes < 1)]} nodes")
    widths = {max(1, int(entry.get("size_leaf_vector", 1))) for entry in shape} or {1}
    if not widths <= {1, outputs} or len(widths) > 1:
        raise ValueError(f"its leaves hold {max(widths)} values for {outputs} outputs")
    columns = _Columns(trees, nodes)
    left, right, value = _leaves(columns, widths.pop())
    _check_shape(columns, left, right)
    _check_parents(columns, left, right)
    feature, inner = columns.integers("split_indices"), left >= 0
    check_range("a feature", feature[inner], np.full(inner.sum(), features), columns.tree[inner])
    is_set, start, categories = _categories(columns, inner)
    return TreeTable(
        nodes=nodes,
        left=left,
        right=right,
        feature=feature,
        condition=columns.floats("split_conditions"),
        default_left=columns.integers("default_left") != 0,
        value=value,
        is_set=is_set,
        category_start=start,
        categories=categories,
        group=group,
        weight=None,
        iteration_ends=_iteration_ends(model, len(trees)),
        parallel=int(parameters.get("num_parallel_tree", 1)),
        unknown=tuple(_unknown(trees, shape)),
    )


def unknown_fields(entry: Json, fields: Sequence[str], name: str) -> Iterator[str]:
    """The fields of `entry` that are not among `fields`, as in `the learner's 'foo'`."""
    return (f"{name}'s {key[:40]!r}" for key in entry if key not in fields)


def _unknown(trees: Sequence[Json], shape: Sequence[Json]) -> Iterator[str]:
    for entries, fields in ((trees, _FIELDS), (shape, _PARAMETERS)):
        keys = {key: index for index, entry in reversed(list(enumerate(entries))) for key in entry}
        for key, index in keys.items():
            yield from unknown_fields({key: None}, fields, f"tree {index}")


class _Columns:
    """The trees, of which one field at a time is read: lists and arrays, or JSON that is still text."""

    def __init__(self, trees: Sequence[Json], nodes: Ints) -> None:
        self.trees, self.nodes = trees, nodes
        self.tree: Ints = np.repeat(np.arange(len(trees)), nodes)
        self.first: Ints = offsets(nodes)
        self._are_text = bool(trees) and not isinstance(trees[0]["tree_param"], Mapping)

    def has(self, key: str) -> bool:
        """Whether any tree has the field."""
        return any(key in tree for tree in self.trees)

    def integers(self, key: str, sizes: Ints | None = None) -> Ints:
        """The field `key` of all trees; tree i has `sizes[i]` entries, or one a node."""
        return _whole(key, self._join(key, sizes, parse_integers))

    def floats(self, key: str, sizes: Ints | None = None) -> npt.NDArray[np.float32]:
        """As `integers`, for numbers of 32 bits."""
        values = np.asarray(self._join(key, sizes, parse_floats), dtype=np.float64)
        with np.errstate(over="ignore"):
            return values.astype(np.float32)

    def sizes(self, key: str) -> Ints:
        """How many entries each tree's field has; 0 where it lacks it."""
        return self._counts([self._entry(tree.get(key)) for tree in self.trees])

    def check_sizes(self, key: str, sizes: Ints) -> list[Any]:
        """The field of each tree; raises `ValueError` where one lacks it, or has another number of entries."""
        entries = [self._entry(_field(tree, key, index)) for index, tree in enumerate(self.trees)]
        counts = self._counts(entries)
        if (counts != sizes).any():
            at = first_where(counts != sizes)
            raise ValueError(f"tree {at}: {key} has {counts[at]} values where {sizes[at]} are due")
        return entries

    def _entry(self, value: Any) -> Any:
        """A tree's field: a list or an array, or what stands between a list's brackets."""
        if value is None:
            return ()
        if not self._are_text:
            return value
        text = bytes(value)
        if text[:1] != b"[":
            raise ValueError("something stands where a list is due")
        return text[1:-1].strip()

    def _counts(self, entries: Sequence[Any]) -> Ints:
        if self._are_text:
            return np.array([text.count(b",") + 1 if text else 0 for text in entries], dtype=np.int64)
        return np.array([len(entry) for entry in entries], dtype=np.int64)

    def _join(self, key: str, sizes: Ints | None, parse: Any) -> Any:
        entries = self.check_sizes(key, self.nodes if sizes is None else sizes)
        if self._are_text:
            return parse(b",".join(text for text in entries if text))
        if any(isinstance(entry, np.ndarray) for entry in entries):
            return np.concatenate([np.asarray(entry) for entry in entries])
        return list(itertools.chain.from_iterable(entries))


def _field(tree: Json, key: str, index: int) -> Any:
    if key not in tree:
        raise ValueError(f"tree {index} lacks {key!r}")
    return tree[key]


def _plain(entry: Any) -> Json:
    if isinstance(entry, Mapping):
        return entry
    import msgspec

    mapping: Json = msgspec.json.decode(entry)
    return mapping


def _whole(name: str, values: Any) -> Ints:
    array: Array = np.asarray(values)
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "iub"):
        raise ValueError(f"{name} holds {array.dtype} where whole numbers are due")
    return array.astype(np.int64)


def _leaves(columns: _Columns, width: int) -> tuple[Ints, Ints, npt.NDArray[np.float32]]:
    """The children, and the leaves' values (nodes, width).

    A leaf's value stands in the place of its condition. Of a leaf of several values the right child is its number in a
    table; before XGBoost 3.1 every node has its values in `base_weights`.
    """
    left, right = columns.integers("left_children"), columns.integers("right_children")
    if width == 1:
        columns.check_sizes("base_weights", columns.nodes)
        return left, right, columns.floats("split_conditions")[:, None]
    if not columns.has("leaf_weights"):
        return left, right, columns.floats("base_weights", columns.nodes * width).reshape(-1, width)
    leaf, rows = left == -1, columns.sizes("leaf_weights") // width
    check_range("a leaf's vector", right[leaf], rows[columns.tree[leaf]], columns.tree[leaf])
    table = columns.floats("leaf_weights", rows * width).reshape(-1, width)
    index = np.where(leaf, offsets(rows)[columns.tree] + right, 0)
    return left, np.where(leaf, -1, right), np.where(leaf[:, None], table[index], np.float32(0))


def _check_shape(columns: _Columns, left: Ints, right: Ints) -> None:
    """No node has two parents and the root none, so nothing that is reached goes round."""
    inner = left != -1
    if (inner != (right != -1)).any():
        raise ValueError(f"tree {columns.tree[first_where(inner != (right != -1))]}: a node has one child")
    owner = columns.tree[inner]
    for child in (left[inner], right[inner]):
        check_range("a child", child, columns.nodes[owner], owner)
    children = np.concatenate((left[inner], right[inner])) + np.tile(columns.first[owner], 2)
    parents = np.bincount(children, minlength=len(left))
    wrong = parents > 1
    wrong[columns.first] |= parents[columns.first] > 0
    if wrong.any():
        raise ValueError(f"tree {columns.tree[first_where(wrong)]}: its nodes do not form a tree")


def _check_parents(columns: _Columns, left: Ints, right: Ints) -> None:
    """XGBoost walks up as well: each child must lead back to its own parent."""
    if not columns.has("parents"):
        return
    parents, inner = columns.integers("parents"), np.flatnonzero(left >= 0)
    first = columns.first[columns.tree[inner]]
    wrong = (parents[left[inner] + first] != inner - first) | (parents[right[inner] + first] != inner - first)
    if wrong.any():
        tree = columns.tree[inner[first_where(wrong)]]
        raise ValueError(f"tree {tree}: a node is the child of one node and names another its parent")


def _categories(columns: _Columns, inner: Bools) -> tuple[Bools, Ints, Ints]:
    """Which nodes ask for a set, where each node's categories begin (nodes + 1,), and the categories."""
    kinds = columns.integers("split_type") if columns.has("split_type") else np.zeros(len(inner), dtype=np.int64)
    is_set, count = (kinds == _CATEGORICAL) & inner, columns.sizes("categories_nodes")
    if not is_set.any() and not count.any():
        return is_set, np.zeros(len(inner) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    tree = np.repeat(np.arange(len(count)), count)
    node = columns.integers("categories_nodes", count)
    check_range("a node of categories", node, columns.nodes[tree], tree)
    place = node + columns.first[tree]
    begin, size = columns.integers("categories_segments", count), columns.integers("categories_sizes", count)
    totals = columns.sizes("categories")
    wrong = (begin < 0) | (size < 0) | (begin + size > totals[tree])
    if wrong.any():
        raise ValueError(f"tree {tree[first_where(wrong)]}: its categories lie outside of their list")
    codes = columns.integers("categories", totals)
    check_range("a category", codes, np.full(len(codes), 1 << 24), np.repeat(np.arange(len(totals)), totals))
    covered = np.bincount(place, minlength=len(inner))
    wrong = (covered > 1) | (is_set & (covered == 0)) | (~is_set & inner & (covered > 0))
    if wrong.any():
        raise ValueError(f"tree {columns.tree[first_where(wrong)]}: its categories do not cover its splits")
    order = np.argsort(place)
    place, begin, size = place[order], (begin + offsets(totals)[tree])[order], size[order]
    sizes = np.zeros(len(inner), dtype=np.int64)
    sizes[place] = size
    within = np.arange(size.sum()) - np.repeat(offsets(size), size)
    return is_set, np.concatenate(([0], np.cumsum(sizes))), codes[np.repeat(begin, size) + within]


def _iteration_ends(model: Json, trees: int) -> Ints | None:
    if "iteration_indptr" not in model:
        return None
    ends = _whole("iteration_indptr", model["iteration_indptr"])
    if not len(ends):
        return None
    if ends[0] != 0 or ends[-1] != trees or (np.diff(ends) < 0).any():
        raise ValueError("iteration_indptr does not cover the trees")
    return ends
