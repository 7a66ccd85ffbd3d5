"""A pickle of another scikit-learn: both versions are named, and what to install."""

import pickle
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from infer_bench.engines.sklearn.engine import ScikitLearn
from infer_bench.errors import EngineError, ModelError
from infer_bench.formats.identify import identify
from infer_bench.formats.pickles import load, scan

pytestmark = pytest.mark.filterwarnings("ignore:Trying to unpickle")
HERE = version("scikit-learn")
OLD = "0." + "9" * (len(HERE) - 2)
"""As long as the version here, so that it can stand in its place in the bytes."""
X = np.random.default_rng(0).normal(size=(30, 2))
PIPE = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=2)).fit(X, X[:, 0])
OPTIONS = {"feed": "ndarray", "threads": "1", "fill": "nan", "unknown": "ignore"}


def age(content: bytes) -> bytes:
    assert HERE.encode() in content
    return content.replace(HERE.encode(), OLD.encode())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_version_is_read_without_loading(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(PIPE, protocol))
    assert scan(tmp_path / "model.pkl").sklearn_versions == (HERE,)
    (tmp_path / "old.pkl").write_bytes(age(pickle.dumps(PIPE, protocol)))
    assert scan(tmp_path / "old.pkl").sklearn_versions == (OLD,)


def test_the_version_of_a_joblib_file_is_read(tmp_path: Path) -> None:
    joblib.dump(PIPE, tmp_path / "model.joblib", compress=3)
    assert scan(tmp_path / "model.joblib").sklearn_versions == (HERE,)


def with_other_nodes() -> bytes:
    """A tree whose nodes lack a field, as those of another version do."""
    content = pickle.dumps(PIPE)
    assert content.count(b"missing_go_to_left") == 1
    return content.replace(b"missing_go_to_left", b"missing_go_to_lost")


@pytest.mark.parametrize("allow_pickle", [False, True])
def test_a_file_that_cannot_be_opened_names_both_versions(tmp_path: Path, allow_pickle: bool) -> None:
    (tmp_path / "old.pkl").write_bytes(age(with_other_nodes()))
    with pytest.raises(ModelError) as caught:
        load(tmp_path / "old.pkl", allow_pickle)
    message = caught.value.message
    assert message.startswith(f"old.pkl was saved by scikit-learn {OLD}, opened by {HERE}, which cannot read it: ")
    assert caught.value.hint == f"pip install scikit-learn=={OLD}, or train it again"
    assert len(message) < 250


def test_of_the_same_version_the_reason_is_short(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(with_other_nodes())
    with pytest.raises(ModelError, match="cannot be unpickled here: ValueError: node array") as caught:
        load(tmp_path / "model.pkl")
    assert len(caught.value.message) < 200


def test_a_module_that_is_gone_is_of_that_version(tmp_path: Path) -> None:
    content = age(pickle.dumps(LinearRegression().fit(X, X[:, 0]), 2))
    gone = content.replace(b"sklearn.linear_model._base", b"sklearn.linear_model.xbase")
    (tmp_path / "old.pkl").write_bytes(gone)
    with pytest.raises(ModelError, match=rf"saved by scikit-learn {OLD}, .*no module sklearn.linear_model.xbase"):
        load(tmp_path / "old.pkl", allow_pickle=True)


def test_a_model_that_opens_and_cannot_predict_names_both_versions(tmp_path: Path) -> None:
    path = tmp_path / "old.pkl"
    path.write_bytes(age(pickle.dumps(LinearRegression().fit(X, X[:, 0]))).replace(b"intercept_", b"interzept_"))
    session = ScikitLearn().open(identify(path), OPTIONS)
    with pytest.raises(EngineError, match=rf"saved by scikit-learn {OLD}, opened by {HERE}"):
        session.predict(X)


def test_what_is_no_version_is_not_shown(tmp_path: Path) -> None:
    model = LinearRegression().fit(X, X[:, 0])
    content = pickle.dumps(model).replace(HERE.encode(), b"\x1b[31m"[: len(HERE)].ljust(len(HERE), b"!"))
    (tmp_path / "odd.pkl").write_bytes(content)
    assert scan(tmp_path / "odd.pkl").sklearn_versions == ()


def test_what_xgboost_cannot_read_is_not_laid_to_scikit_learn(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    path = tmp_path / "model.pkl"
    model = make_pipeline(StandardScaler(), xgboost.XGBRegressor(n_estimators=1, max_depth=1)).fit(X, X[:, 0])
    content = age(pickle.dumps(model))
    path.write_bytes(content.replace(b"learner", b"lxarner", 1))
    with pytest.raises(ModelError, match="saved by an XGBoost that the one here cannot read") as refusal:
        load(path)
    assert "save_model" in str(refusal.value.hint)
