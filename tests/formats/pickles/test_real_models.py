"""Fitted models of many kinds pass the list and come back the same."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn import (
    calibration,
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    kernel_approximation,
    linear_model,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

from infer_bench.errors import ModelError, UnsafePickle
from infer_bench.formats import pickles

RANDOM = np.random.default_rng(0)
X = np.abs(RANDOM.normal(size=(60, 3)))
Y = (X[:, 0] > np.median(X[:, 0])).astype(int)
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "s": np.where(Y, "yes", "no"), "k": pd.Categorical(list("uvw") * 20)})
Logistic = linear_model.LogisticRegression


def columns() -> Any:
    number = pipeline.make_pipeline(impute.SimpleImputer(add_indicator=True), preprocessing.StandardScaler())
    return compose.ColumnTransformer(
        [
            ("text", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["s"]),
            ("number", number, ["a"]),
            ("log", preprocessing.FunctionTransformer(np.log1p), ["b"]),
            ("target", preprocessing.TargetEncoder(), ["s"]),
            ("all", "passthrough", compose.make_column_selector(dtype_include=np.number)),
            ("order", preprocessing.OrdinalEncoder(), compose.make_column_selector(dtype_include="category")),
        ]
    )


QUICK = {"n_estimators": 2}
ESTIMATORS: dict[str, Callable[[], Any]] = {
    "logistic": Logistic,
    "ridge": linear_model.RidgeCV,
    "huber": linear_model.HuberRegressor,
    "gamma": lambda: linear_model.TweedieRegressor(power=1.5),
    "sgd": lambda: linear_model.SGDClassifier(loss="modified_huber"),
    "tree": tree.DecisionTreeClassifier,
    "forest": lambda: ensemble.RandomForestClassifier(2, random_state=np.random.RandomState(0)),
    "extra": lambda: ensemble.ExtraTreesRegressor(2),
    "isolation": lambda: ensemble.IsolationForest(n_estimators=2),
    "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=2),
    "boosting on": lambda: ensemble.GradientBoostingClassifier(n_estimators=2, init=Logistic()),
    "huber boosting": lambda: ensemble.GradientBoostingRegressor(n_estimators=2, loss="huber"),
    "histogram": lambda: ensemble.HistGradientBoostingClassifier(max_iter=2, early_stopping=True),
    "poisson": lambda: ensemble.HistGradientBoostingRegressor(max_iter=2, loss="poisson"),
    "quantile": lambda: ensemble.HistGradientBoostingRegressor(max_iter=2, loss="quantile", quantile=0.5),
    "adaboost": lambda: ensemble.AdaBoostClassifier(n_estimators=2),
    "bagging": lambda: ensemble.BaggingRegressor(n_estimators=2),
    "stacking": lambda: ensemble.StackingClassifier([("a", Logistic()), ("b", svm.SVC())]),
    "voting": lambda: ensemble.VotingClassifier([("a", Logistic()), ("b", naive_bayes.GaussianNB())]),
    "svc": lambda: svm.SVC(probability=False),
    "linear svc": svm.LinearSVC,
    "bayes": naive_bayes.MultinomialNB,
    "k-d tree": lambda: neighbors.KNeighborsClassifier(3, algorithm="kd_tree"),
    "ball tree": lambda: neighbors.KNeighborsRegressor(3, algorithm="ball_tree"),
    "network": lambda: neural_network.MLPClassifier((2,), max_iter=3),
    "gaussian": lambda: gaussian_process.GaussianProcessClassifier(),
    "discriminant": discriminant_analysis.LinearDiscriminantAnalysis,
    "isotonic": lambda: calibration.CalibratedClassifierCV(Logistic(), method="isotonic", cv=2),
    "sigmoid": lambda: calibration.CalibratedClassifierCV(Logistic(), cv=2),
    "threshold": lambda: model_selection.TunedThresholdClassifierCV(Logistic(), scoring="f1", cv=2),
    "grid": lambda: model_selection.GridSearchCV(Logistic(), {"C": [0.1, 1]}, scoring="roc_auc", cv=2),
    "random": lambda: model_selection.RandomizedSearchCV(Logistic(), {"C": [0.1, 1]}, n_iter=1, cv=2),
    "one against rest": lambda: multiclass.OneVsRestClassifier(Logistic()),
    "kmeans": lambda: cluster.KMeans(2),
    "bisecting": lambda: cluster.BisectingKMeans(2),
    "selected": lambda: pipeline.make_pipeline(
        feature_selection.SelectKBest(feature_selection.mutual_info_classif, k=2), decomposition.PCA(1), Logistic()
    ),
    "splines": lambda: pipeline.make_pipeline(
        preprocessing.SplineTransformer(), kernel_approximation.Nystroem(n_components=3), linear_model.Ridge()
    ),
    "bins": lambda: pipeline.make_pipeline(
        preprocessing.QuantileTransformer(n_quantiles=5), preprocessing.KBinsDiscretizer(3), Logistic()
    ),
    "union": lambda: pipeline.make_pipeline(
        pipeline.make_union(preprocessing.PowerTransformer(), preprocessing.PolynomialFeatures()), Logistic()
    ),
    "nearest imputer": lambda: pipeline.make_pipeline(impute.KNNImputer(), Logistic()),
    "lightgbm": lambda: lgb.LGBMClassifier(**QUICK, verbose=-1, num_threads=1),
    "lightgbm regressor": lambda: lgb.LGBMRegressor(**QUICK, verbose=-1, num_threads=1),
    "xgboost": lambda: xgb.XGBClassifier(**QUICK, n_jobs=1),
    "xgboost regressor": lambda: xgb.XGBRegressor(**QUICK, n_jobs=1),
    "scaled lightgbm": lambda: pipeline.make_pipeline(
        preprocessing.StandardScaler(), lgb.LGBMClassifier(**QUICK, verbose=-1, num_threads=1)
    ),
    "outputs": lambda: multioutput.MultiOutputRegressor(linear_model.Ridge()),
}  # fmt: skip


def same(model: Any, restored: Any, rows: Any) -> None:
    np.testing.assert_array_equal(model.predict(rows), restored.predict(rows))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_passes_and_comes_back(name: str, tmp_path: Path) -> None:
    target = np.column_stack([Y, Y]) if name == "outputs" else Y
    model = ESTIMATORS[name]().fit(X, target)
    for protocol in (0, 2, 5):
        (tmp_path / "plain").write_bytes(pickle.dumps(model, protocol))
        same(model, pickles.load(tmp_path / "plain"), X)
    for compress in (0, 3):
        joblib.dump(model, tmp_path / "joblib", compress=compress)
        same(model, pickles.load(tmp_path / "joblib"), X)
    assert pickles.scan(tmp_path / "joblib").root == f"{type(model).__module__}.{type(model).__qualname__}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "last",
    [
        Logistic(),
        ensemble.RandomForestClassifier(2),
        lgb.LGBMClassifier(**QUICK, verbose=-1),
        xgb.XGBClassifier(**QUICK),
    ],
)
def test_mixed_columns(last: Any, tmp_path: Path) -> None:
    model = pipeline.make_pipeline(columns(), last).fit(FRAME, Y)
    joblib.dump(model, tmp_path / "model")
    same(model, pickles.load(tmp_path / "model"), FRAME)


@pytest.mark.parametrize("make", [lambda m: m.booster_, lambda m: m])
def test_lightgbm_with_categories(make: Callable[[Any], Any], tmp_path: Path) -> None:
    estimator = make(lgb.LGBMClassifier(**QUICK, verbose=-1, num_threads=1).fit(FRAME[["a", "b", "k"]], Y))
    joblib.dump(estimator, tmp_path / "model")
    same(estimator, pickles.load(tmp_path / "model"), FRAME[["a", "b", "k"]])


def test_xgboost_booster(tmp_path: Path) -> None:
    booster = xgb.train({"nthread": 1}, xgb.DMatrix(X, Y), 2)
    (tmp_path / "model").write_bytes(pickle.dumps(booster))
    same(booster, pickles.load(tmp_path / "model"), xgb.DMatrix(X))


def test_text_vectoriser(tmp_path: Path) -> None:
    words = ["one two", "two three", "three one"] * 5
    model = pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(), Logistic()).fit(words, [0, 1, 1] * 5)
    joblib.dump(model, tmp_path / "model")
    same(model, pickles.load(tmp_path / "model"), words)


def test_a_class_of_the_users_own_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(pickle.dumps(pipeline.make_pipeline(Own(), Logistic())))
    with pytest.raises(UnsafePickle, match=r"test_real_models\.Own.*allow-pickle"):
        pickles.load(tmp_path / "model")
    assert pickles.load(tmp_path / "model", allow_pickle=True).steps[0][1].ours == 1


class Own(preprocessing.StandardScaler):  # type: ignore[misc]
    ours = 1


@pytest.mark.parametrize("dtype", ["f8", ">f4", "?", "M8[D]", "U3", [("a", "<i4"), ("b", "f8", (2,))]])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_joblib(dtype: Any, order: Any, tmp_path: Path) -> None:
    array = np.asarray(np.zeros((3, 2), dtype=dtype), order=order)
    joblib.dump({"array": array, "empty": array[:0], "scalar": np.float32(1)}, tmp_path / "file")
    restored = pickles.load(tmp_path / "file")
    np.testing.assert_array_equal(restored["array"], array)
    assert restored["array"].flags.f_contiguous == array.flags.f_contiguous
    assert restored["empty"].shape == (0, 2)


def test_missing_file() -> None:
    with pytest.raises(ModelError, match="cannot read"):
        pickles.load("/no/such/file")


def test_isotonic_alone(tmp_path: Path) -> None:
    model = isotonic.IsotonicRegression().fit(X[:, 0], Y)
    joblib.dump(model, tmp_path / "model")
    same(model, pickles.load(tmp_path / "model"), X[:, 0])
