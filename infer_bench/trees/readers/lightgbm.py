"""LightGBM: model text, booster or scikit-learn wrapper -> ensemble.

How a row is routed and what each objective does with a raw score follows LightGBM's `tree.h` and `*_objective.hpp`.
"""

from typing import Any, Literal

import numpy as np

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.model import Label, Task
from infer_bench.trees.ensemble import LEQ, MEMBER, Ensemble, LinearLeaves, Link, Nodes, levels, make_nodes
from infer_bench.trees.readers import lightgbm_text as source
from infer_bench.typing import Bools, Floats, Ints

ZERO_BAND = float(np.float32(1e-35))
"""LightGBM drops what is this near to zero when it reads a row (kZeroThreshold)."""

_PLAIN = frozenset(
    {"regression", "regression_l2", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg"}
)
_LOG = frozenset({"poisson", "gamma", "tweedie"})


def read_lightgbm(model: Any, *, trees: Literal["best", "all"] = "best") -> Ensemble:
    """Read a model: the text of a model file, a `Booster`, or a fitted `LGBMModel`.

    `trees` matters to objects stopped early: "best" is what their `predict` uses; a text holds no such mark. Raises
    `ModelError` for damaged text, `NotConvertible` for an objective that is not known.
    """
    if isinstance(model, str):
        return _read_text(model, None)
    booster, wrapper = _booster(model)
    best = int(getattr(booster, "best_iteration", -1) or -1)
    text = booster.model_to_string(num_iteration=best if trees == "best" and best > 0 else -1)
    return _read_text(text, wrapper)


def _booster(model: Any) -> tuple[Any, Any]:
    """The booster and its wrapper, or None."""
    if hasattr(model, "model_to_string"):
        return model, None
    try:
        return model.booster_, model
    except Exception as error:  # noqa: BLE001 - the library's own NotFittedError cannot be named without importing it
        raise ModelError(f"the {type(model).__name__} is not fitted or no LightGBM model: {error}") from None


def _read_text(text: str, wrapper: Any) -> Ensemble:
    parts = source.take_apart(text)
    links, task, average = _objective(parts, wrapper)
    leaves = source.counts(parts.trees, "num_leaves")
    if np.any(leaves < 1):
        raise ModelError("a LightGBM tree has no leaves", "the file is damaged; save the model again")
    outputs = parts.number("num_tree_per_iteration")
    if outputs < 1 or len(leaves) % outputs:
        raise ModelError(f"{len(leaves)} trees cannot be shared by {outputs} outputs", "save the model again")
    nodes, roots = _nodes(parts, leaves)
    ensemble = Ensemble(
        family="lightgbm",
        task=task,
        features=source.features(parts),
        nodes=nodes,
        roots=roots,
        output=np.arange(len(leaves)) % outputs,
        base=np.zeros(outputs),
        links=links,
        divisor=float(max(1, len(leaves) // outputs)) if average else 1.0,
        classes=_classes(task, outputs, wrapper),
        zero_band=ZERO_BAND,
        rounding="truncate",
        linear_leaves=_linear(parts, leaves, len(nodes)),
        versions={"lightgbm_text": parts.header.get("version", "")},
    )
    levels(ensemble)
    return ensemble


def _objective(parts: source.Text, wrapper: Any) -> tuple[tuple[Link, ...], Task, bool]:
    """Links, task, and whether trees are averaged."""
    average = "average_output" in parts.header
    name, *options = parts.header.get("objective", "").split() or [""]
    given = dict(option.partition(":")[::2] for option in options)
    classifier = hasattr(wrapper, "classes_") if wrapper is not None else False
    if name in ("", "custom", "none"):
        return (), "raw", average
    if name in _PLAIN:
        links = (Link("signed-square"),) if "sqrt" in given else ()
        return links, "ranking" if name in ("lambdarank", "rank_xendcg") else "regression", average
    if name in _LOG:
        return (Link("exp"),), "regression", average
    if name == "binary":
        return (Link("sigmoid", float(given.get("sigmoid", 1))),), "binary", average
    if name == "multiclass":
        return (Link("softmax"),), "multiclass", average
    if name == "multiclassova":
        return (Link("sigmoid", float(given.get("sigmoid", 1))),), "multiclass", average
    if name == "cross_entropy":
        return (Link("sigmoid"),), "binary" if classifier else "regression", average
    if name == "cross_entropy_lambda":
        return (Link("softplus"),), "regression", average
    raise NotConvertible(f"LightGBM's objective {name!r} is not known", "convert raw scores: save it with no objective")


def _classes(task: Task, outputs: int, wrapper: Any) -> tuple[Label, ...]:
    if task not in ("binary", "multiclass"):
        return ()
    held = getattr(wrapper, "classes_", None) if wrapper is not None else None
    count = max(2, outputs)
    known = tuple(np.asarray(held).tolist()) if held is not None else ()
    if len(known) == 1:
        raise NotConvertible("the classifier was trained on one class only", "train it on two classes or more")
    return known if len(known) == count else tuple(range(count))


def _nodes(parts: source.Text, leaves: Ints) -> tuple[Nodes, Ints]:
    """All trees' nodes: of each tree the splits, in its own order, then the leaves."""
    trees, splits = parts.trees, leaves - 1
    sizes = splits + leaves
    roots = np.cumsum(sizes) - sizes
    place = _Places(roots, splits, leaves)
    kind = source.integers(trees, "decision_type", splits)
    threshold = source.floats(trees, "threshold", splits)
    categorical = (kind & 1).astype(np.bool_)
    missing = (kind >> 2) & 3
    default_left = (kind & 2).astype(np.bool_)
    nan_left = np.where(missing == 0, threshold >= 0, default_left) & ~categorical
    member_start, members = _members(trees, place, threshold, categorical)
    nodes = make_nodes(
        feature=place.of_splits(source.integers(trees, "split_feature", splits)),
        threshold=place.of_splits(np.where(categorical, 0.0, threshold)),
        left=place.of_splits(place.child(source.integers(trees, "left_child", splits)), -1),
        right=place.of_splits(place.child(source.integers(trees, "right_child", splits)), -1),
        value=place.of_leaves(source.floats(trees, "leaf_value", leaves)),
        mode=place.of_splits(np.where(categorical, MEMBER, LEQ)),
        missing_left=place.of_splits(nan_left),
        zero_missing=place.of_splits((missing == 1) & ~categorical),
        member_start=member_start,
        members=members,
    )
    return nodes, roots


class _Places:
    """Where each tree's splits and leaves lie among all nodes."""

    def __init__(self, roots: Ints, splits: Ints, leaves: Ints) -> None:
        self.count = int((splits + leaves).sum())
        self.split_tree = np.repeat(np.arange(len(roots)), splits)
        leaf_tree = np.repeat(np.arange(len(roots)), leaves)
        first_split, first_leaf = np.cumsum(splits) - splits, np.cumsum(leaves) - leaves
        self.splits: Ints = np.arange(splits.sum()) - first_split[self.split_tree] + roots[self.split_tree]
        self.leaves: Ints = np.arange(leaves.sum()) - first_leaf[leaf_tree] + (roots + splits)[leaf_tree]
        self._root, self._leaf, self._sizes = (
            roots[self.split_tree],
            (roots + splits)[self.split_tree],
            (splits, leaves),
        )

    def child(self, index: Ints) -> Ints:
        """Absolute nodes of the children: index i >= 0 is split i, i < 0 is leaf -i - 1."""
        splits, leaves = (sizes[self.split_tree] for sizes in self._sizes)
        if np.any(index >= splits) or np.any(-index - 1 >= leaves):
            raise ModelError("a LightGBM tree refers to a node that does not exist", "save the model again")
        return np.where(index >= 0, self._root + index, self._leaf - index - 1)

    def of_splits(self, values: Any, other: float = 0) -> Any:
        """One entry a node from one entry a split."""
        array = np.full(self.count, other, dtype=np.asarray(values).dtype)
        array[self.splits] = values
        return array

    def of_leaves(self, values: Floats) -> Floats:
        """One entry a node from one entry a leaf."""
        array = np.zeros(self.count)
        array[self.leaves] = values
        return array


def _members(trees: Any, place: _Places, threshold: Floats, categorical: Bools) -> tuple[Ints, Floats]:
    """The members of each node; a categorical split's threshold is the number of its set in its tree."""
    if not categorical.any():
        return np.zeros(place.count + 1, np.int64), np.zeros(0)
    first, start, values = source.member_sets(trees)
    tree = place.split_tree[categorical]
    which = threshold[categorical].astype(np.int64)
    if np.any((which < 0) | (which >= (first[1:] - first[:-1])[tree])):
        raise ModelError("a LightGBM tree refers to a category set that does not exist", "save the model again")
    which = which + first[tree]
    sizes = np.diff(start)[which]
    per_node = np.zeros(place.count, np.int64)
    per_node[place.splits[categorical]] = sizes
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.concatenate(([0], np.cumsum(per_node))), values[np.repeat(start[which], sizes) + within]


def _linear(parts: source.Text, leaves: Ints, count: int) -> LinearLeaves | None:
    """The linear functions in the leaves; a tree without them has its leaf values as constants."""
    if not any(tree.get("is_linear", "0") == "1" for tree in parts.trees):
        return None
    trees = [_as_linear(tree, int(n)) for tree, n in zip(parts.trees, leaves, strict=True)]
    place = _Places(np.cumsum(2 * leaves - 1) - (2 * leaves - 1), leaves - 1, leaves)
    terms = source.integers(trees, "num_features", leaves)
    by_tree = np.add.reduceat(terms, np.cumsum(leaves) - leaves)
    per_node = np.zeros(count, np.int64)
    per_node[place.leaves] = terms
    return LinearLeaves(
        start=np.concatenate(([0], np.cumsum(per_node))),
        feature=source.integers(trees, "leaf_features", by_tree),
        coefficient=source.floats(trees, "leaf_coeff", by_tree),
        const=place.of_leaves(source.floats(trees, "leaf_const", leaves)),
    )


def _as_linear(tree: Any, leaves: int) -> dict[str, str]:
    if tree.get("is_linear", "0") == "1":
        return dict(tree)
    return {"num_features": "0 " * leaves, "leaf_features": "", "leaf_coeff": "", "leaf_const": tree["leaf_value"]}
