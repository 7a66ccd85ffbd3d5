"""Where a model's splits and typical values lie, on the scale of its inputs."""

from pathlib import Path

import numpy as np
import pandas
import pytest
from sklearn import (
    decomposition,
    ensemble,
    gaussian_process,
    kernel_approximation,
    linear_model,
    model_selection,
    neighbors,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer

from tests.engines import zoo
from tests.engines.zoo import matrix, open_session, ref


def test_the_domain_is_on_the_scale_of_the_inputs(tmp_path: Path) -> None:
    rows = matrix(missing=False) * 10 + 5
    for scaler in (preprocessing.StandardScaler(), preprocessing.MinMaxScaler(), preprocessing.RobustScaler()):
        model = pipeline.make_pipeline(scaler, tree.DecisionTreeRegressor(max_depth=2)).fit(zoo.frame(rows), rows[:, 0])
        domain = open_session("sklearn", ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle")).domain()
        plain = tree.DecisionTreeRegressor(max_depth=2).fit(zoo.frame(rows), rows[:, 0])
        reference = sorted(plain.tree_.threshold[plain.tree_.feature == 0])
        np.testing.assert_allclose(domain.thresholds["age"], reference, rtol=1e-6)


def test_the_domain_is_traced_through_column_transformers(tmp_path: Path) -> None:
    rows = zoo.frame(matrix(missing=False) * 10 + 5)
    names = list(rows.columns)
    inner = pipeline.make_pipeline(SimpleImputer(), preprocessing.StandardScaler())
    parts = [("drop", "drop", names[:1]), ("scaled", inner, names[1:3]), ("kept", "passthrough", names[3:])]
    mixed = ColumnTransformer(parts)
    model = pipeline.make_pipeline(mixed, tree.DecisionTreeRegressor(max_depth=1)).fit(rows, rows[names[2]] > 5)
    domain = open_session(
        "sklearn", ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle"), feed="dataframe"
    ).domain()
    plain = tree.DecisionTreeRegressor(max_depth=1).fit(rows, rows[names[2]] > 5)
    np.testing.assert_allclose(domain.thresholds[names[2]], plain.tree_.threshold[:1], rtol=1e-6)
    assert names[0] not in domain.thresholds


def test_without_trees_a_scaler_and_kept_rows_tell_where_values_lie(tmp_path: Path) -> None:
    rows = matrix(missing=False) * 1e-3 + 1.7e9
    for model in (preprocessing.StandardScaler(), neighbors.KNeighborsRegressor(2)):
        estimator = model.fit(zoo.frame(rows), rows[:, 0])
        domain = open_session("sklearn", ref(zoo.dump(estimator, tmp_path / "m.pkl"), "sklearn", "pickle")).domain()
        assert all(abs(value - 1.7e9) < 1e6 for values in domain.thresholds.values() for value in values)
        assert set(domain.thresholds) == set(zoo.frame(rows).columns)


def test_a_scaler_before_steps_that_mix_columns_tells_where_values_lie(tmp_path: Path) -> None:
    rows = matrix(missing=False) * [1, 100, 1e4, 1e6] + 1e9
    for mixing in (
        preprocessing.PolynomialFeatures(),
        decomposition.PCA(2),
        kernel_approximation.Nystroem(n_components=20),
    ):
        inner = pipeline.make_pipeline(preprocessing.StandardScaler(), mixing, linear_model.Ridge())
        for model in (inner, model_selection.GridSearchCV(inner, {"ridge__alpha": [1.0]}, cv=2)):
            estimator = model.fit(zoo.frame(rows), rows[:, 0])
            domain = open_session("sklearn", ref(zoo.dump(estimator, tmp_path / "m.pkl"), "sklearn", "pickle")).domain()
            for i, values in enumerate(domain.thresholds.values()):
                assert np.median(values) == pytest.approx(rows[:, i].mean(), abs=rows[:, i].std())
            assert len(domain.thresholds) == rows.shape[1]


def test_splits_inside_a_pipeline_inside_another_estimator_are_on_the_scale_of_the_inputs(tmp_path: Path) -> None:
    rows = matrix(missing=False) * 10 + 500
    inner = pipeline.make_pipeline(preprocessing.StandardScaler(), tree.DecisionTreeRegressor(max_depth=2))
    models = (
        ensemble.BaggingRegressor(inner, 3, max_features=2, random_state=0),
        model_selection.GridSearchCV(inner, {}, cv=2),
        ensemble.StackingRegressor([("one", inner)], tree.DecisionTreeRegressor(max_depth=2)),
    )
    for model in models:
        estimator = model.fit(zoo.frame(rows), rows[:, 0] / 1000)
        domain = open_session("sklearn", ref(zoo.dump(estimator, tmp_path / "m.pkl"), "sklearn", "pickle")).domain()
        assert domain.thresholds
        assert all(450 < value < 550 for values in domain.thresholds.values() for value in values)


@pytest.mark.parametrize("has_scaler", [False, True])
def test_training_rows_that_a_model_keeps_are_told(tmp_path: Path, has_scaler: bool) -> None:
    rows = matrix(missing=False) * 10 + 500
    for model in (neighbors.KNeighborsRegressor(2), gaussian_process.GaussianProcessRegressor(), svm.SVR()):
        unfitted = pipeline.make_pipeline(preprocessing.StandardScaler(), clone(model)) if has_scaler else clone(model)
        estimator = unfitted.fit(zoo.frame(rows), rows[:, 0])
        domain_rows = (
            open_session("sklearn", ref(zoo.dump(estimator, tmp_path / "m.pkl"), "sklearn", "pickle")).domain().rows
        )
        assert domain_rows is not None
        nearest = np.abs(domain_rows[:, None] - rows[None]).max(axis=2).min(axis=1)
        assert np.all(nearest < 1e-10)


def test_columns_that_boosting_encodes_first_are_told_apart(tmp_path: Path) -> None:
    """Histogram boosting with categories puts them before the other columns."""
    rows = zoo.frame(matrix(missing=False) * 10 + 500)
    city = np.array(["Oslo", "Bonn"] * (len(rows) // 2), dtype=object)
    rows = rows.assign(city=pandas.Categorical(city))
    model = ensemble.HistGradientBoostingRegressor(categorical_features="from_dtype", max_iter=3, min_samples_leaf=3)
    model.fit(rows, rows.iloc[:, 0] + (city == "Oslo") * 50)
    model_ref = ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle")
    thresholds = open_session("sklearn", model_ref, feed="dataframe").domain().thresholds
    assert all(400 < value < 600 for values in thresholds.values() for value in values)
    assert thresholds[str(rows.columns[0])]
    assert "city" not in thresholds
