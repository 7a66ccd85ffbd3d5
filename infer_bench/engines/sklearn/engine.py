"""scikit-learn: estimators and pipelines from pickle, joblib and skops files."""

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Option, as_columns
from infer_bench.engines.feeds.schema import is_text
from infer_bench.engines.pickled import open_skops, open_versioned
from infer_bench.engines.session import Call, FedSession, errors_as, guard, read_threads, require, to_canonical
from infer_bench.engines.sklearn import parts
from infer_bench.engines.sklearn.continuous import is_continuous, nudge_weights
from infer_bench.engines.sklearn.estimator import METHODS, PredictMethod, describe
from infer_bench.engines.sklearn.openings import find_missing_texts
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import Array, Bools, Floats

_SCORES = "score_samples"
OUTPUTS = ("usual", _SCORES)


class ScikitLearn:
    """Runs `predict_proba` of a classifier that has it, else its `decision_function`, else `predict`."""

    name = "sklearn"
    formats: frozenset[str] = frozenset({"pickle", "joblib", "skops"})
    requires: tuple[str, ...] = ("sklearn",)
    extra = "sklearn"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "threads": Option("threads of one prediction: `n_jobs` of every part that has it", "1"),
        "output": Option("what is the answer: the usual, or the scores of outliers and densities", "usual", OUTPUTS),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing: a pickle may name any module."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "ScikitLearnSession":
        """Load the model. Raises `ModelError` for a broken file or something that cannot predict."""
        require("sklearn", "sklearn")
        skops = model.format == "skops"
        estimator, versions = (open_skops(model, options), "") if skops else open_versioned(model, options)
        if not any(hasattr(estimator, method) for method in METHODS):
            raise ModelError(f"{model.name} holds a {type(estimator).__name__}, which cannot predict")
        with errors_as(ModelError, f"{model.name} cannot be understood{versions}"):
            spec, method = describe(estimator)
        if options.get("output") == _SCORES:
            spec, method = _read_scores(estimator, spec, model)
        parts.set_threads(estimator, read_threads(options))
        return ScikitLearnSession(spec, _make_feed(estimator, spec, options, model.name), method, estimator, versions)


def _read_scores(estimator: Any, spec: ModelSpec, model: ModelRef) -> tuple[ModelSpec, PredictMethod]:
    """What `score_samples` gives: a number a row, of which no class is told. Raises `EngineError` without it."""
    if not hasattr(estimator, _SCORES):
        hint = "IsolationForest, OneClassSVM and densities have it"
        raise EngineError(f"{model.name} holds a {type(estimator).__name__}, which has no {_SCORES}", hint)
    return ModelSpec("raw", spec.features, ("score",), (), spec.trees), PredictMethod(_SCORES)


_LARGEST = frozenset(
    {"DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}
    | {"HistGradientBoostingClassifier", "LGBMClassifier"}
)
"""Estimators whose `predict` takes the first most likely class: asking them again would cost as much as the rest.

GradientBoostingClassifier gives a tie to the second of two classes, and LogisticRegression decides before it rounds.
"""


class ScikitLearnSession(FedSession):
    """A loaded estimator. `is_float64`: it computes in float64 itself, and continuously."""

    is_float64 = False

    def __init__(
        self, spec: ModelSpec, feed: feeds.Feed, method: PredictMethod, estimator: Any, versions: str = ""
    ) -> None:
        super().__init__(spec, feed, guard(getattr(estimator, method.name), f"scikit-learn cannot predict{versions}"))
        self._method = method
        self._estimator = estimator
        if is_continuous(estimator):
            self.is_float64 = True
            self.predict_in_float64 = lambda inputs: self.postprocess(self.predict(inputs))
            self.predict_nudged = self._predict_nudged

    @functools.cached_property
    def _nudged_method(self) -> Call:
        return guard(getattr(nudge_weights(self._estimator), self._method.name), "scikit-learn cannot predict")

    def _predict_nudged(self, inputs: Any) -> Floats:
        """The canonical output with every number, of the request and of the estimator, as far off as float32 may be."""
        return self.postprocess(self._nudged_method(inputs))

    def postprocess(self, outputs: Any) -> Floats:
        """The canonical output; several targets' probabilities side by side, bare labels as 0 and 1, nothing sparse."""
        if isinstance(outputs, list):
            return np.hstack([as_columns(part) for part in outputs])
        if hasattr(outputs, "toarray"):
            outputs = outputs.toarray()
        if self._method.one_hot:
            return _one_hot(outputs, self.spec)
        return to_canonical(outputs, self.spec)

    def labels(self, predictions: Floats) -> Array | None:
        """The predicted labels, by the model's own threshold or sign where it has one."""
        if self._method.threshold is None:
            return super().labels(predictions)
        places = (
            predictions[:, 0] >= self._method.threshold if predictions.shape[1] == 1 else predictions.argmax(axis=1)
        )
        labels: Array = np.asarray(self.spec.classes, dtype=object)[np.asarray(places, dtype=np.intp)]
        return labels

    def own_labels(self, inputs: Any) -> Array | None:
        """What the estimator's own `predict` says, whose rule (votes, ties, a tuned threshold) may be any."""
        return np.asarray(self._estimator.predict(inputs)) if self.spec.classes else None

    def predictions_and_labels(self, inputs: Any) -> tuple[Floats, Array | None]:
        """The canonical output and the estimator's own labels (rows,), asked for only where they may be others."""
        predictions = self.postprocess(self.predict(inputs))
        labels = None if type(parts.last(self._estimator)).__name__ in _LARGEST else self.own_labels(inputs)
        return predictions, self.labels(predictions) if labels is None or labels.ndim != 1 else labels

    def in_float32(self, inputs: Any) -> Floats:
        """The canonical output when all steps before the last work in float32, as in an exported graph.

        Raises `EngineError` for an estimator that is no pipeline.
        """
        from infer_bench.engines.sklearn import float32_steps

        rows: Any = float32_steps.prepared(self._estimator, inputs)
        final = self._estimator.steps[-1][1]
        if float32_steps.is_xgboost(final):
            rows = float32_steps.store_as(self._estimator[:-1].transform(inputs), rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the rows have no names
            return self.postprocess(getattr(final, self._method.name)(rows))

    def prepared(self, inputs: Any) -> tuple[Floats, Floats, Bools]:
        """What the last step is handed (rows, columns): as ever, when all before it work in float32, and which elements
        are missing to it because a sparse matrix does not store them.

        Raises `EngineError` for an estimator that is no pipeline.
        """
        from infer_bench.engines.sklearn import float32_steps

        pipeline = self._estimator
        while hasattr(pipeline, "best_estimator_"):  # what a search has found predicts in its place
            pipeline = pipeline.best_estimator_
        single = np.asarray(float32_steps.prepared(pipeline, inputs), dtype=np.float64)
        rows = pipeline[:-1].transform(inputs)
        unstored = float32_steps.find_unstored(rows, single.shape, pipeline.steps[-1][1])
        return as_columns(rows.toarray() if hasattr(rows, "toarray") else rows), single, unstored

    def domain(self) -> Domain:
        """The thresholds of the trees inside, on the scale of the inputs; empty where that cannot be told."""
        from infer_bench.engines.sklearn import split_points

        return split_points.domain(self._estimator, self.spec)

    def close(self) -> None:
        """Let go of the estimator."""
        super().close()
        self._estimator = None


def _make_feed(estimator: Any, spec: ModelSpec, options: Mapping[str, str], name: str) -> feeds.Feed:
    schema = feeds.make_schema(spec.features, options)
    schema = replace(schema, missing_texts=find_missing_texts(estimator, spec.feature_names))
    if not hasattr(estimator, "feature_names_in_") and [feature.kind for feature in spec.features] == ["string"]:
        return feeds.make_text_feed(schema, options["feed"])
    if options["feed"] != "dataframe":
        _accept_arrays(estimator, spec, name)
    feed = feeds.make_feed(schema, options["feed"])
    return _unnamed(feed) if options["feed"] == "dataframe" and not hasattr(estimator, "feature_names_in_") else feed


def _accept_arrays(estimator: Any, spec: ModelSpec, name: str) -> None:
    texts = [feature.name for feature in spec.features if is_text(feature)]
    if texts:
        raise EngineError(f"{name} reads text in column {texts[0]!r}, which no float array holds", "use feed=dataframe")
    by_name = parts.selects_by_name(estimator)
    if by_name:
        raise EngineError(f"{name} selects its columns by name, which an array lacks", "use feed=dataframe")
    parts.forget_names(estimator)


def _unnamed(feed: Callable[[Any], Any]) -> feeds.Feed:
    """A model trained without names is served a DataFrame's values: with names it would warn at every call."""
    return lambda request: feed(request).to_numpy()


def _one_hot(outputs: Any, spec: ModelSpec) -> Floats:
    one_hot = np.asarray(outputs).reshape(-1, 1) == np.asarray(spec.classes).reshape(1, -1)
    return to_canonical(one_hot.astype(np.float64), spec)
