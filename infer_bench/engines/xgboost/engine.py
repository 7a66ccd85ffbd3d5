"""XGBoost: JSON and UBJSON models, and boosters or scikit-learn wrappers from a pickle.

A `DMatrix` is never kept: XGBoost caches predictions on it, so that a second call on the same one measures a look-up.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Option, as_columns
from infer_bench.engines.pickled import lacks_wrapper, open_pickle
from infer_bench.engines.session import (
    FedSession,
    errors_as,
    guard,
    read_threads,
    require,
    require_readable,
    to_canonical,
)
from infer_bench.engines.xgboost import booster as boosters
from infer_bench.errors import ModelError
from infer_bench.formats.xgboost.early_stopping import early_stopping, saved_by_wrapper, wrapper_kind
from infer_bench.formats.xgboost.json import Outline
from infer_bench.model import ModelRef, ModelSpec, Remark
from infer_bench.typing import Floats

Predict = Callable[[Any], Any]
_NATIVE = ("xgboost-json", "xgboost-ubj")


class XGBoost:
    """Runs `Booster.inplace_predict`, or the wrapper's `predict_proba` / `predict` with `api=sklearn`."""

    name = "xgboost"
    formats: frozenset[str] = frozenset({"xgboost-json", "xgboost-ubj", "pickle", "joblib"})
    requires: tuple[str, ...] = ("xgboost",)
    extra = "xgboost"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "api": Option("the booster, or the scikit-learn wrapper", "booster", ("booster", "sklearn")),
        "trees": Option(
            "after early stopping: the trees up to the best iteration, or all; auto is what the class does that saved "
            "the model or opens it (a booster all, a scikit-learn wrapper best)",
            "auto",
            ("auto", "best", "all"),
        ),
        "threads": Option("threads of one prediction", "1"),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Without DataFrames and wrappers, XGBoost needs neither pandas nor scikit-learn."""
        native = model.format in _NATIVE  # a pickle may hold a wrapper
        bare = native and options.get("api") != "sklearn" and options.get("feed") != "dataframe"
        return ("pandas", "sklearn", "matplotlib", "graphviz", "dask") if bare else ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "XGBoostSession":
        """Load the model. Raises `ModelError` for a broken file, `EngineError` for what XGBoost refuses."""
        library = require("xgboost", "xgboost")
        booster, wrapper = _load(library, model, options)
        booster.set_param({"nthread": read_threads(options)})
        with errors_as(ModelError, f"{model.name} cannot be read"):
            config = boosters.config(booster)
            features, categorical = boosters.features(booster, Path(model.path) if model.format in _NATIVE else None)
        feed = feeds.make_feed(feeds.make_schema(features, options, np.float32, categorical), options["feed"])
        means_best = wrapper is not None or (model.format in _NATIVE and saved_by_wrapper(booster.attributes()))
        with errors_as(ModelError, f"{model.name} cannot be read"):
            plan = _Plan(library, booster, wrapper, config, options, means_best)
        spec = replace(boosters.spec(config, features, wrapper), remarks=plan.remarks())
        return XGBoostSession(spec, feed, plan.predict(), booster, softmax=plan.margins)


class XGBoostSession(FedSession):
    """A loaded XGBoost model."""

    def __init__(self, spec: ModelSpec, feed: feeds.Feed, predict: Predict, booster: Any, *, softmax: bool) -> None:
        super().__init__(spec, feed, guard(predict, "XGBoost cannot predict"))
        self._booster = booster
        self._softmax = softmax

    def postprocess(self, outputs: Any) -> Floats:
        """The canonical output; of `multi:softmax`, whose output is a label, the softmax of its margins."""
        return _softmax(outputs) if self._softmax else to_canonical(outputs, self.spec)

    def domain(self) -> Domain:
        """The thresholds and category codes of all trees."""
        return boosters.domain(self._booster, self.spec.feature_names)

    def close(self) -> None:
        """Let go of the booster."""
        super().close()
        self._booster = None


def _softmax(margins: Any) -> Floats:
    array = as_columns(margins)
    powers: Floats = np.exp(array - array.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _load(library: Any, model: ModelRef, options: Mapping[str, str]) -> tuple[Any, Any]:
    """The booster, and the wrapper or None."""
    if model.format in _NATIVE:
        require_readable(model.path)
        with errors_as(ModelError, f"XGBoost cannot read {model.name}"):
            booster = library.Booster(model_file=model.path)
            return booster, _wrapper(library, booster, model.path) if options["api"] == "sklearn" else None
    content = open_pickle(model, options)
    if isinstance(content, library.Booster):
        if options["api"] == "sklearn":
            raise lacks_wrapper(model)
        return content, None
    if not isinstance(content, library.XGBModel):
        raise ModelError(
            f"{model.name} holds a {type(content).__name__} and no XGBoost model", "try the engine sklearn"
        )
    with errors_as(ModelError, f"{model.name} is not fitted"):
        return content.get_booster(), content


def _wrapper(library: Any, booster: Any, path: str) -> Any:
    """The wrapper that saved the model, or else the one that would have trained it, with the model loaded."""
    objective = boosters.config(booster).objective
    usual = "classifier" if objective.startswith(("binary:", "multi:")) else "regressor"
    kind = wrapper_kind(booster.attributes()) or ("ranker" if objective.startswith("rank:") else usual)
    wrapper = getattr(library, f"XGB{kind.capitalize()}")()
    wrapper.load_model(path)
    return wrapper


class _Plan:
    """Which of the library's calls serves a request."""

    def __init__(
        self,
        library: Any,
        booster: Any,
        wrapper: Any,
        config: Outline,
        options: Mapping[str, str],
        means_best: bool,
    ) -> None:
        self._library, self._booster, self._wrapper, self._config, self._options = (
            library,
            booster,
            wrapper,
            config,
            options,
        )
        self.margins = config.objective == "multi:softmax" and options["api"] == "booster"
        missing = getattr(wrapper, "missing", None)
        self._missing = float("nan") if missing is None else float(missing)
        self._stopping = None
        if config.booster != "gblinear":  # whose weights are those of the last iteration
            self._stopping = early_stopping(booster.attributes(), booster.num_boosted_rounds())
        self._uses_best = options["trees"] == "best" or (options["trees"] == "auto" and means_best)

    def remarks(self) -> tuple[Remark, ...]:
        """Which iterations are used after early stopping, where no option says it."""
        if self._stopping is None or self._options["trees"] != "auto":
            return ()
        other = "trees=all uses them all" if self._uses_best else "trees=best uses those up to the best"
        return (Remark("early-stopping", self._stopping.describe(best=self._uses_best), f"xgboost:{other}"),)

    def predict(self) -> Predict:
        """The call for these options."""
        if self._options["api"] == "sklearn":
            return self._with_wrapper()
        return self._with_matrix() if self._config.booster == "gblinear" else self._in_place()

    def _range(self) -> tuple[int, int]:
        """Iterations to use; (0, 0) means all."""
        return (0, self._stopping.used) if self._stopping is not None and self._uses_best else (0, 0)

    def _in_place(self) -> Predict:
        predict, kind = self._booster.inplace_predict, "margin" if self.margins else "value"
        span, missing = self._range(), self._missing
        return lambda rows: predict(rows, iteration_range=span, predict_type=kind, missing=missing)

    def _with_matrix(self) -> Predict:
        """`gblinear` cannot predict in place: a new DMatrix each call, as the library's wrapper does too."""
        library, booster, threads = self._library, self._booster, read_threads(self._options)
        names, types, span = booster.feature_names, booster.feature_types, self._range()

        def predict(rows: Any) -> Any:
            matrix = library.DMatrix(
                rows, missing=self._missing, nthread=threads, feature_names=names, feature_types=types
            )
            return booster.predict(matrix, iteration_range=span, output_margin=self.margins)

        return predict

    def _with_wrapper(self) -> Predict:
        wrapper = self._wrapper
        wrapper.set_params(n_jobs=read_threads(self._options))
        call = getattr(wrapper, "predict_proba", None) or wrapper.predict
        if self._options["trees"] == "auto":
            return call  # type: ignore[no-any-return]
        span = self._range() if self._options["trees"] == "best" else (0, self._booster.num_boosted_rounds())
        return lambda rows: call(rows, iteration_range=span)
