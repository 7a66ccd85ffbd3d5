"""Rows of narrow dtypes, in which scikit-learn computes itself: rounding is no difference, another answer is one."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from infer_bench import convert

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(400, 5)).astype(np.float32)
CLASSES = (ROWS[:, 0] > 0).astype(int)


def save(folder: Path, model: Any, rows: Any) -> tuple[str, str]:
    joblib.dump(model, folder / "m.joblib")
    names = None if isinstance(rows, pd.DataFrame) else [f"c{i}" for i in range(rows.shape[1])]
    pd.DataFrame(rows, columns=names).to_parquet(folder / "rows.parquet")
    return str(folder / "m.joblib"), str(folder / "rows.parquet")


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression().fit(ROWS, CLASSES),
        Ridge().fit(ROWS.astype(np.float64), 100 * ROWS[:, 1]),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, CLASSES),
        make_pipeline(StandardScaler(), MLPClassifier((8,), random_state=0, early_stopping=True)).fit(ROWS, CLASSES),
    ],
    ids=["logistic", "ridge", "scaled", "network"],
)
def test_what_the_library_rounds_is_said_and_does_not_refuse(model: Any, tmp_path: Path) -> None:
    path, rows = save(tmp_path, model, ROWS)
    report = convert(path, str(tmp_path / "m.onnx"), data=rows)
    assert report.results[0].failed is None
    assert report.results[0].groups[0].max_relative_delta < 1e-12
    assert any("on float32 rows the original itself rounds" in notice.message for notice in report.notices)
    exact = ROWS.astype(np.float64)
    pd.DataFrame(exact, columns=[f"c{i}" for i in range(5)]).to_parquet(rows)
    report = convert(path, str(tmp_path / "m.onnx"), data=rows)
    assert not any("float32 rows" in notice.message for notice in report.notices)


def test_another_leaf_is_a_difference_that_says_what_to_do(tmp_path: Path) -> None:
    """Trees behind a scaler, trained on even numbers and asked of odd ones, which lie on the thresholds."""
    even = (2 * GENERATOR.integers(0, 1500, (3000, 2))).astype(np.float32)
    forest = make_pipeline(StandardScaler(), RandomForestRegressor(5, random_state=0)).fit(even, even.sum(axis=1))
    rows = even + 1
    assert np.abs(forest.predict(rows) - forest.predict(rows.astype(np.float64))).max() > 1
    path, file = save(tmp_path, forest, rows)
    report = convert(path, str(tmp_path / "m.onnx"), data=file)
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    assert "Give the rows as float64" in (report.results[0].failed or "")
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("form", ["parquet", "npz"])
def test_a_function_that_wraps_around_in_the_rows_own_dtype_is_a_difference(form: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(200, dtype=np.uint8), "b": np.linspace(-1, 1, 200)})
    model = make_pipeline(FunctionTransformer(np.square), Ridge()).fit(frame, frame["b"])
    path, file = save(tmp_path, model, frame)
    if form == "npz":
        file = str(tmp_path / "rows.npz")
        np.savez(file, a=frame["a"].to_numpy(), b=frame["b"].to_numpy())
    report = convert(path, str(tmp_path / "m.onnx"), data=file)
    assert "fed uint8 as the rows are" in (report.results[0].failed or "")
    assert convert(path, str(tmp_path / "m.onnx"), data=_widen(frame, tmp_path)).results[0].failed is None


def _widen(frame: pd.DataFrame, folder: Path) -> str:
    frame.astype({"a": np.int64}).to_parquet(folder / "wide.parquet")
    return str(folder / "wide.parquet")
