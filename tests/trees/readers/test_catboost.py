"""CatBoost models read into the tree form, against CatBoost's own answers."""
# mypy: disable-error-code="misc,no-untyped-call"

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.errors import ModelError, NotConvertible
from infer_bench.trees.ensemble import Ensemble, Link
from infer_bench.trees.readers.catboost import read_catboost, read_document
from infer_bench.typing import Array
from tests.converters.running import open_session

catboost = pytest.importorskip("catboost")

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4)).astype(np.float32)
X_GAPS = np.where(rng.random(X.shape) < 0.15, np.float32(np.nan), X)
SCORE = X[:, 0] * 3 + X[:, 1]
LABELS = np.array(["low", "mid", "high"])[np.digitize(SCORE, [-1, 1])]
COMMON: dict[str, Any] = {
    "iterations": 6,
    "depth": 3,
    "verbose": 0,
    "thread_count": 1,
    "random_seed": 0,
    "allow_writing_files": False,
}


def regressor(loss: str = "RMSE", **more: Any) -> Any:
    return catboost.CatBoostRegressor(loss_function=loss, **COMMON, **more).fit(X_GAPS, np.exp(SCORE / 4))


def classifier(labels: Any, loss: str | None = None, **more: Any) -> Any:
    return catboost.CatBoostClassifier(loss_function=loss, **COMMON, **more).fit(X_GAPS, labels)


LOSSES = ("RMSE", "MAE", "Poisson", "Tweedie:variance_power=1.5", "Quantile:alpha=0.3", "LogLinQuantile:alpha=0.5")
MODELS = {
    **{loss: lambda loss=loss: regressor(loss) for loss in LOSSES},
    "depthwise": lambda: regressor(grow_policy="Depthwise"),
    "lossguide": lambda: regressor(grow_policy="Lossguide"),
    "binary": lambda: classifier(SCORE > 0),
    "strings": lambda: classifier(np.where(SCORE > 0, "yes", "no")),
    "nan greatest": lambda: classifier((SCORE > 0).astype(int), nan_mode="Max"),
    "focal": lambda: classifier((SCORE > 0).astype(int), "Focal:focal_alpha=0.5;focal_gamma=1"),
    "multiclass": lambda: classifier(LABELS, "MultiClass"),
    "one against all": lambda: classifier(LABELS, "MultiClassOneVsAll", grow_policy="Lossguide"),
    "sum of models": lambda: catboost.sum_models([regressor(), regressor("MAE")], weights=[0.3, 0.7]),
    "two targets": lambda: catboost.CatBoostRegressor(loss_function="MultiRMSE", **COMMON).fit(X, X[:, :2] * 3),
}


def rows_of(ensemble: Ensemble) -> Any:
    """Ordinary, missing, infinite and zero rows, and rows on each border and one float32 beside it."""
    parts = [X_GAPS, np.full((1, 4), np.nan), np.full((1, 4), np.inf), np.full((1, 4), -np.inf), np.zeros((1, 4))]
    for feature in range(4):
        border = np.unique(ensemble.nodes.threshold[ensemble.nodes.feature == feature]).astype(np.float32)
        for values in (border, np.nextafter(border, np.float32(9)), np.nextafter(border, np.float32(-9))):
            near = X[: len(values)].copy()
            near[:, feature] = values
            parts.append(near)
    return np.vstack(parts).astype(np.float32)


def own_predictions(ensemble: Ensemble, path: Path, rows: Array) -> tuple[Array, Array | None]:
    """CatBoost's own: probabilities (rows, classes) and labels, or predictions (rows, outputs) and None."""
    model = catboost.CatBoost().load_model(str(path), format="cbm")
    if not ensemble.classes:
        kind = "Exponent" if Link("exp") in ensemble.links else "RawFormulaVal"
        return np.asarray(model.predict(rows, prediction_type=kind), dtype=np.float64).reshape(len(rows), -1), None
    pool = catboost.Pool(rows)
    probabilities = np.asarray(model.predict(pool, prediction_type="Probability"), dtype=np.float64)
    return probabilities, np.asarray(model.predict(pool, prediction_type="Class")).reshape(len(rows))


@pytest.mark.parametrize("precision", ["exact", "float32"])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_answers_as_catboost(name: str, precision: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.cbm"
    model = MODELS[name]()
    model.save_model(str(path))
    ensemble = read_catboost(path)
    rows = rows_of(ensemble)
    predictions = open_session(write_onnx(ensemble, precision=precision)).run(
        None, {"input": rows.astype(np.float64 if precision == "exact" else np.float32)}
    )
    tolerance = 1e-12 if precision == "exact" else 1e-6
    expected, labels = own_predictions(ensemble, path, rows)
    np.testing.assert_allclose(predictions[-1], expected, rtol=tolerance, atol=tolerance)
    own = model.predict_proba(rows) if ensemble.classes else np.asarray(model.predict(rows)).reshape(len(rows), -1)
    np.testing.assert_allclose(expected, own, rtol=1e-15)
    if labels is not None:
        assert [str(label) for label in predictions[0]] == [str(label) for label in labels]


def test_refuses_categories() -> None:
    table = [[str(i % 3), float(i)] for i in range(60)]
    model = catboost.CatBoostClassifier(cat_features=[0], **COMMON).fit(table, [i % 2 for i in range(60)])
    with pytest.raises(NotConvertible, match="categorical"):
        read_catboost(model)


def test_refuses_a_moved_threshold() -> None:
    model = classifier((SCORE > 0).astype(int))
    model.set_probability_threshold(0.3)
    with pytest.raises(NotConvertible, match="threshold"):
        read_catboost(model)


def test_refuses_a_loss_whose_meaning_is_not_known() -> None:
    with pytest.raises(NotConvertible, match="RMSEWithUncertainty"):
        read_catboost(regressor("RMSEWithUncertainty"))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a document's 'bias_terms'", ()),
        ("a features_info's 'hashed_features'", ("features_info",)),
        ("a feature's 'log_scale'", ("features_info", "float_features", 1)),
        ("a tree's 'linear_terms'", ("oblivious_trees", 0)),
        ("a split's 'is_inclusive'", ("oblivious_trees", 1, "splits", 0)),
        ("a node's 'gate'", ("trees", 0, "left")),
        ("nan_value_treatment=AsMean", ("features_info", "float_features", 0)),
    ],
)
def test_a_field_that_is_not_known_is_refused(name: str, path: tuple[Any, ...], tmp_path: Path) -> None:
    model = regressor(grow_policy="Lossguide" if "trees" in path else "SymmetricTree")
    model.save_model(str(tmp_path / "model.json"), format="json")
    document = json.loads((tmp_path / "model.json").read_text())
    read_document(document, model)
    entry = document
    for key in path:
        entry = entry[key]
    field, _, value = name.partition("=") if "=" in name else (name.split("'")[-2], "", [1])
    entry[field] = value
    with pytest.raises(NotConvertible, match=f"holds {name}"):
        read_document(document, model)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "broken.cbm"
    path.write_bytes(b"CBM1" + b"\0" * 40)
    with pytest.raises(ModelError, match=r"broken\.cbm"):
        read_catboost(path)
