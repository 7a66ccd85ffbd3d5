"""What an XGBoost booster says of itself: objective, features, categories and splits."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from infer_bench.engines.base import Domain, make_features
from infer_bench.engines.session import name_outputs, plain_labels
from infer_bench.errors import EngineError
from infer_bench.formats.xgboost.json import FEATURE_KINDS, Outline, XGBoostModel, outline, read_xgboost_model
from infer_bench.model import Feature, Label, ModelSpec, Task


def config(booster: Any) -> Outline:
    """Read the booster's configuration; of several outputs, quantiles count as targets."""
    return outline(json.loads(booster.save_config())["learner"])


def spec(config: Outline, features: tuple[Feature, ...], wrapper: Any) -> ModelSpec:
    """What the model computes. A file holds no class labels, so they are 0, 1, …"""
    task = _task(config)
    classes: tuple[Label, ...] = ()
    count = config.targets
    if task in ("binary", "multiclass"):
        count = config.classes if task == "multiclass" else 1
        class_labels = getattr(wrapper, "classes_", None) if wrapper is not None else None
        labels = plain_labels(class_labels) if class_labels is not None else ()
        classes = labels if len(labels) == max(2, count) else tuple(range(max(2, count)))
    elif task == "raw" and config.classes:
        count = config.classes
    return ModelSpec(task, features, name_outputs(count, classes), classes, config.trees)


def _task(config: Outline) -> Task:
    objective = config.objective
    if objective in ("binary:logistic", "binary:hinge") and config.targets == 1:
        return "binary"
    if objective in ("multi:softprob", "multi:softmax"):
        return "multiclass"
    if objective.startswith("rank:"):
        return "ranking"
    return "raw" if objective.startswith("binary:") else "regression"


def features(booster: Any, path: Path | None) -> tuple[tuple[Feature, ...], list[str]]:
    """The features, and the names of those whose categories are known and so are fed as codes.

    Categories are known since XGBoost 3.1, which writes the training's into the model. The file at `path`, where the
    booster comes from one, says which version wrote them.
    """
    if "c" not in (booster.feature_types or ()):
        columns = make_features(booster.num_features(), booster.feature_names or ())
        kinds = [FEATURE_KINDS.get(kind, "float") for kind in _types(booster)]
        return tuple(replace(column, kind=kind) for column, kind in zip(columns, kinds, strict=True)), []
    model = _model(booster) if path is None else read_xgboost_model(path.read_bytes(), path.name)
    if model.illegible:
        raise EngineError(
            "XGBoost saves category names that are not ASCII cut short, so requests cannot be matched to them",
            "train on ASCII category names, or on codes",
        )
    return model.features, [feature.name for feature in model.features if feature.categories]


def _types(booster: Any) -> list[str]:
    return booster.feature_types or ["float"] * booster.num_features()


def _model(booster: Any) -> XGBoostModel:
    return read_xgboost_model(bytes(booster.save_raw("json")), "the booster")


def domain(booster: Any, columns: tuple[str, ...]) -> Domain:
    """The thresholds and category codes of all trees, per feature. Every XGBoost split routes missing values."""
    trees = _model(booster).trees
    thresholds = {columns[i]: values for i, values in trees.thresholds().items()} if trees is not None else {}
    return Domain(thresholds, frozenset(thresholds))
