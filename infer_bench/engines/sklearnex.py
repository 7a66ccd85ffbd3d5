"""scikit-learn-intelex's model builders: XGBoost's files (and with `allow=unsafe` LightGBM's) in oneDAL."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Option
from infer_bench.engines.session import errors_as, read_threads, require
from infer_bench.engines.tree_files import read as files
from infer_bench.engines.tree_files.session import TreeFileSession
from infer_bench.engines.unsafe import ALLOW, require_allowed
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef

_PROBABILITIES = frozenset({"binary:logistic", "multi:softprob", "multi:softmax", "binary", "multiclass"})
_IDENTITY = frozenset(
    {"reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "rank:pairwise", "rank:ndcg", "rank:map"}
    | {"regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg"}
)
"""Objectives whose predictions are the sum of the leaves: of others the builder leaves the link function out."""


class Sklearnex:
    """Runs `predict_proba` or `predict` of what `daal4py.mb.convert_model` makes of a booster."""

    name = "sklearnex"
    formats = files.FORMATS
    requires: tuple[str, ...] = ("daal4py",)
    extra = "sklearnex"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "threads": Option("threads of one prediction", "1"),
        "allow": ALLOW,
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """daal4py imports scikit-learn itself."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> TreeFileSession:
        """Convert the model. Raises `EngineError` for what the builder computes otherwise, and says what that is."""
        threads = read_threads(options)
        builders = require("daal4py.mb", self.extra)
        require("daal4py", self.extra).daalinit(nthreads=threads)
        file = files.read_tree_file(model)
        files.refuse_foreign(file, model)
        refuse(file, model, options)
        booster = _load_lightgbm(model) if file.xgboost is None else _load_xgboost(model, file)
        with errors_as(ModelError, f"scikit-learn-intelex cannot convert {model.name}"):
            converted = builders.convert_model(booster)
        predict = _make_call(converted, gives_shares=file.objective in _PROBABILITIES)
        return TreeFileSession(file, options, predict, "scikit-learn-intelex cannot predict")


def refuse(file: files.TreeFile, model: ModelRef, options: Mapping[str, str]) -> None:
    """Raise `EngineError` for what the builder computes otherwise; `allow=unsafe` passes over its rounding alone."""
    if file.has_categories:
        raise EngineError(f"{model.name} splits on categories, which scikit-learn-intelex confuses with numbers")
    if file.xgboost is not None and file.xgboost.outline.targets > 1:
        raise EngineError(f"{model.name} has several targets, which scikit-learn-intelex does not read")
    if file.objective not in _PROBABILITIES | _IDENTITY:
        objective = file.objective or "a function of its own"
        raise EngineError(f"scikit-learn-intelex leaves out what {objective} does with the sum of the leaves")
    if _has_weights(file):
        raise EngineError("scikit-learn-intelex leaves out the weights of dart's trees")
    if file.lightgbm is not None:
        _refuse_link(file.lightgbm.header.options)
        reason = "scikit-learn-intelex rounds LightGBM's thresholds to float32"
        require_allowed(f"{reason}, so that rows near to a split go the other way", options)


def _has_weights(file: files.TreeFile) -> bool:
    """Whether some trees count more than others; from XGBoost 3.3 on such a file calls itself a gbtree."""
    if file.xgboost is None:
        return False
    weight = None if file.xgboost.trees is None else file.xgboost.trees.weight
    return file.xgboost.outline.booster == "dart" or (weight is not None and bool((weight != 1).any()))


def _refuse_link(options: Mapping[str, str]) -> None:
    """Raise `EngineError` for what LightGBM does with the sum of the leaves by an option of the objective."""
    if float(options.get("sigmoid", 1)) != 1:
        raise EngineError(f"scikit-learn-intelex leaves out LightGBM's sigmoid={options['sigmoid']}")
    if "sqrt" in options:
        raise EngineError("scikit-learn-intelex leaves out that LightGBM squares the sum of the leaves (reg_sqrt)")


def _load_lightgbm(model: ModelRef) -> Any:
    library = require("lightgbm", "lightgbm")
    with errors_as(ModelError, f"{model.name} cannot be read"):
        return library.Booster(model_file=model.path)


def _load_xgboost(model: ModelRef, file: files.TreeFile) -> Any:
    """The booster without its best iteration, up to which the builder reads. Refuses forests of several classes."""
    library = require("xgboost", "xgboost")
    with errors_as(ModelError, f"{model.name} cannot be read"):
        booster = library.Booster(model_file=model.path)
        booster.set_attr(best_iteration=None, best_score=None)
        rounds = booster.num_boosted_rounds()
    classes = 0 if file.xgboost is None else file.xgboost.outline.classes
    if classes > 1 and (file.spec.trees or 0) > rounds * classes:
        raise EngineError(f"{model.name} is a forest of several classes, which scikit-learn-intelex computes otherwise")
    return booster


def _make_call(converted: Any, *, gives_shares: bool) -> Callable[[Any], Any]:
    predict = converted.predict_proba if gives_shares else converted.predict
    return lambda rows: np.asarray(predict(rows)).reshape(len(rows), -1)
