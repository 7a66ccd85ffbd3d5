"""CatBoost: `.cbm` files of models on numbers, categories and texts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.data.draw import draw
from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Option, Request, make_features
from infer_bench.engines.catboost.unseen_categories import MOST_ROWS, known_values
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
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import Feature, Kind, ModelRef, ModelSpec, Task
from infer_bench.typing import Array, Floats

_RANKING = ("YetiRank", "PairLogit", "QueryRMSE", "QuerySoftMax", "QueryCrossEntropy", "StochasticRank", "LambdaMart")
_BINARY = frozenset({"Logloss", "CrossEntropy", "Focal"})
_MULTICLASS = frozenset({"MultiClass", "MultiClassOneVsAll"})
_PREDICTION_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("Poisson", "Tweedie"), "Exponent"),
    **dict.fromkeys(("MultiLogloss", "MultiCrossEntropy"), "Probability"),
    "RMSEWithUncertainty": "RMSEWithUncertainty",
}
"""What CatBoost's regressor and classifier give of a model without classes; of other losses that is the raw score."""
_CODES = range(-1, 31)
"""The categories that are looked for in a model, to draw rows of them."""


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
        """Load the model. Raises `ModelError` for a broken file, `EngineError` for features that are vectors."""
        threads = read_threads(options)
        require_readable(model.path)
        library = require("catboost", "catboost")
        with errors_as(ModelError, f"CatBoost cannot read {model.name}"):
            booster = library.CatBoost().load_model(model.path, format="cbm")
        _refuse_features(booster, model)
        with errors_as(ModelError, f"{model.name} does not say what it computes"):
            loss = _loss(booster)
            spec = _spec(booster, loss)
        feed = _make_feed(spec, options)
        return CatBoostSession(spec, feed, _predictor(booster, spec, loss, threads), booster)


class CatBoostSession(FedSession):
    """A loaded CatBoost model."""

    def __init__(self, spec: ModelSpec, feed: feeds.Feed, predict: Callable[[Any], Any], booster: Any) -> None:
        super().__init__(spec, feed, _explain_missing(guard(predict, "CatBoost cannot predict"), spec))
        self._booster = booster
        self._threshold = float(booster.get_metadata().get("binclass_probability_threshold") or 0.5)

    def labels(self, predictions: Floats) -> Array | None:
        """The predicted labels (rows,); of a binary model those beyond its own probability threshold."""
        if self.spec.task != "binary":
            return super().labels(predictions)
        above = (predictions[:, 0] > self._threshold).astype(np.intp)
        return np.asarray(np.asarray(self.spec.classes, dtype=object)[above])

    def unseen_columns(self, table: Request) -> list[str]:
        """The hashed columns of `table` of whose categories the model knows none, though it reads the column."""
        spec, rows = self.spec, self._as_objects(table)
        hashed = [i for i, feature in enumerate(spec.features) if feature.hashed]
        used = [i for i in hashed if self._booster.get_feature_importance()[i] > 0]
        distinct = {i: list(dict.fromkeys(rows[:MOST_ROWS, i].tolist())) for i in used}
        return [spec.features[i].name for i in used if not known_values(self.predict, rows, i, distinct[i])]

    def _as_objects(self, table: Request) -> Array:
        rows: Array = feeds.make_mixed_feed(feeds.make_schema(self.spec.features, {}), "ndarray", as_is(self.spec))(
            table
        )
        return rows

    def _known_codes(self) -> dict[str, tuple[float, ...]]:
        """Of each hashed column the small whole numbers that the model knows as categories."""
        hashed = [i for i, feature in enumerate(self.spec.features) if feature.hashed]
        if not hashed:
            return {}
        rows = self._as_objects(draw(self.spec, self._borders(), MOST_ROWS, 0).columns)
        pairs = ((self.spec.features[i].name, known_values(self.predict, rows, i, _CODES)) for i in hashed)
        return {name: tuple(map(float, codes)) for name, codes in pairs if codes}

    def domain(self) -> Domain:
        """The borders of each feature that has any, and small whole numbers that are known as categories."""
        return Domain({**self._borders(), **self._known_codes()})

    def _borders(self) -> dict[str, tuple[float, ...]]:
        borders = self._booster.get_borders()
        by_name = {name: sorted(set(map(float, borders.get(i, ())))) for i, name in enumerate(self.spec.feature_names)}
        return {name: tuple(b for b in values if np.isfinite(b)) for name, values in by_name.items() if values}

    def close(self) -> None:
        """Let go of the model."""
        super().close()
        self._booster = None


def _make_feed(spec: ModelSpec, options: Mapping[str, str]) -> feeds.Feed:
    schema = feeds.make_schema(spec.features, options, np.float32)
    names = as_is(spec)
    return feeds.make_mixed_feed(schema, options["feed"], names) if names else feeds.make_feed(schema, options["feed"])


def as_is(spec: ModelSpec) -> frozenset[str]:
    """The columns of categories and of texts, which CatBoost reads itself."""
    return frozenset(feature.name for feature in spec.features if feature.kind != "float")


def _explain_missing(predict: Callable[[Any], Any], spec: ModelSpec) -> Callable[[Any], Any]:
    """`predict`, whose errors name a column of categories or texts that lacks a value."""
    names = as_is(spec)
    if not names:
        return predict

    def explained(rows: Any) -> Any:
        try:
            return predict(rows)
        except EngineError:
            values = rows if isinstance(rows, np.ndarray) else rows.to_numpy(dtype=object)
            lacking = (name for i, name in enumerate(spec.feature_names) if name in names and _has_gap(values[:, i]))
            if (name := next(lacking, None)) is None:
                raise
        hint = "put in what the training had there, such as 'nan'"
        raise EngineError(f"CatBoost cannot predict: column {name!r} lacks a value, and a category must have one", hint)

    return explained


def _has_gap(column: Array) -> bool:
    return any(value is None or value != value for value in column.tolist())


def _refuse_features(booster: Any, model: ModelRef) -> None:
    if booster.get_embedding_feature_indices():
        raise EngineError(f"{model.name} has embedding features, which are not fed here", "give them as numbers")


def _loss(booster: Any) -> str:
    params = json.loads(booster.get_metadata().get("params") or "{}")
    return str(params.get("loss_function", {}).get("type", ""))


def _spec(booster: Any, loss: str) -> ModelSpec:
    features = _features(booster)
    task, width = _task(loss), _width(booster, features)
    classes = plain_labels(booster.classes_) if task in ("binary", "multiclass") else ()
    if task == "binary" and len(classes) != 2:
        task, classes = "raw", ()
    count = 1 if task == "binary" else width
    return ModelSpec(task, features, name_outputs(count, classes), classes, booster.tree_count_)


def _features(booster: Any) -> tuple[Feature, ...]:
    """The columns; CatBoost calls those without a name by their positions, and keeps categories as hashes alone."""
    names = [str(name) for name in booster.feature_names_]
    columns = make_features(len(names), () if names == [str(i) for i in range(len(names))] else names)
    kinds: dict[int, Kind] = dict.fromkeys(booster.get_cat_feature_indices(), "category")
    kinds |= dict.fromkeys(booster.get_text_feature_indices(), "string")
    return tuple(
        replace(column, kind=kinds.get(i, "float"), hashed=kinds.get(i) == "category")
        for i, column in enumerate(columns)
    )


def _width(booster: Any, features: tuple[Feature, ...]) -> int:
    """Columns of the raw output, told by one row of zeros and of texts."""
    row = [[0.0 if feature.kind == "float" else "0" for feature in features]]
    raw = booster.predict(row, prediction_type="RawFormulaVal")
    return int(np.asarray(raw).size)


def _task(loss: str) -> Task:
    if loss in _BINARY:
        return "binary"
    if loss in _MULTICLASS:
        return "multiclass"
    if loss.startswith(_RANKING):
        return "ranking"
    return "regression" if loss else "raw"


def _predictor(booster: Any, spec: ModelSpec, loss: str, threads: int) -> Callable[[Any], Any]:
    kind = "Probability" if spec.classes else _PREDICTION_TYPES.get(loss, "RawFormulaVal")
    width = len(spec.outputs)

    def predict(rows: Any) -> Any:
        # CatBoost makes the array that it is given read-only; the feed goes on writing to its own.
        view = rows.view() if isinstance(rows, np.ndarray) else rows
        output = booster.predict(view, prediction_type=kind, thread_count=threads)
        return output if width == 1 else np.reshape(output, (len(rows), -1))  # of one row it drops the axis

    return predict
