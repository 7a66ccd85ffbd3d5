"""LightGBM: text models, and boosters or scikit-learn wrappers from a pickle."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Option
from infer_bench.engines.pickled import lacks_wrapper, open_pickle
from infer_bench.engines.session import (
    FedSession,
    errors_as,
    guard,
    name_outputs,
    plain_labels,
    read_threads,
    require,
    require_readable,
)
from infer_bench.errors import ModelError
from infer_bench.formats.lightgbm.text import Header, read_header, read_lightgbm_text
from infer_bench.formats.lightgbm.trees import MISSING_NAN, MISSING_ZERO
from infer_bench.model import Feature, ModelRef, ModelSpec, Task

_RANKING = frozenset({"lambdarank", "rank_xendcg"})
_MULTICLASS = frozenset({"multiclass", "multiclassova"})
_REGRESSION = frozenset(
    {"regression", "regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"}
    | {"cross_entropy", "cross_entropy_lambda"}
)
_ALL = {"num_iteration": -1}


class LightGBM:
    """Runs `Booster.predict`, or the wrapper's `predict_proba` / `predict` with `api=sklearn`."""

    name = "lightgbm"
    formats: frozenset[str] = frozenset({"lightgbm-text", "pickle", "joblib"})
    requires: tuple[str, ...] = ("lightgbm",)
    extra = "lightgbm"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "api": Option("the booster, or the scikit-learn wrapper of a pickle", "booster", ("booster", "sklearn")),
        "trees": Option(
            "after early stopping, where a pickle holds trees beyond the best iteration: best, as LightGBM itself does "
            "(auto), or all",
            "auto",
            ("auto", "best", "all"),
        ),
        "threads": Option("threads of one prediction", "1"),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Without DataFrames and wrappers, LightGBM needs neither pandas nor scikit-learn."""
        text = model.format == "lightgbm-text"  # a pickle may hold a wrapper, which needs scikit-learn
        bare = text and options.get("api") != "sklearn" and options.get("feed") != "dataframe"
        return ("pandas", "sklearn", "matplotlib", "graphviz", "dask", "pyarrow") if bare else ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "LightGBMSession":
        """Load the model. Raises `ModelError` for a broken file, `EngineError` for what LightGBM refuses."""
        booster, wrapper, header = _load(model, options)
        spec = describe_model(header, booster.num_trees(), getattr(wrapper, "classes_", None))
        categorical = [header.features[i] for i in header.pandas_columns()]
        feed = feeds.make_feed(feeds.make_schema(spec.features, options, np.float64, categorical), options["feed"])
        return LightGBMSession(spec, feed, _predictor(booster, wrapper, options), booster)


class LightGBMSession(FedSession):
    """A loaded LightGBM model."""

    def __init__(self, spec: ModelSpec, feed: feeds.Feed, predict: Callable[[Any], Any], booster: Any) -> None:
        super().__init__(spec, feed, guard(predict, "LightGBM cannot predict"))
        self._booster = booster

    def domain(self) -> Domain:
        """The thresholds and category codes of the trees that `predict` uses."""
        trees = read_lightgbm_text(self._booster.model_to_string().encode(), "the booster").trees
        columns = self.spec.feature_names
        missing = np.unique(trees.split_feature[trees.decision_type & (MISSING_ZERO | MISSING_NAN) != 0])
        thresholds = {columns[i]: values for i, values in trees.thresholds().items()}
        return Domain(thresholds, frozenset(columns[i] for i in missing.tolist()))

    def close(self) -> None:
        """Let go of the booster."""
        super().close()
        self._booster = None


def _load(model: ModelRef, options: Mapping[str, str]) -> tuple[Any, Any, Header]:
    """The booster, the wrapper (or None), and what the model's text says of itself."""
    if model.format == "lightgbm-text":
        if options["api"] == "sklearn":
            raise lacks_wrapper(model)
        require_readable(model.path)
        header = read_header(Path(model.path).read_bytes(), model.name)
        library = require("lightgbm", "lightgbm")
        with errors_as(ModelError, f"LightGBM cannot read {model.name}"):
            return library.Booster(model_file=model.path), None, header
    library = require("lightgbm", "lightgbm")
    content = open_pickle(model, options)
    wrapper = None if isinstance(content, library.Booster) else content
    if wrapper is not None and not isinstance(wrapper, library.LGBMModel):
        raise ModelError(
            f"{model.name} holds a {type(content).__name__} and no LightGBM model", "try the engine sklearn"
        )
    if wrapper is None and options["api"] == "sklearn":
        raise lacks_wrapper(model)
    with errors_as(ModelError, f"{model.name} is not fitted"):
        booster = content if wrapper is None else wrapper.booster_
        return booster, wrapper, read_header(booster.model_to_string(num_iteration=1).encode(), model.name)


def describe_model(header: Header, trees: int, class_labels: Any = None) -> ModelSpec:
    """What a model of so many trees computes; a file holds no class labels, so without any they are 0, 1, …"""
    task = _task(header)
    classes: tuple[Any, ...] = ()
    if task in ("binary", "multiclass"):
        classes = plain_labels(class_labels) if class_labels is not None else tuple(range(max(2, header.classes)))
    count = {"multiclass": header.classes, "raw": header.per_iteration}.get(task, 1)
    return ModelSpec(task, _features(header), name_outputs(count, classes), classes, trees)


def _task(header: Header) -> Task:
    """Custom objectives (none in the file) and unknown ones give raw scores."""
    if header.objective == "binary":
        return "binary"
    if header.objective in _MULTICLASS:
        return "multiclass"
    if header.objective in _RANKING:
        return "ranking"
    return "regression" if header.objective in _REGRESSION else "raw"


def _features(header: Header) -> tuple[Feature, ...]:
    values, invented = header.pandas_columns(), header.unnamed
    return tuple(
        Feature(name, "category", values.get(i, header.observed_categories(i)), invented)
        if i in header.categorical
        else Feature(name, invented=invented)
        for i, name in enumerate(header.features)
    )


def _predictor(booster: Any, wrapper: Any, options: Mapping[str, str]) -> Callable[[Any], Any]:
    threads, settings = read_threads(options), _ALL if options["trees"] == "all" else {}
    if options["api"] == "sklearn":
        wrapper.set_params(n_jobs=threads)
        call: Callable[..., Any] = getattr(wrapper, "predict_proba", None) or wrapper.predict
        return partial(call, **settings) if settings else call
    predict: Callable[..., Any] = booster.predict
    if os.environ.get("OMP_NUM_THREADS") != options["threads"]:
        settings = {**settings, "num_threads": threads}
    return partial(predict, **settings) if settings else predict
