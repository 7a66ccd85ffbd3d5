"""CatBoost: `.cbm` files of models on numeric features."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Option, name_features
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
from infer_bench.typing import Array, Floats

_RANKING = ("YetiRank", "PairLogit", "QueryRMSE", "QuerySoftMax", "QueryCrossEntropy", "StochasticRank", "LambdaMart")
_BINARY = frozenset({"Logloss", "CrossEntropy", "Focal"})
_MULTICLASS = frozenset({"MultiClass", "MultiClassOneVsAll"})
_EXPONENT = frozenset({"Poisson", "Tweedie"})


class CatBoost:
    """Runs `CatBoost.predict` with the prediction type that belongs to the loss."""

    name = "catboost"
    formats: frozenset[str] = frozenset({"catboost-cbm"})
    requires: tuple[str, ...] = ("catboost",)
    extra = "catboost"
    options: Mapping[str, Option] = {**feeds.OPTIONS, "threads": Option("threads of one prediction", "1")}

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """CatBoost imports pandas itself."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "CatBoostSession":
        """Load the model. Raises `ModelError` for a broken file, `EngineError` for features that are no numbers."""
        threads = threads_of(options)
        readable(model.path)
        library = require("catboost", "catboost")
        with clean(ModelError, f"CatBoost cannot read {model.name}"):
            held = library.CatBoost().load_model(model.path, format="cbm")
        _refuse_features(held, model)
        with clean(ModelError, f"{model.name} does not say what it computes"):
            loss = _loss(held)
            spec = _spec(held, loss)
        feed = feeds.make_feed(feeds.make_schema(spec.features, options, np.float32), options["feed"])
        return CatBoostSession(spec, feed, _predictor(held, spec, loss, threads), held)


class CatBoostSession(FedSession):
    """A loaded CatBoost model."""

    def __init__(self, spec: ModelSpec, feed: feeds.Feed, predict: Callable[[Any], Any], held: Any) -> None:
        super().__init__(spec, feed, guarded(predict, "CatBoost cannot predict"))
        self._held = held
        self._threshold = float(held.get_metadata().get("binclass_probability_threshold") or 0.5)

    def labels(self, predictions: Floats) -> Array | None:
        """The predicted labels (rows,); of a binary model those beyond its own probability threshold."""
        if self.spec.task != "binary":
            return super().labels(predictions)
        above = (predictions[:, 0] > self._threshold).astype(np.intp)
        return np.asarray(np.asarray(self.spec.classes, dtype=object)[above])

    def domain(self) -> Domain:
        """The borders of each feature that has any."""
        borders = self._held.get_borders()
        found = {name: sorted({float(b) for b in borders.get(i, ())}) for i, name in enumerate(self.spec.feature_names)}
        return Domain({name: tuple(b for b in values if np.isfinite(b)) for name, values in found.items() if values})

    def close(self) -> None:
        """Let go of the model."""
        super().close()
        self._held = None


def _refuse_features(held: Any, model: ModelRef) -> None:
    kinds = {"categorical": "cat", "text": "text", "embedding": "embedding"}
    for kind, short in kinds.items():
        if getattr(held, f"get_{short}_feature_indices")():
            raise EngineError(f"{model.name} has {kind} features, which are not fed here", "encode them as numbers")


def _loss(held: Any) -> str:
    params = json.loads(held.get_metadata().get("params") or "{}")
    return str(params.get("loss_function", {}).get("type", ""))


def _spec(held: Any, loss: str) -> ModelSpec:
    task, width = _task(loss), _width(held)
    classes = plain_labels(held.classes_) if task in ("binary", "multiclass") else ()
    if task == "binary" and len(classes) != 2:
        task, classes = "raw", ()
    count = 1 if task == "binary" else width
    features = tuple(Feature(name) for name in _names(held))
    return ModelSpec(task, features, output_names(count, classes), classes, held.tree_count_)


def _names(held: Any) -> tuple[str, ...]:
    """The features' names; CatBoost calls those without one by their positions."""
    given = [str(name) for name in held.feature_names_]
    return name_features(len(given), () if given == [str(i) for i in range(len(given))] else given)


def _width(held: Any) -> int:
    """Columns of the raw answer, told by one row of zeros."""
    raw = held.predict(np.zeros((1, len(held.feature_names_)), np.float32), prediction_type="RawFormulaVal")
    return int(np.asarray(raw).size)


def _task(loss: str) -> Task:
    if loss in _BINARY:
        return "binary"
    if loss in _MULTICLASS:
        return "multiclass"
    if loss.startswith(_RANKING):
        return "ranking"
    return "regression" if loss else "raw"


def _predictor(held: Any, spec: ModelSpec, loss: str, threads: int) -> Callable[[Any], Any]:
    kind = "Probability" if spec.classes else "Exponent" if loss in _EXPONENT else "RawFormulaVal"
    width = len(spec.outputs)

    def predict(rows: Any) -> Any:
        # CatBoost makes the array that it is given read-only; the feed goes on writing to its own.
        given = rows.view() if isinstance(rows, np.ndarray) else rows
        answer = held.predict(given, prediction_type=kind, thread_count=threads)
        return answer if width == 1 else np.reshape(answer, (len(rows), -1))  # of one row it drops the axis

    return predict
