"""Estimators that compute in float64: what float32 rounds of them is named as the cause, and excuses nothing."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skl2onnx
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from infer_bench import validate
from infer_bench.engines.sklearn.continuous import is_continuous, nudge_weights

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(200, 4)) * np.array([1, 10, 1e3, 1e5]) + np.array([0, 50, 1e4, 5e7])
ROWS = ROWS.astype(np.float32).astype(np.float64)
TARGET = (ROWS - ROWS.mean(axis=0)) / ROWS.std(axis=0) @ RANDOM.normal(size=4)


def compared(folder: Path, estimator: Any, target: Any, shift: float = 0.0) -> Any:
    """An estimator against its float32 export, off by `shift`."""
    estimator.fit(ROWS, target)
    joblib.dump(estimator, folder / "model.joblib")
    if shift:
        estimator.intercept_ = estimator.intercept_ + shift
    onnx = skl2onnx.to_onnx(estimator, ROWS[:1].astype(np.float32))
    (folder / "model.onnx").write_bytes(onnx.SerializeToString())
    pd.DataFrame(ROWS, columns=[f"c{i}" for i in range(4)]).to_parquet(folder / "rows.parquet")
    files = (str(folder / name) for name in ("model.joblib", "model.onnx"))
    return validate(*files, data=str(folder / "rows.parquet"), probes="off").results[0]


@pytest.mark.parametrize(
    ("estimator", "scale"),
    [(Ridge(), 1e6), (make_pipeline(StandardScaler(), GaussianProcessRegressor(alpha=1e-2)), 1.0)],
)
def test_rounding_is_named_with_both_errors(tmp_path: Path, estimator: Any, scale: float) -> None:
    result = compared(tmp_path, estimator, TARGET * scale)
    assert (result.different, result.by_rounding) == (True, False)
    assert [cause.name for cause in result.causes] == ["rounding"]
    assert result.causes[0].fix == "infer-bench convert model.joblib -o model.onnx"
    rounding = result.groups[0].rounding
    assert (rounding.reference_rmse, rounding.candidate_rmse > 0, rounding.ratio < 32) == (0.0, True, True)


def test_what_is_more_than_rounding_is_not_named_so(tmp_path: Path) -> None:
    result = compared(tmp_path, Ridge(), TARGET * 1e6, shift=1e3)
    assert result.different
    assert "rounding" not in [cause.name for cause in result.causes]


def test_within_the_tolerance_nothing_is_said(tmp_path: Path) -> None:
    result = compared(tmp_path, make_pipeline(StandardScaler(), SVR()), TARGET)
    assert (result.different, result.groups[0].rounding) == (False, None)


def test_which_estimators_are_continuous() -> None:
    scaled = make_pipeline(StandardScaler(), Ridge()).fit(ROWS, TARGET)
    assert is_continuous(scaled)
    assert is_continuous(SVR())
    assert not is_continuous(DecisionTreeRegressor())
    assert not is_continuous(make_pipeline(DecisionTreeRegressor(), Ridge()))
    nudged = nudge_weights(scaled)
    assert nudged.predict(ROWS) == pytest.approx(scaled.predict(ROWS), abs=1e-3)
    assert (nudged.predict(ROWS) != scaled.predict(ROWS)).all()
