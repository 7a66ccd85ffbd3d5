"""The trees of XGBoost's JSON: all trees' fields side by side, checked to form trees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.formats.tree_arrays import check_range, first_where, offsets, values_by_feature
from infer_bench.formats.xgboost.columns import Columns, Json, field_of, mapping_of, value_of, whole_numbers
from infer_bench.typing import Bools, Floats, Ints

_NUMERIC, _CATEGORICAL = 0, 1
_VECTORS_IN_TABLE = (3, 2)
"""Since which version leaves of several values refer to a table, and their trees say what each split gained."""
_PARAMETERS = ("num_deleted", "num_feature", "num_nodes", "num_roots", "size_leaf_vector")
_FIELDS = (
    *("base_weights", "categories", "categories_nodes", "categories_segments", "categories_sizes", "default_left"),
    *("id", "leaf_child_counts", "leaf_weights", "left_children", "loss_changes", "parents", "right_children"),
    "split_conditions",
    *("split_indices", "split_type", "sum_hessian", "tree_param"),
)
"""Of all versions; `leaf_child_counts` stands in those of 1.0 and 1.1 alone, and no prediction needs it."""


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


def read_table(model: Json, features: int, outputs: int, version: tuple[int, ...]) -> TreeTable:
    """The trees of a booster's `model`, as the XGBoost of that version writes them.

    Raises `ValueError`, `KeyError` or `TypeError` saying what does not fit.
    """
    trees, parameters = model["trees"], model["gbtree_model_param"]
    group = _groups(model, outputs)
    shape = [mapping_of(field_of(tree, "tree_param", index)) for index, tree in enumerate(trees)]
    nodes = np.array([int(entry["num_nodes"]) for entry in shape], dtype=np.int64)
    if (nodes < 1).any():
        raise ValueError(f"tree {first_where(nodes < 1)}: it has {nodes[first_where(nodes < 1)]} nodes")
    columns, width = Columns(trees, nodes), _width(shape, outputs)
    in_table = version >= _VECTORS_IN_TABLE or columns.has("leaf_weights")
    left, right, value = _leaves(columns, width, in_table=in_table)
    if width == 1 or in_table:
        for name in ("loss_changes", "sum_hessian"):
            columns.check_sizes(name, nodes)
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
        parallel=max(1, int(parameters.get("num_parallel_tree", 1))),
        unknown=(*_unknown(trees, shape), *_unknown_splits(columns, inner)),
    )


def _groups(model: Json, outputs: int) -> Ints:
    """The output that each tree adds to; there are as many trees as are announced, in the order of their numbers."""
    trees, group = model["trees"], whole_numbers("tree_info", model["tree_info"])
    announced = int(model["gbtree_model_param"]["num_trees"])
    if not announced == len(trees) == len(group):
        raise ValueError(f"it announces {announced} trees, has {len(trees)} and assigns {len(group)}")
    wrong = (group < 0) | (group >= outputs)
    if wrong.any():
        raise ValueError(f"tree_info {group[first_where(wrong)]} is not in 0…{outputs - 1}")
    for index, tree in enumerate(trees):
        if value_of(tree.get("id", index)) != index:  # XGBoost puts it there, and crashes where none is put
            raise ValueError(f"tree {index} calls itself tree {str(value_of(tree['id']))[:20]}")
    return group


def _width(shape: Sequence[Json], outputs: int) -> int:
    """How many values a leaf holds."""
    widths = {int(entry.get("size_leaf_vector", 1)) for entry in shape} or {1}
    if not widths <= {0, 1, outputs} or len(widths) > 1:
        raise ValueError(f"its leaves hold {', '.join(map(str, sorted(widths)))} values for {outputs} outputs")
    return max(1, widths.pop())


def unknown_fields(entry: Json, fields: Sequence[str], name: str) -> Iterator[str]:
    """The fields of `entry` that are not among `fields`, as in `the learner's 'foo'`."""
    return (f"{name}'s {key[:40]!r}" for key in entry if key not in fields)


def _unknown(trees: Sequence[Json], shape: Sequence[Json]) -> Iterator[str]:
    for entries, fields in ((trees, _FIELDS), (shape, _PARAMETERS)):
        keys = {key: index for index, entry in reversed(list(enumerate(entries))) for key in entry}
        for key, index in keys.items():
            yield from unknown_fields({key: None}, fields, f"tree {index}")


def _unknown_splits(columns: Columns, inner: Bools) -> Iterator[str]:
    if columns.has("split_type"):
        kinds = np.unique(columns.integers("split_type")[inner])
        yield from (f"split_type={kind}" for kind in kinds.tolist() if kind not in (_NUMERIC, _CATEGORICAL))


def _leaves(columns: Columns, width: int, *, in_table: bool) -> tuple[Ints, Ints, npt.NDArray[np.float32]]:
    """The children, and the leaves' values (nodes, width).

    A leaf's value stands in the place of its condition. Of a leaf of several values the right child is its number in a
    table, or every node has its values in `base_weights`.
    """
    left, right = columns.integers("left_children"), columns.integers("right_children")
    if width == 1:
        columns.check_sizes("base_weights", columns.nodes)
        return left, right, columns.floats("split_conditions")[:, None]
    if not in_table:
        return left, right, columns.floats("base_weights", columns.nodes * width).reshape(-1, width)
    leaf, rows = left == -1, columns.sizes("leaf_weights") // width
    check_range("a leaf's vector", right[leaf], rows[columns.tree[leaf]], columns.tree[leaf])
    table = columns.floats("leaf_weights", rows * width).reshape(-1, width)
    index = np.where(leaf, offsets(rows)[columns.tree] + right, 0)
    return left, np.where(leaf, -1, right), np.where(leaf[:, None], table[index], np.float32(0))


def _check_shape(columns: Columns, left: Ints, right: Ints) -> None:
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


def _check_parents(columns: Columns, left: Ints, right: Ints) -> None:
    """XGBoost walks up as well: each child must lead back to its own parent, and each node to one that exists."""
    if not columns.has("parents"):
        return
    parents, inner = columns.integers("parents"), np.flatnonzero(left >= 0)
    first = columns.first[columns.tree[inner]]
    wrong = (parents[left[inner] + first] != inner - first) | (parents[right[inner] + first] != inner - first)
    if wrong.any():
        tree = columns.tree[inner[first_where(wrong)]]
        raise ValueError(f"tree {tree}: a node is the child of one node and names another its parent")
    below = np.ones(len(left), dtype=np.bool_)
    below[columns.first] = False
    check_range("a parent", parents[below], columns.nodes[columns.tree[below]], columns.tree[below])


def _categories(columns: Columns, inner: Bools) -> tuple[Bools, Ints, Ints]:
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
    ends = whole_numbers("iteration_indptr", model["iteration_indptr"])
    if not len(ends):
        return None
    if ends[0] != 0 or ends[-1] != trees or (np.diff(ends) < 0).any():
        raise ValueError("iteration_indptr does not cover the trees")
    return ends
