"""LightGBM: model text, booster or scikit-learn wrapper -> ensemble.

How a row is routed and what each objective does with a raw score follows LightGBM's `tree.h` and `*_objective.hpp`.
"""

from typing import Any, Literal

import numpy as np

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.formats.lightgbm.text import Header, LightGBMModel, read_lightgbm_text
from infer_bench.formats.lightgbm.trees import (
    CATEGORICAL,
    DEFAULT_LEFT,
    MISSING_NAN,
    MISSING_ZERO,
    LinearTerms,
    Trees,
)
from infer_bench.formats.tree_arrays import offsets
from infer_bench.model import Feature, Label, Task
from infer_bench.trees.ensemble import LEQ, MEMBER, Ensemble, LinearLeaves, Link, Nodes, levels, make_nodes
from infer_bench.trees.readers.lost_labels import note_lost_labels
from infer_bench.trees.readers.unknown import refuse_unknown
from infer_bench.typing import Bools, Floats, Ints

ZERO_BAND = float(np.float32(1e-35))
"""LightGBM drops what is this near to zero when it reads a row (kZeroThreshold)."""

_KINDS = (0, MISSING_ZERO, MISSING_NAN)
_PLAIN = frozenset(
    {"regression", "regression_l2", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg"}
)
_LOG = frozenset({"poisson", "gamma", "tweedie"})


def read_lightgbm(model: Any, *, trees: Literal["best", "all"] = "best") -> Ensemble:
    """Read a model: the text of a model file, a `Booster`, or a fitted `LGBMModel`.

    `trees` matters to objects stopped early: "best" is what their `predict` uses; a text holds no such mark. Raises
    `ModelError` for damaged text, `NotConvertible` for an objective or a field that is not known.
    """
    if isinstance(model, str):
        return _to_ensemble(read_lightgbm_text(model.encode()), None)
    booster, wrapper = _booster(model)
    best = int(getattr(booster, "best_iteration", -1) or -1)
    text = booster.model_to_string(num_iteration=best if trees == "best" and best > 0 else -1)
    return _to_ensemble(read_lightgbm_text(text.encode(), "the booster"), wrapper)


def _booster(model: Any) -> tuple[Any, Any]:
    """The booster and its wrapper, or None."""
    if hasattr(model, "model_to_string"):
        return model, None
    try:
        return model.booster_, model
    except Exception as error:  # noqa: BLE001 - the library's own NotFittedError cannot be named without importing it
        raise ModelError(f"the {type(model).__name__} is not fitted or no LightGBM model: {error}") from None


def _to_ensemble(model: LightGBMModel, wrapper: Any) -> Ensemble:
    refuse_unknown("LightGBM", model.unknown)
    header, trees = model.header, model.trees
    links, task = _objective(header, wrapper)
    place = _Places(trees)
    iterations = len(trees.leaves) // header.per_iteration
    ensemble = Ensemble(
        family="lightgbm",
        task=task,
        features=_features(header),
        nodes=_nodes(trees, place),
        roots=place.roots,
        output=np.arange(len(trees.leaves)) % header.per_iteration,
        base=np.zeros(header.per_iteration),
        links=links,
        divisor=float(max(1, iterations)) if header.average else 1.0,
        classes=_classes(task, header.per_iteration, wrapper),
        zero_band=ZERO_BAND,
        rounding="truncate",
        linear_leaves=_linear_leaves(trees.linear, place) if trees.linear is not None else None,
        notes=note_lost_labels(wrapper, task),
        versions={"lightgbm_text": header.version},
    )
    levels(ensemble)
    return ensemble


def _features(header: Header) -> tuple[Feature, ...]:
    """The columns. Those that pandas encoded have `categories`; other categorical ones take codes."""
    values, invented = header.pandas_columns(), header.unnamed
    return tuple(
        Feature(name, "category", values.get(i, ()), invented)
        if i in header.categorical
        else Feature(name, invented=invented)
        for i, name in enumerate(header.features)
    )


def _objective(header: Header, wrapper: Any) -> tuple[tuple[Link, ...], Task]:
    """Links and task."""
    name, options = header.objective, header.options
    classifier = hasattr(wrapper, "classes_") if wrapper is not None else False
    sigmoid = Link("sigmoid", float(options.get("sigmoid", 1)))
    if name in ("", "custom", "none"):
        return (), "raw"
    if name in _PLAIN:
        links = (Link("signed-square"),) if "sqrt" in options else ()
        return links, "ranking" if name in ("lambdarank", "rank_xendcg") else "regression"
    if name in _LOG:
        return (Link("exp"),), "regression"
    if name == "binary":
        return (sigmoid,), "binary"
    if name in ("multiclass", "multiclassova"):
        return (Link("softmax") if name == "multiclass" else sigmoid,), "multiclass"
    if name == "cross_entropy":
        return (Link("sigmoid"),), "binary" if classifier else "regression"
    if name == "cross_entropy_lambda":
        return (Link("softplus"),), "regression"
    raise NotConvertible(f"LightGBM's objective {name!r} is not known", "convert raw scores: save it with no objective")


def _classes(task: Task, outputs: int, wrapper: Any) -> tuple[Label, ...]:
    if task not in ("binary", "multiclass"):
        return ()
    class_labels = getattr(wrapper, "classes_", None) if wrapper is not None else None
    count = max(2, outputs)
    labels = tuple(np.asarray(class_labels).tolist()) if class_labels is not None else ()
    if len(labels) == 1:
        raise NotConvertible("the classifier was trained on one class only", "train it on two classes or more")
    return labels if len(labels) == count else tuple(range(count))


def _nodes(trees: Trees, place: "_Places") -> Nodes:
    """All trees' nodes: of each tree the splits, in its own order, then the leaves."""
    kind, threshold = trees.decision_type, trees.threshold
    categorical, missing = (kind & CATEGORICAL) != 0, kind & (MISSING_ZERO | MISSING_NAN)
    strange = (kind < 0) | (kind > CATEGORICAL | DEFAULT_LEFT | MISSING_NAN) | ~np.isin(missing, _KINDS)
    refuse_unknown("LightGBM", [f"decision_type={number}" for number in np.unique(kind[strange])])
    nan_left = np.where(missing == 0, threshold >= 0, (kind & DEFAULT_LEFT) != 0) & ~categorical
    member_start, members = _members(trees, place, categorical)
    return make_nodes(
        feature=place.of_splits(trees.split_feature),
        threshold=place.of_splits(np.where(categorical, 0.0, threshold)),
        left=place.of_splits(place.child(trees.left_child), -1),
        right=place.of_splits(place.child(trees.right_child), -1),
        value=place.of_leaves(trees.leaf_value),
        mode=place.of_splits(np.where(categorical, MEMBER, LEQ)),
        missing_left=place.of_splits(nan_left),
        zero_missing=place.of_splits((missing == MISSING_ZERO) & ~categorical),
        member_start=member_start,
        members=members,
    )


class _Places:
    """Where each tree's splits and leaves lie among all nodes."""

    def __init__(self, trees: Trees) -> None:
        splits, leaves = trees.leaves - 1, trees.leaves
        self.roots: Ints = offsets(splits + leaves)
        self.count = int((splits + leaves).sum())
        tree, leaf_tree = trees.split_tree(), np.repeat(np.arange(len(leaves)), leaves)
        self.splits: Ints = np.arange(splits.sum()) - offsets(splits)[tree] + self.roots[tree]
        self.leaves: Ints = np.arange(leaves.sum()) - offsets(leaves)[leaf_tree] + (self.roots + splits)[leaf_tree]
        self._root, self._leaf = self.roots[tree], (self.roots + splits)[tree]

    def child(self, index: Ints) -> Ints:
        """Absolute nodes of the children: index i >= 0 is split i, i < 0 is leaf -i - 1."""
        return np.where(index >= 0, self._root + index, self._leaf - index - 1)

    def of_splits(self, values: Any, other: float = 0) -> Any:
        """One entry a node from one entry a split."""
        array = np.full(self.count, other, dtype=np.asarray(values).dtype)
        array[self.splits] = values
        return array

    def of_leaves(self, values: Any) -> Any:
        """One entry a node from one entry a leaf."""
        array = np.zeros(self.count, dtype=values.dtype)
        array[self.leaves] = values
        return array


def _members(trees: Trees, place: _Places, categorical: Bools) -> tuple[Ints, Floats]:
    """Where each node's members begin (nodes + 1,), and the members."""
    which = trees.set_of_split()
    per_node = np.zeros(place.count, np.int64)
    per_node[place.splits[categorical]] = trees.sets.sizes()[which]
    return np.concatenate(([0], np.cumsum(per_node))), trees.sets.members_of(which).astype(np.float64)


def _linear_leaves(terms: LinearTerms, place: _Places) -> LinearLeaves:
    return LinearLeaves(
        start=np.concatenate(([0], np.cumsum(place.of_leaves(terms.count)))),
        feature=terms.feature,
        coefficient=terms.coefficient,
        const=place.of_leaves(terms.const),
    )
