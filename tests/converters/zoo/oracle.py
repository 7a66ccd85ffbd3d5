"""What a library predicts: values (rows, outputs), labels or None, and which rows it refuses."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Truth:
    """`values` (rows, outputs), or None for bare labels; `labels` (rows,) or None; `refusals` (rows,)."""

    values: Any
    labels: Any
    refusals: Any


def ask(model: Any, rows: Any) -> Truth:
    """The model's own predictions, row by row where it refuses them all together."""
    try:
        values, labels = _predict(model, rows)
        return Truth(values, labels, np.zeros(len(rows), bool))
    except Exception:  # noqa: BLE001 - whatever a library raises on strange rows
        if len(rows) == 1:
            return Truth(None, None, np.ones(1, bool))
    single_rows = [rows.iloc[[i]] if hasattr(rows, "iloc") else rows[i : i + 1] for i in range(len(rows))]
    return _stack([ask(model, row) for row in single_rows])


def _stack(parts: list[Truth]) -> Truth:
    refusals = np.array([part.refusals[0] for part in parts])
    good = [part for part in parts if not part.refusals[0]]
    if not good:
        return Truth(None, None, refusals)
    return Truth(
        None if good[0].values is None else np.concatenate([part.values for part in good]),
        None if good[0].labels is None else np.concatenate([part.labels for part in good]),
        refusals,
    )


def _predict(model: Any, rows: Any) -> tuple[Any, Any]:
    module = type(model).__module__
    if module == "lightgbm.basic":
        return _lightgbm(model, rows)
    if module == "xgboost.core":
        return _xgboost(model, rows)
    if module == "catboost.core":
        return _catboost(model, rows)
    return _estimator(model, rows)


def _catboost(model: Any, rows: Any) -> tuple[Any, Any]:
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(rows), float), np.asarray(model.predict(rows)).reshape(-1)
    return np.asarray(model.predict(rows), float).reshape(len(rows), -1), None


def _estimator(model: Any, rows: Any) -> tuple[Any, Any]:
    from sklearn.base import is_outlier_detector

    if not hasattr(model, "predict"):
        out = model.transform(rows)
        return np.asarray(out.toarray() if hasattr(out, "toarray") else out, float).reshape(len(rows), -1), None
    labels: Any = np.asarray(model.predict(rows))
    if labels.ndim > 1 and hasattr(model, "classes_"):
        labels = None
    for method in ("predict_proba", "decision_function"):
        if (hasattr(model, "classes_") or is_outlier_detector(model)) and hasattr(model, method):
            return np.asarray(getattr(model, method)(rows), float).reshape(len(rows), -1), labels
    if hasattr(model, "classes_") or hasattr(model, "cluster_centers_"):
        return None, labels
    return labels.astype(float).reshape(len(rows), -1), None


def _lightgbm(booster: Any, rows: Any) -> tuple[Any, Any]:
    values = booster.predict(rows, num_threads=1).reshape(len(rows), -1)
    objective = booster.dump_model(num_iteration=1).get("objective", "").partition(" ")[0]
    if objective == "binary":
        return np.hstack([1 - values, values]), (values[:, 0] > 0.5).astype(int)
    if objective in ("multiclass", "multiclassova"):
        return values, values.argmax(axis=1)
    return values, None


def _xgboost(booster: Any, rows: Any) -> tuple[Any, Any]:
    import json

    import xgboost

    name = json.loads(booster.save_config())["learner"]["objective"]["name"]
    frame = hasattr(rows, "columns")
    table = rows if frame else np.asarray(rows, dtype=np.float32)

    def predict(margin: bool) -> Any:
        if "gblinear" not in booster.save_config() and not frame:
            return booster.inplace_predict(table, predict_type="margin" if margin else "value")
        matrix = xgboost.DMatrix(table, nthread=1, enable_categorical=True, feature_names=booster.feature_names)
        return booster.predict(matrix, output_margin=margin)

    if name == "multi:softmax":
        margins = predict(True).astype(float)
        shares = np.exp(margins - margins.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True), predict(False).astype(int)
    values = np.asarray(predict(False), float).reshape(len(rows), -1)
    if name in ("binary:logistic", "binary:hinge") and values.shape[1] == 1:
        return np.hstack([1 - values, values]), (values[:, 0] > 0.5).astype(int)
    return values, values.argmax(axis=1) if name == "multi:softprob" else None
