"""The committed sample models load, and predict their rows clearly better than chance."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "sample_models"


def rows(name: str) -> tuple[Any, Any]:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.read_parquet(FOLDER / name)
    return table.drop(columns="target"), table["target"].to_numpy()


def area_under_curve(target: npt.NDArray[Any], score: npt.NDArray[Any]) -> float:
    """The share of (positive, negative) pairs in the right order; ties count half."""
    positive, negative = score[target == 1][:, None], score[target == 0][None, :]
    return float(np.mean((positive > negative) + 0.5 * (positive == negative)))


def test_credit_lightgbm_ranks_defaults() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    features, target = rows("credit.parquet")
    booster = lightgbm.Booster(model_file=str(FOLDER / "credit.txt"))
    assert (booster.num_trees(), booster.num_feature()) == (300, 419)
    assert booster.feature_name() == list(features.columns)
    assert 0.7 < area_under_curve(target, booster.predict(features)) < 0.95


def test_credit_xgboost_ranks_defaults() -> None:
    xgboost = pytest.importorskip("xgboost")
    features, target = rows("credit.parquet")
    booster = xgboost.Booster({"nthread": 1}, model_file=str(FOLDER / "credit_xgboost.json"))
    assert booster.feature_names == list(features.columns)
    assert 0.7 < area_under_curve(target, booster.inplace_predict(features)) < 0.95


def test_house_forest_explains_prices() -> None:
    joblib = pytest.importorskip("joblib")
    pytest.importorskip("sklearn")
    features, target = rows("house.parquet")
    pipeline = joblib.load(FOLDER / "house_forest.joblib")
    assert list(pipeline.feature_names_in_) == list(features.columns)
    assert 0.8 < pipeline.score(features, target) < 1


def test_digits_are_read() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    features, target = rows("digits.parquet")
    booster = lightgbm.Booster(model_file=str(FOLDER / "digits.txt"))
    predictions = booster.predict(features)
    assert predictions.shape == (len(target), 10)
    assert np.mean(predictions.argmax(axis=1) == target) > 0.9


def test_tumour_has_string_labels_and_zipmap() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    features, target = rows("tumour.parquet")
    session = onnxruntime.InferenceSession(FOLDER / "tumour_zipmap.onnx", providers=["CPUExecutionProvider"])
    assert [node.name for node in session.get_inputs()] == list(features.columns)
    labels, maps = session.run(None, {name: features[[name]].to_numpy(np.float32) for name in features})
    assert set(maps[0]) == {"benign", "malignant"}
    assert np.mean(labels == target) > 0.9


def test_credit_rows_hold_what_makes_such_tables_hard() -> None:
    features, target = rows("credit.parquet")
    assert len(target) >= 1024
    assert {str(dtype) for dtype in features.dtypes} >= {"float32", "float64", "int8", "int64"}
    assert features.isna().to_numpy().any()
    timestamps = features["application_ts"].to_numpy()
    assert (timestamps.astype(np.float32).astype(np.int64) != timestamps).any()


def test_files_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir() if path.is_file()}
    assert max(sizes.values()) < 1_500_000
    assert sum(sizes.values()) < 5_000_000
