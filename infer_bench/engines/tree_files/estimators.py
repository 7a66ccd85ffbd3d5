"""scikit-learn's forests, as Treelite reads them: which it computes as scikit-learn does, and on what rows."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain
from infer_bench.engines.pickled import open_pickle, open_skops
from infer_bench.engines.session import FedSession, errors_as, guard, require
from infer_bench.engines.sklearn.estimator import PredictMethod, describe
from infer_bench.engines.tree_files.session import encode_frames
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import Array, Floats

FORMATS = frozenset({"pickle", "joblib", "skops"})
_FORESTS = ("RandomForest", "ExtraTrees", "GradientBoosting", "HistGradientBoosting")
_READABLE = frozenset({*(f"{name}{kind}" for name in _FORESTS for kind in ("Regressor", "Classifier"))})
_OUTLIERS = "IsolationForest"


class EstimatorSession(FedSession):
    """A forest; `predict` takes rows (rows, features) in the precision in which scikit-learn compares them.

    `what` begins its errors.
    """

    def __init__(self, estimator: Any, options: Mapping[str, str], predict: Callable[[Any], Any], what: str) -> None:
        self._estimator, (spec, self._method) = estimator, _describe(estimator)
        schema = feeds.make_schema(spec.features, options, compared_dtype(estimator))
        feed = feeds.make_feed(schema, options["feed"])
        if options["feed"] == "dataframe":
            feed = encode_frames(feed, (), schema.dtype)
        super().__init__(spec, feed, guard(predict, what))

    def labels(self, predictions: Floats) -> Array | None:
        """The predicted labels (rows,); of outliers by the sign."""
        if self._method.threshold is None:
            return super().labels(predictions)
        above = (predictions[:, 0] >= self._method.threshold).astype(np.intp)
        return np.asarray(np.asarray(self.spec.classes, dtype=object)[above])

    def domain(self) -> Domain:
        """The thresholds of the trees."""
        from infer_bench.engines.sklearn import split_points

        return split_points.domain(self._estimator, self.spec)


def load_estimator(model: ModelRef, options: Mapping[str, str]) -> Any:
    """The forest in a pickle or skops file. Raises `UnsafePickle`, `ModelError`, or `EngineError` for another."""
    require("sklearn", "sklearn")
    estimator = open_skops(model, options) if model.format == "skops" else open_pickle(model, options)
    refuse_estimator(estimator, model.name)
    return estimator


def import_estimator(library: Any, estimator: Any, model: ModelRef) -> Any:
    """The forest as Treelite, the `library`, has it."""
    with errors_as(ModelError, f"Treelite cannot read {model.name}"):
        return library.sklearn.import_model(_with_true_count(estimator))


def as_decision(estimator: Any, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`call`; of outliers what `decision_function` gives, where Treelite gives the score with the other sign."""
    if type(estimator).__name__ != _OUTLIERS:
        return call
    offset = float(estimator.offset_)
    return lambda rows: -call(rows) - offset


def _describe(estimator: Any) -> tuple[ModelSpec, PredictMethod]:
    with errors_as(ModelError, "the estimator cannot be understood"):
        return describe(estimator)


def compared_dtype(estimator: Any) -> Any:
    """What scikit-learn casts rows to before it compares them: a number beside a threshold may cross it by that."""
    return np.float64 if type(estimator).__name__.startswith("Hist") else np.float32


def refuse_estimator(estimator: Any, model: str) -> None:
    """Raise `EngineError` for what Treelite does not read, and for what it computes otherwise."""
    name = type(estimator).__name__
    if name not in (*_READABLE, _OUTLIERS) or not type(estimator).__module__.startswith("sklearn."):
        hint = "it reads RandomForest, ExtraTrees, GradientBoosting, HistGradientBoosting and IsolationForest alone"
        raise EngineError(f"{model} holds a {name}, which Treelite does not read", hint)
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list):
        raise EngineError(f"{model} has several targets of classes, which Treelite gives in another form")
    if classes is not None and len(classes) < 2:
        raise EngineError(f"{model} knows one class alone, of which Treelite computes nothing")
    if getattr(estimator, "is_categorical_", None) is not None:
        raise EngineError(f"{model} splits on categories, of which Treelite confuses negative and fractional ones")
    if name == "GradientBoostingClassifier" and estimator.loss == "exponential":
        raise EngineError(f"{model} was trained with the exponential loss, whose link Treelite takes for the usual one")
    if name.startswith("GradientBoosting") and not _starts_constant(estimator):
        raise EngineError(f"{model} starts from the predictions of another estimator, which Treelite does not read")
    if name == _OUTLIERS and estimator.max_samples_ < 2:
        raise EngineError(f"{model} was trained on one row a tree, for which Treelite divides by zero")


def _starts_constant(estimator: Any) -> bool:
    initial = estimator.init_
    return isinstance(initial, str) or type(initial).__name__ in ("DummyRegressor", "DummyClassifier")


def _with_true_count(estimator: Any) -> Any:
    """The estimator with as many trees as it has: after an early stop Treelite reads beyond them otherwise."""
    members = getattr(estimator, "estimators_", None)
    if members is None or estimator.n_estimators == len(members):
        return estimator
    counted = copy.copy(estimator)
    counted.n_estimators = len(members)
    return counted
