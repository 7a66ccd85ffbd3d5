"""LightGBM: text models, and boosters or scikit-learn wrappers from a pickle."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import lightgbm_text
from infer_bench.engines.base import Domain, Option
from infer_bench.engines.feeds import ndarray as feeds
from infer_bench.engines.feeds.schema import schema
from infer_bench.engines.pickled import open_pickle
from infer_bench.engines.session import (
    FedSession,
    clean,
    guarded,
    output_names,
    plain_labels,
    readable,
    require,
    threads_of,
)
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import Feature, ModelRef, ModelSpec, Task

_RANKING = frozenset({"lambdarank", "rank_xendcg"})
_MULTICLASS = frozenset({"multiclass", "multiclassova"})
_REGRESSION = frozenset(
    {"regression", "regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"}
    | {"cross_entropy", "cross_entropy_lambda"}
)


class LightGBM:
    """Runs `Booster.predict`, or the wrapper's `predict_proba` / `predict` with `api=sklearn`."""

    name = "lightgbm"
    formats: frozenset[str] = frozenset({"lightgbm-text", "pickle", "joblib"})
    requires: tuple[str, ...] = ("lightgbm",)
    extra = "lightgbm"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "api": Option("the booster, or the scikit-learn wrapper of a pickle", "booster", ("booster", "sklearn")),
        "threads": Option("threads of one prediction", "1"),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Without DataFrames and wrappers, LightGBM needs neither pandas nor scikit-learn."""
        text = model.format == "lightgbm-text"  # a pickle may hold a wrapper, which needs scikit-learn
        bare = text and options.get("api") != "sklearn" and options.get("feed") != "dataframe"
        return ("pandas", "sklearn", "matplotlib", "graphviz", "dask", "pyarrow") if bare else ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "LightGBMSession":
        """Load the model. Raises `ModelError` for a broken file, `EngineError` for what LightGBM refuses."""
        booster, wrapper, text = _load(model, options)
        head = lightgbm_text.header(text)
        spec = _spec(booster, wrapper, head)
        encoded = [name for name, _ in _encoded(head)] if head.pandas_categories else []
        feed = feeds.make_feed(schema(spec.features, options, np.float64, encoded), options["feed"])
        return LightGBMSession(spec, feed, _predictor(booster, wrapper, options), booster)


class LightGBMSession(FedSession):
    """A loaded LightGBM model."""

    def __init__(self, spec: ModelSpec, feed: feeds.Feed, predict: Callable[[Any], Any], booster: Any) -> None:
        super().__init__(spec, feed, guarded(predict, "LightGBM cannot predict"))
        self._booster = booster

    def domain(self) -> Domain:
        """The thresholds and category codes of the trees that `predict` uses."""
        return lightgbm_text.domain(self._booster.model_to_string(), self.spec.feature_names)

    def close(self) -> None:
        """Let go of the booster."""
        super().close()
        self._booster = None


def _load(model: ModelRef, options: Mapping[str, str]) -> tuple[Any, Any, str]:
    """The booster, the wrapper (or None), and the model's text (of a pickle: with one tree only)."""
    if model.format == "lightgbm-text":
        if options["api"] == "sklearn":
            raise EngineError(f"{model.name} holds a booster and no scikit-learn wrapper", "use api=booster")
        text = _read(model.path)
        lightgbm_text.check_whole(text)
        library = require("lightgbm", "lightgbm")
        with clean(ModelError, f"LightGBM cannot read {model.name}"):
            return library.Booster(model_file=model.path), None, text
    library = require("lightgbm", "lightgbm")
    held = open_pickle(model, options)
    wrapper = None if isinstance(held, library.Booster) else held
    if wrapper is not None and not isinstance(wrapper, library.LGBMModel):
        raise ModelError(f"{model.name} holds a {type(held).__name__} and no LightGBM model", "try the engine sklearn")
    if wrapper is None and options["api"] == "sklearn":
        raise EngineError(f"{model.name} holds a booster and no scikit-learn wrapper", "use api=booster")
    with clean(ModelError, f"{model.name} is not fitted"):
        booster = held if wrapper is None else wrapper.booster_
        return booster, wrapper, booster.model_to_string(num_iteration=1)


def _read(path: str) -> str:
    readable(path)
    try:
        with open(path, encoding="utf-8", newline=None) as file:
            return file.read()
    except UnicodeDecodeError:
        raise ModelError(f"{path} is no LightGBM text model") from None


def _spec(booster: Any, wrapper: Any, head: lightgbm_text.Header) -> ModelSpec:
    task = _task(head)
    classes: tuple[Any, ...] = ()
    if task in ("binary", "multiclass"):
        held = getattr(wrapper, "classes_", None) if wrapper is not None else None
        classes = plain_labels(held) if held is not None else tuple(range(max(2, head.classes)))
    count = {"multiclass": head.classes, "raw": head.per_iteration}.get(task, 1)
    return ModelSpec(task, _features(head), output_names(count, classes), classes, booster.num_trees())


def _task(head: lightgbm_text.Header) -> Task:
    """Custom objectives (none in the file) and unknown ones give raw scores."""
    if head.objective == "binary":
        return "binary"
    if head.objective in _MULTICLASS:
        return "multiclass"
    if head.objective in _RANKING:
        return "ranking"
    return "regression" if head.objective in _REGRESSION else "raw"


def _features(head: lightgbm_text.Header) -> tuple[Feature, ...]:
    values = dict(_encoded(head)) if head.pandas_categories else {}
    sets = {head.features[i]: lightgbm_text.set_of(head.ranges[i]) for i in head.categorical if i < len(head.ranges)}
    return tuple(
        Feature(name, "category", values.get(name, sets.get(name, ())))
        if name in values or name in sets
        else Feature(name)
        for name in head.features
    )


def _encoded(head: lightgbm_text.Header) -> list[tuple[str, tuple[Any, ...]]]:
    """Each column that pandas encoded, with its categories. The file lists them without names, in column order."""
    if len(head.pandas_categories) != len(head.categorical):
        raise ModelError(
            f"the model was trained on {len(head.pandas_categories)} pandas categories and splits on "
            f"{len(head.categorical)}: which column has which categories is not in the file",
            "train with unordered pandas categories only",
        )
    return [(head.features[i], values) for i, values in zip(head.categorical, head.pandas_categories, strict=True)]


def _predictor(booster: Any, wrapper: Any, options: Mapping[str, str]) -> Callable[[Any], Any]:
    threads = threads_of(options)
    if options["api"] == "sklearn":
        wrapper.set_params(n_jobs=threads)
        return getattr(wrapper, "predict_proba", None) or wrapper.predict  # type: ignore[no-any-return]
    predict: Callable[..., Any] = booster.predict
    if os.environ.get("OMP_NUM_THREADS") == options["threads"]:
        return predict
    return lambda rows: predict(rows, num_threads=threads)
