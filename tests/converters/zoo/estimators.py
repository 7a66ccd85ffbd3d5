"""Estimators of scikit-learn, small ones, and what they are trained on."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.converters.zoo.case import frame, numbers

Maker = Callable[[], Any]


def clean() -> Any:
    """Numbers without gaps."""
    return numbers(missing=False)


def clean_frame() -> Any:
    """A DataFrame without gaps."""
    return frame(missing=False)


def tame() -> Any:
    """Numbers without gaps, all of about the same size."""
    table = clean()
    return (table - table.mean(axis=0)) / table.std(axis=0)


def counts() -> Any:
    """Small whole numbers from 0 on."""
    return np.abs(np.round(tame() * 3))


def defer_fit(make: Maker, target: Callable[[Any], Any] | None, rows: Maker = clean) -> Maker:
    """Trains what `make` makes."""

    def train() -> Any:
        table = rows()
        model = make()
        return (model.fit(table) if target is None else model.fit(table, target(table))), table

    return train


def build(module: str, name: str, /, **settings: Any) -> Maker:
    """An estimator of scikit-learn."""

    def make() -> Any:
        from importlib import import_module

        return getattr(import_module(f"sklearn.{module}"), name)(**settings)

    return make


def ensemble(name: str, **settings: Any) -> Maker:
    """A small forest or boosting."""
    return build("ensemble", name, **{"n_estimators": 6, "random_state": 0, **settings})


def histogram(kind: str, **settings: Any) -> Maker:
    """A small HistGradientBoosting."""
    return build("ensemble", f"HistGradientBoosting{kind}", **{"max_iter": 6, "max_leaf_nodes": 7, **settings})


def inner(name: str) -> Any:
    """A small classifier to be wrapped."""
    if name == "tree":
        return build("tree", "DecisionTreeClassifier", max_depth=4, random_state=0)()
    if name == "forest":
        return ensemble("RandomForestClassifier", max_depth=4)()
    if name == "hist":
        return histogram("Classifier")()
    return build("linear_model", "LogisticRegression")()
