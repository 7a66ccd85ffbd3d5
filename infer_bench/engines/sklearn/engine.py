"""scikit-learn: estimators and pipelines from pickle, joblib and skops files."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Option, as_columns
from infer_bench.engines.feeds.schema import is_text
from infer_bench.engines.pickled import open_pickle, open_skops
from infer_bench.engines.session import FedSession, canonical, clean, guarded, require, threads_of
from infer_bench.engines.sklearn import estimator as sklearn_model
from infer_bench.engines.sklearn.estimator import Answer
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import Array, Floats


class ScikitLearn:
    """Runs `predict_proba` of a classifier that has it, else its `decision_function`, else `predict`."""

    name = "sklearn"
    formats: frozenset[str] = frozenset({"pickle", "joblib", "skops"})
    requires: tuple[str, ...] = ("sklearn",)
    extra = "sklearn"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "threads": Option("threads of one prediction: `n_jobs` of every part that has it", "1"),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing: a pickle may name any module."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "ScikitLearnSession":
        """Load the model. Raises `ModelError` for a broken file or something that cannot predict."""
        require("sklearn", "sklearn")
        estimator = open_skops(model, options) if model.format == "skops" else open_pickle(model, options)
        if not any(hasattr(estimator, method) for method in sklearn_model.METHODS):
            raise ModelError(f"{model.name} holds a {type(estimator).__name__}, which cannot predict")
        with clean(ModelError, f"{model.name} cannot be understood"):
            spec, answer = sklearn_model.describe(estimator)
        sklearn_model.set_threads(estimator, threads_of(options))
        if options["feed"] != "dataframe":
            _accept_arrays(estimator, spec, model.name)
        feed = feeds.make_feed(feeds.make_schema(spec.features, options), options["feed"])
        if options["feed"] == "dataframe" and not hasattr(estimator, "feature_names_in_"):
            feed = _unnamed(feed)
        return ScikitLearnSession(spec, feed, answer, estimator)


_LARGEST = frozenset(
    {"DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}
    | {"HistGradientBoostingClassifier", "LGBMClassifier"}
)
"""Estimators whose `predict` takes the first most likely class: asking them again would cost as much as the answers.

GradientBoostingClassifier gives a tie to the second of two classes, and LogisticRegression decides before it rounds.
"""


class ScikitLearnSession(FedSession):
    """A loaded estimator."""

    def __init__(self, spec: ModelSpec, feed: feeds.Feed, answer: Answer, estimator: Any) -> None:
        super().__init__(spec, feed, guarded(getattr(estimator, answer.method), "scikit-learn cannot predict"))
        self._answer = answer
        self._estimator = estimator

    def postprocess(self, outputs: Any) -> Floats:
        """The canonical output; several targets' probabilities side by side, bare labels as 0 and 1, nothing sparse."""
        if isinstance(outputs, list):
            return np.hstack([as_columns(part) for part in outputs])
        if hasattr(outputs, "toarray"):
            outputs = outputs.toarray()
        if self._answer.one_hot:
            return _one_hot(outputs, self.spec)
        return canonical(outputs, self.spec)

    def labels(self, predictions: Floats) -> Array | None:
        """The predicted labels, by the model's own threshold or sign where it has one."""
        if self._answer.threshold is None:
            return super().labels(predictions)
        chosen = (
            predictions[:, 0] >= self._answer.threshold if predictions.shape[1] == 1 else predictions.argmax(axis=1)
        )
        labels: Array = np.asarray(self.spec.classes, dtype=object)[np.asarray(chosen, dtype=np.intp)]
        return labels

    def own_labels(self, inputs: Any) -> Array | None:
        """What the estimator's own `predict` says, whose rule (votes, ties, a tuned threshold) may be any."""
        return np.asarray(self._estimator.predict(inputs)) if self.spec.classes else None

    def predictions_and_labels(self, inputs: Any) -> tuple[Floats, Array | None]:
        """The canonical output and the estimator's own labels (rows,), asked for only where they may be others."""
        predictions = self.postprocess(self.predict(inputs))
        labels = None if type(sklearn_model.last(self._estimator)).__name__ in _LARGEST else self.own_labels(inputs)
        return predictions, self.labels(predictions) if labels is None or labels.ndim != 1 else labels

    def in_float32(self, inputs: Any) -> Floats:
        """The canonical output when all steps before the last work in float32, as in an exported graph.

        Raises `EngineError` for an estimator that is no pipeline.
        """
        from infer_bench.engines.sklearn import float32_steps as sklearn_single

        rows = sklearn_single.prepared(self._estimator, inputs)
        final = self._estimator.steps[-1][1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the rows have no names
            return self.postprocess(getattr(final, self._answer.method)(rows))

    def prepared(self, inputs: Any) -> tuple[Floats, Floats]:
        """What the last step is handed (rows, columns): as ever, and when all before it work in float32.

        Raises `EngineError` for an estimator that is no pipeline.
        """
        from infer_bench.engines.sklearn import float32_steps as sklearn_single

        pipeline = self._estimator
        while hasattr(pipeline, "best_estimator_"):  # what a search has found answers in its place
            pipeline = pipeline.best_estimator_
        single = np.asarray(sklearn_single.prepared(pipeline, inputs), dtype=np.float64)
        made = pipeline[:-1].transform(inputs)
        return as_columns(made.toarray() if hasattr(made, "toarray") else made), single

    def domain(self) -> Domain:
        """The thresholds of the trees inside, on the scale of the inputs; empty where that cannot be told."""
        from infer_bench.engines.sklearn import split_points as sklearn_trees

        return sklearn_trees.domain(self._estimator, self.spec)

    def close(self) -> None:
        """Let go of the estimator."""
        super().close()
        self._estimator = None


def _accept_arrays(estimator: Any, spec: ModelSpec, name: str) -> None:
    texts = [feature.name for feature in spec.features if is_text(feature)]
    if texts:
        raise EngineError(f"{name} reads text in column {texts[0]!r}, which no float array holds", "use feed=dataframe")
    by_name = sklearn_model.selects_by_name(estimator)
    if by_name:
        raise EngineError(f"{name} selects its columns by name, which an array lacks", "use feed=dataframe")
    sklearn_model.forget_names(estimator)


def _unnamed(feed: Callable[[Any], Any]) -> feeds.Feed:
    """A model trained without names is served a DataFrame's values: with names it would warn at every call."""
    return lambda request: feed(request).to_numpy()


def _one_hot(outputs: Any, spec: ModelSpec) -> Floats:
    found = np.asarray(outputs).reshape(-1, 1) == np.asarray(spec.classes).reshape(1, -1)
    return canonical(found.astype(np.float64), spec)
