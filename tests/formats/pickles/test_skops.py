"""skops files: known types load without a flag, others are named."""

from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
import skops.io
import xgboost as xgb
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from infer_bench.errors import ModelError, UnsafePickle
from infer_bench.formats import pickles

X = np.random.default_rng(0).normal(size=(40, 2))
Y = (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        SGDClassifier(),
        DecisionTreeRegressor(),
        RandomForestClassifier(2),
        HistGradientBoostingClassifier(max_iter=2),
        KNeighborsClassifier(3, algorithm="kd_tree"),
        lgb.LGBMClassifier(n_estimators=2, verbose=-1, num_threads=1),
        xgb.XGBClassifier(n_estimators=2, n_jobs=1),
        make_pipeline(StandardScaler(), FunctionTransformer(np.abs), lgb.LGBMRegressor(n_estimators=2, verbose=-1)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_known_types_load(model: Any, tmp_path: Path) -> None:
    skops.io.dump(model.fit(X, Y), tmp_path / "model")
    loaded = pickles.load_skops(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def own(values: Any) -> Any:
    return values


def test_others_are_named(tmp_path: Path) -> None:
    skops.io.dump(make_pipeline(FunctionTransformer(own), LogisticRegression()).fit(X, Y), tmp_path / "model")
    with pytest.raises(UnsafePickle, match=r"test_skops\.own.*--allow-pickle"):
        pickles.load_skops(tmp_path / "model")
    assert pickles.load_skops(tmp_path / "model", allow_pickle=True).steps[0][1].func is own


@pytest.mark.parametrize("body", [b"PK\x03\x04 and no more", b""])
def test_broken_files(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(body)
    with pytest.raises(ModelError):
        pickles.load_skops(tmp_path / "model")
