"""What an XGBoost booster says of itself: objective, features, categories and splits."""

import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infer_bench.engines.base import Domain, names
from infer_bench.engines.session import output_names, plain_labels
from infer_bench.errors import EngineError
from infer_bench.model import Feature, Kind, Label, ModelSpec, Task

_KINDS: Mapping[str, Kind] = {"c": "category", "int": "integer", "i": "boolean"}


@dataclass(frozen=True, slots=True)
class Config:
    """The parts of `Booster.save_config` that decide the shape of an answer."""

    objective: str
    booster: str
    classes: int
    targets: int
    trees: int


def config(booster: Any) -> Config:
    """Read the booster's configuration; of several outputs, quantiles count as targets."""
    learner = json.loads(booster.save_config())["learner"]
    shape = learner["learner_model_param"]
    objective = learner["objective"]
    alphas = objective.get("quantile_loss_param", {}).get("quantile_alpha", "")
    targets = max(1, int(shape.get("num_target", 1)), len([a for a in alphas.strip("[]()").split(",") if a.strip()]))
    kind = learner["gradient_booster"]["name"]
    trees = 0 if kind == "gblinear" else _trees(learner["gradient_booster"])
    return Config(objective["name"], kind, int(shape["num_class"]), targets, trees)


def _trees(grown: Any) -> int:
    inner = grown.get("gbtree", grown)  # dart wraps a gbtree
    return int(inner["gbtree_model_param"]["num_trees"])


def spec(config: Config, features: tuple[Feature, ...], wrapper: Any) -> ModelSpec:
    """What the model computes. A file holds no class labels, so they are 0, 1, …"""
    task = _task(config)
    classes: tuple[Label, ...] = ()
    count = config.targets
    if task in ("binary", "multiclass"):
        count = config.classes if task == "multiclass" else 1
        held = getattr(wrapper, "classes_", None) if wrapper is not None else None
        known = plain_labels(held) if held is not None else ()
        classes = known if len(known) == max(2, count) else tuple(range(max(2, count)))
    elif task == "raw" and config.classes:
        count = config.classes
    return ModelSpec(task, features, output_names(count, classes), classes, config.trees)


def _task(config: Config) -> Task:
    objective = config.objective
    if objective in ("binary:logistic", "binary:hinge") and config.targets == 1:
        return "binary"
    if objective in ("multi:softprob", "multi:softmax"):
        return "multiclass"
    if objective.startswith("rank:"):
        return "ranking"
    return "raw" if objective.startswith("binary:") else "regression"


def features(booster: Any) -> tuple[tuple[Feature, ...], list[str]]:
    """The features, and the names of those whose categories are known and so are fed as codes."""
    count = booster.num_features()
    called = names(count, booster.feature_names or ())
    types = booster.feature_types or ["float"] * count
    held = _categories(booster, called) if "c" in types else {}
    found = [
        Feature(name, _KINDS.get(kind, "float"), held.get(name, ())) for name, kind in zip(called, types, strict=True)
    ]
    return tuple(found), [feature.name for feature in found if feature.categories]


def _categories(booster: Any, called: tuple[str, ...]) -> dict[str, tuple[Label, ...]]:
    """Known since XGBoost 3.1, which writes the training's categories into the model."""
    held = _grown(booster).get("cats", {}).get("enc", [])
    return {name: _decoded(values) for name, values in zip(called, held, strict=False)}


def _decoded(held: Mapping[str, Any]) -> tuple[Label, ...]:
    """Numbers as they stand; strings as UTF-8 bytes (signed ones) in one list, cut at the offsets."""
    values, offsets = held["values"], held.get("offsets")
    if offsets is None:
        return tuple(values)
    text = bytes(byte & 0xFF for byte in values)
    if not text.isascii():
        # XGBoost 3.2 counts characters where it writes bytes: "Ålesund" is saved as "Ålesun".
        raise EngineError(
            "XGBoost saves category names that are not ASCII cut short, so requests cannot be matched to them",
            "train on ASCII category names, or on codes",
        )
    return tuple(text[a:b].decode() for a, b in itertools.pairwise(offsets))


def _grown(booster: Any) -> Mapping[str, Any]:
    """The model's own JSON below `gradient_booster`; dart wraps a gbtree."""
    grown = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    model: Mapping[str, Any] = grown.get("gbtree", grown).get("model", {})
    return model


def domain(booster: Any, called: tuple[str, ...]) -> Domain:
    """The thresholds and category codes of all trees, per feature. Every XGBoost split routes missing values."""
    found: dict[str, set[float]] = defaultdict(set)
    for tree in _grown(booster).get("trees", ()):
        sets = _sets(tree)
        for node, (left, index, value) in enumerate(
            zip(tree["left_children"], tree["split_indices"], tree["split_conditions"], strict=True)
        ):
            if left != -1:
                found[called[index]].update(sets.get(node, (float(value),)))
    thresholds = {name: tuple(sorted(values)) for name, values in found.items()}
    return Domain(thresholds, frozenset(thresholds))


def _sets(tree: Mapping[str, Any]) -> dict[int, tuple[float, ...]]:
    """Per categorical node the codes that go right."""
    nodes, starts, sizes = tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"]
    codes = tree["categories"]
    return {
        node: tuple(float(code) for code in codes[start : start + size])
        for node, start, size in zip(nodes, starts, sizes, strict=True)
    }
