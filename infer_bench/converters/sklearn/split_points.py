"""Where a scikit-learn model's columns are interesting: the values at which its predictions may change.

Thresholds behind scalers are mapped back to the columns that the user gives, so that rows can be put on them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infer_bench.converters.sklearn.encoders import is_missing
from infer_bench.engines.sklearn.parts import estimators_in
from infer_bench.engines.sklearn.text import is_vectorizer, make_examples
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_family, iterate_transformers


@dataclass(frozen=True, slots=True)
class Origin:
    """A column seen by a step: `slope` · (its value) + `offset` is the value of the model's own column `column`."""

    column: int
    slope: float = 1.0
    offset: float = 0.0


@dataclass(slots=True)
class Points:
    """What is known of each column: values where predictions change, known categories, centre and spread.

    `markers` holds what stands for a missing string (None or NaN), where a step looks for it. `near` says that far away
    the prediction hangs on the last bit (nearest neighbours, all equally far). `raw_texts` are read word by word.
    """

    numbers: dict[int, set[float]] = field(default_factory=dict)
    texts: dict[int, set[str]] = field(default_factory=dict)
    spread: dict[int, tuple[float, float]] = field(default_factory=dict)
    near: bool = False
    markers: dict[int, Any] = field(default_factory=dict)
    raw_texts: set[int] = field(default_factory=set)

    def add(self, origin: Origin | None, values: Iterable[Any]) -> None:
        """Note values of a column as a step sees it."""
        if origin is None:
            return
        for value in values:
            if isinstance(value, str):
                self.texts.setdefault(origin.column, set()).add(value)
            elif not is_missing(value) and np.isfinite(float(value)):
                mapped = float(value) * origin.slope + origin.offset
                self.numbers.setdefault(origin.column, set()).add(mapped)


Origins = Sequence[Origin | None]
_MANY: Origins = [None] * 4096
"""The origins of the columns of a step that cannot say how many it makes."""


def find_points(estimator: Any, width: int) -> Points:
    """The interesting values of each of the `width` columns of a fitted estimator."""
    points = Points()
    trace(points, estimator, [Origin(i) for i in range(width)])
    return points


def trace(points: Points, estimator: Any, origins: Origins) -> Origins:
    """Note what `estimator` finds interesting; returns the origins of the columns that it puts out."""
    name = get_class_name(estimator)
    if estimator is None or isinstance(estimator, str):
        return origins
    if name == "Pipeline":
        for _, step in estimator.steps:
            origins = trace(points, step, origins)
        return origins
    if name == "ColumnTransformer":
        return _trace_columns(points, estimator, origins)
    if name == "FeatureUnion":
        return _trace_union(points, estimator, origins)
    _note(points, estimator, origins)
    for inner, features in _find_members(estimator):
        trace(points, inner, origins if features is None else [origins[int(i)] for i in features])
    return _follow(estimator, origins)


def _trace_columns(points: Points, step: Any, origins: Origins) -> Origins:
    out: list[Origin | None] = []
    for name, inner, indices in iterate_transformers(step):
        if not (isinstance(inner, str) and inner == "drop"):
            inner_origins = _divide_by_weight(
                trace(points, inner, [origins[i] for i in indices]), step.transformer_weights, name
            )
            place = step.output_indices_[name]
            out += [*inner_origins, *_MANY][: place.stop - place.start]
    return out


def _trace_union(points: Points, step: Any, origins: Origins) -> Origins:
    out: list[Origin | None] = []
    for name, inner in step.transformer_list:
        if not (isinstance(inner, str) and inner == "drop"):
            out += _divide_by_weight(trace(points, inner, origins), step.transformer_weights, name)
    return out


def _divide_by_weight(origins: Origins, weights: Any, name: str) -> Origins:
    """The origins of a part's columns after they were multiplied by the part's weight."""
    weight = (weights or {}).get(name, 1.0)
    if weight == 1.0:
        return origins
    return [None if o is None or not weight else Origin(o.column, o.slope / weight, o.offset) for o in origins]


def _find_members(estimator: Any) -> list[tuple[Any, Any]]:
    """The estimators inside, each with the columns that it sees (None: all of them)."""
    inside: list[tuple[Any, Any]] = []
    for attribute in ("best_estimator_", "estimator_", "regressor_", "_preprocessor", "estimator"):
        inner = getattr(estimator, attribute, None)
        if hasattr(inner, "get_params") and (hasattr(inner, "n_features_in_") or hasattr(inner, "steps")):
            inside.append((inner, None))
    if get_class_name(estimator) == "CalibratedClassifierCV":
        inside += [(part.estimator, None) for part in estimator.calibrated_classifiers_]
    members = list(estimators_in(getattr(estimator, "estimators_", ())))
    features = getattr(estimator, "estimators_features_", [None] * len(members))
    return inside + [
        (inner, columns) for inner, columns in zip(members, features, strict=False) if hasattr(inner, "get_params")
    ]


def _note(points: Points, estimator: Any, origins: Origins) -> None:
    """Read the fitted attributes that say where predictions change."""
    name = get_class_name(estimator)
    if is_vectorizer(estimator):
        _note_words(points, estimator, origins)
    for attribute in ("categories_", "bin_edges_"):
        for origin, values in zip(origins, getattr(estimator, attribute, ()), strict=False):
            points.add(origin, np.asarray(values, dtype=object).ravel())
            _mark(points, origin, values)
    for origin, values in zip(origins, np.transpose(getattr(estimator, "quantiles_", ())), strict=False):
        points.add(origin, values)
    if name == "SimpleImputer":
        for origin, value in zip(origins, estimator.statistics_, strict=False):
            if isinstance(value, str):
                _mark(points, origin, [estimator.missing_values])
    for attribute in ("statistics_", "center_", "data_min_", "data_max_", "location_"):
        for origin, value in zip(origins, np.ravel(getattr(estimator, attribute, ())), strict=False):
            points.add(origin, [value])
    if get_family(estimator) == "xgboost":
        for origin in origins:
            points.add(origin, [0.0])  # which a sparse matrix does not store
    if name == "Binarizer":
        for origin in origins:
            points.add(origin, [estimator.threshold])
    if hasattr(estimator, "tree_"):
        _note_tree(points, estimator.tree_.feature, estimator.tree_.threshold, origins)
    for stage in getattr(estimator, "_predictors", ()):
        for predictor in stage:
            inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            if getattr(estimator, "_preprocessor", None) is None:
                _note_tree(points, inner["feature_idx"], inner["num_threshold"], origins)
            else:
                _note_tree(points, inner["feature_idx"], inner["num_threshold"], _find_code_origins(estimator, origins))
    if hasattr(estimator, "_fit_X") or hasattr(estimator, "cluster_centers_"):
        points.near = True
    _note_spreads(points, estimator, origins)


def _note_words(points: Points, vectorizer: Any, origins: Origins) -> None:
    texts = make_examples([vectorizer])
    for origin in origins:
        if origin is not None:
            points.add(origin, [*texts, *(text.title() for text in texts[::4]), *(text.upper() for text in texts[::4])])
            points.raw_texts.add(origin.column)


def _mark(points: Points, origin: Origin | None, values: Iterable[Any]) -> None:
    for value in values:
        if origin is not None and is_missing(value):
            points.markers.setdefault(origin.column, value)


def _find_code_origins(model: Any, origins: Origins) -> Origins:
    order: list[Origin | None] = []
    for name, _, indices in iterate_transformers(model._preprocessor):
        order += [origins[i] if name != "encoder" else None for i in indices]
    return order


def _note_tree(points: Points, feature: Any, threshold: Any, origins: Origins) -> None:
    for column in np.unique(feature[feature >= 0]):
        if int(column) < len(origins):
            points.add(origins[int(column)], np.unique(threshold[feature == column]))


def _note_spreads(points: Points, estimator: Any, origins: Origins) -> None:
    centre, scale = getattr(estimator, "mean_", None), getattr(estimator, "scale_", None)
    if centre is None or scale is None or np.size(centre) != len(origins):
        return
    for origin, middle, width in zip(origins, np.ravel(centre), np.ravel(scale), strict=False):
        if origin is not None:
            points.spread.setdefault(origin.column, (float(middle), float(width)))


def _follow(estimator: Any, origins: Origins) -> Origins:
    """Where the columns that a transformer puts out come from; None for those that no line maps back."""
    name, width = get_class_name(estimator), len(origins)
    if name == "FunctionTransformer" and estimator.func is None:
        return origins
    if hasattr(estimator, "get_support"):
        return [origins[int(i)] for i in np.flatnonzero(estimator.get_support())]
    if name == "SimpleImputer":
        sources = [o for o, v in zip(origins, estimator.statistics_, strict=False) if not is_missing(v)]
        return [*sources, *([None] * (len(estimator.indicator_.features_) if estimator.add_indicator else 0))]
    slope, offset = np.ones(width), np.zeros(width)
    if name in ("StandardScaler", "RobustScaler", "MaxAbsScaler"):
        centre = getattr(estimator, "mean_" if name == "StandardScaler" else "center_", None)
        scale = getattr(estimator, "scale_", None)
        slope = slope if scale is None else np.asarray(scale)
        offset = offset if centre is None else np.asarray(centre)
    elif name == "MinMaxScaler":
        slope = 1.0 / estimator.scale_
        offset = -estimator.min_ / estimator.scale_
    else:
        return _drop_origins(estimator)
    return [
        None if o is None else Origin(o.column, o.slope * float(s), o.slope * float(b) + o.offset)
        for o, s, b in zip(origins, slope, offset, strict=False)
    ]


def _drop_origins(estimator: Any) -> Origins:
    """None for each column that the transformer puts out; for very many where it cannot name them."""
    try:
        return [None] * len(estimator.get_feature_names_out())
    except Exception:  # noqa: BLE001 - a predictor, or a step without names
        return _MANY
