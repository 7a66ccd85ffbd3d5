"""`validate` on scikit-learn's pipelines and boosting against their exports: causes are named inside the last step."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import convert, validate


def test_a_scaler_in_float32_before_a_forest_is_named(tmp_path: Path) -> None:
    """Columns of very different sizes, whose rounding in the scaler decides on which side of a split they lie."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    rows = np.column_stack([1e6 + random.random(400) * 1e3, random.normal(size=400), random.integers(0, 90, 400)])
    rows = rows.astype(np.float32).astype(np.float64)
    target = (rows[:, 0] % 7 > 3).astype(int)
    steps = SimpleImputer(), StandardScaler()
    model = make_pipeline(*steps, RandomForestClassifier(8, random_state=0)).fit(rows, target)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    plain = to_onnx(model, rows[:1].astype(np.float32), options={id(model): {"zipmap": False}})
    (tmp_path / "plain.onnx").write_bytes(plain.SerializeToString())
    (result,) = validate(
        *(str(tmp_path / name) for name in ("model.pkl", "plain.onnx")), probes="only", allow_pickle=True
    ).results
    assert result.different
    assert "preprocessing cast" in {cause.name for cause in result.causes}, result
    assert result.not_explained == 0


@pytest.mark.usefixtures("few_probes")
def test_zeros_that_a_sparse_step_does_not_store_are_named(tmp_path: Path) -> None:
    """An export that hands XGBoost arrays, as those of the common converters do."""
    import pandas
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder
    from xgboost import XGBClassifier

    random = np.random.default_rng(0)
    rows = pandas.DataFrame({"job": random.choice(list("abcdef"), 200), "count": random.integers(0, 4, 200) * 1.0})
    codes = ColumnTransformer([("codes", OneHotEncoder(), ["job"])], remainder="passthrough", sparse_threshold=1.0)
    model = make_pipeline(codes, XGBClassifier(n_estimators=4, n_jobs=1)).fit(
        rows, (rows["count"] > 1) ^ (rows.job < "c")
    )
    (tmp_path / "sparse.pkl").write_bytes(pickle.dumps(model))
    codes.sparse_output_ = False
    (tmp_path / "dense.pkl").write_bytes(pickle.dumps(model))
    convert(str(tmp_path / "dense.pkl"), str(tmp_path / "dense.onnx"), allow_pickle=True)
    (result,) = validate(
        *(str(tmp_path / name) for name in ("sparse.pkl", "dense.onnx")), probes="only", allow_pickle=True
    ).results
    assert [cause.name for cause in result.causes] == ["unstored zeros"], result
    assert result.not_explained == 0


@pytest.mark.parametrize("text", [True, False])
def test_histogram_boosting_with_categories_is_drawn_from_them_and_its_trees_are_read(
    tmp_path: Path, text: bool
) -> None:
    import pandas
    from sklearn.ensemble import HistGradientBoostingClassifier

    random = np.random.default_rng(0)
    codes = random.integers(0, 3, 300)
    frame = pandas.DataFrame({"a": random.normal(size=300).astype(np.float32).astype(float), "b": codes})
    frame["b"] = pandas.Categorical(np.array(["x", "y", "z"])[codes] if text else codes * 7)
    frame.loc[random.random(300) < 0.2, "a"] = np.nan
    model = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=4, categorical_features="from_dtype")
    model.fit(frame, (frame["a"] > 0) ^ (codes == 1))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    frame.to_parquet(tmp_path / "rows.parquet")
    for stage in model._predictors:
        stage[0].nodes["missing_go_to_left"] ^= 1
    (tmp_path / "wrong.pkl").write_bytes(pickle.dumps(model))
    convert(str(tmp_path / "model.pkl"), str(tmp_path / "exact.onnx"), allow_pickle=True)
    settings: dict[str, Any] = {"data": str(tmp_path / "rows.parquet"), "allow_pickle": True}
    models = [str(tmp_path / name) for name in ("model.pkl", "exact.onnx", "wrong.pkl")]
    right, wrong = validate(*models, **settings).results
    assert not right.different
    assert {cause.name for cause in wrong.causes} == {"missing handling"}
    assert wrong.not_explained == 0
    assert not next(group for group in wrong.groups if group.name == "drawn").failing


@pytest.mark.parametrize("searched", [False, True])
def test_missing_values_that_an_export_routes_otherwise_behind_a_scaler_are_named_with_their_split(
    tmp_path: Path, searched: bool
) -> None:
    """Causes are looked for in the pipeline's last step, on what the steps before it hand on."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    rows = (random.normal(size=(300, 3)) * 10 + 500).astype(np.float32)
    rows[random.random(rows.shape) < 0.2] = np.nan
    target = (np.nan_to_num(rows[:, 0], nan=520) > 505) ^ (np.nan_to_num(rows[:, 1], nan=480) > 500)
    model = make_pipeline(StandardScaler(), RandomForestClassifier(5, max_depth=4, random_state=0)).fit(rows, target)
    plain = to_onnx(model, np.nan_to_num(rows[:1]), options={id(model): {"zipmap": False}})
    fitted_model = GridSearchCV(model, {}, cv=2).fit(rows, target) if searched else model
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(fitted_model))
    (tmp_path / "plain.onnx").write_bytes(plain.SerializeToString())
    models = (str(tmp_path / name) for name in ("model.pkl", "plain.onnx"))
    (result,) = validate(*models, probes="only", allow_pickle=True).results
    assert result.different
    (cause,) = (cause for cause in result.causes if cause.name == "missing handling")
    assert result.not_explained == 0, result
    assert cause.feature in {"x0", "x1", "x2"}
    assert cause.tree is not None


@pytest.mark.parametrize("last_of_a_pipeline", [False, True])
def test_the_way_of_missing_values_in_an_isolation_forest_is_named(tmp_path: Path, last_of_a_pipeline: bool) -> None:
    from skl2onnx import to_onnx
    from sklearn.ensemble import IsolationForest
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    rows[::5, 1] = np.nan
    forest = IsolationForest(n_estimators=10, max_samples=64, random_state=0)
    model = (make_pipeline(StandardScaler(), forest) if last_of_a_pipeline else forest).fit(rows)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    graph = to_onnx(model, rows[:1], target_opset={"": 15, "ai.onnx.ml": 3})
    (tmp_path / "plain.onnx").write_bytes(graph.SerializeToString())
    (result,) = validate(str(tmp_path / "model.pkl"), str(tmp_path / "plain.onnx"), allow_pickle=True).results
    groups = {group.name: group.failing for group in result.groups}
    assert groups["NaN"] > 0
    causes = {cause.name: cause for cause in result.causes}
    assert "NaN always goes right" in causes["missing handling"].detail
    assert result.not_explained == 0, result


def test_scores_of_the_other_sign_are_named(tmp_path: Path) -> None:
    """As an export of a support vector machine without probabilities gives them, beside the right labels."""
    from skl2onnx import to_onnx
    from sklearn.svm import SVC

    rows = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    model = SVC().fit(rows, (rows[:, 0] > 0).astype(int))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    with warnings.catch_warnings(action="ignore"):  # it reads attributes that are going away
        graph = to_onnx(model, rows[:1], options={"zipmap": False})
    (tmp_path / "plain.onnx").write_bytes(graph.SerializeToString())
    (result,) = validate(str(tmp_path / "model.pkl"), str(tmp_path / "plain.onnx"), allow_pickle=True).results
    assert [(cause.name, cause.detail) for cause in result.causes] == [
        ("class order", "the scores have the other sign")
    ], result
    assert result.not_explained == 0
