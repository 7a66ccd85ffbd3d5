"""Sparse matrices between the steps of a pipeline: what these do not store is missing to XGBoost alone."""
# mypy: disable-error-code="misc,no-untyped-call"

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, IsolationForest, RandomForestClassifier, StackingClassifier
from sklearn.feature_selection import SelectKBest, SelectPercentile
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.multioutput import RegressorChain
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import SparseRandomProjection

from infer_bench.converters.sklearn.convert import convert_sklearn
from infer_bench.errors import NotConvertible
from tests.converters.sklearn.compare import compare

pytestmark = pytest.mark.filterwarnings("ignore")

N = 240
draw = np.random.default_rng(3)
FRAME = pd.DataFrame(
    {
        "job": draw.choice(list("abcdef"), N),
        "area": draw.choice(["urban", "rural"], N),
        "income": draw.lognormal(2, 1, N),
        "count": draw.integers(0, 4, N).astype(float),
        "change": draw.choice([0.0, -1.0, 1.0, 2.5], N),
    }
)
HOLES = FRAME.mask(draw.random(FRAME.shape) < [0, 0, 0.1, 0.1, 0.1])
LABELS = (FRAME.job.isin(["a", "b"]) ^ (FRAME.income > 8) ^ (FRAME["count"] == 0)).astype(int)
AMOUNT = FRAME.income + 3 * FRAME["count"] + 5 * (FRAME.job == "c")
NUMBERS = ["income", "count", "change"]


def boosted(kind: str = "Classifier", **more: Any) -> Any:
    return getattr(xgboost, f"XGB{kind}")(n_estimators=8, max_depth=4, n_jobs=1, **more)


def light(**more: Any) -> Any:
    return lightgbm.LGBMClassifier(n_estimators=8, min_child_samples=2, n_jobs=1, verbose=-1, **more)


def columns(numbers: Any = "passthrough", threshold: float = 1.0, **more: Any) -> ColumnTransformer:
    """One-hot codes beside numbers; sparse where the threshold is 1."""
    codes = OneHotEncoder(handle_unknown="ignore")
    parts = [("codes", codes, ["job", "area"]), ("numbers", numbers, NUMBERS)]
    return ColumnTransformer(parts, sparse_threshold=threshold, **more)


BEFORE_XGBOOST = {
    "zeros of numbers are not stored": columns(),
    "zeros made by a scaler are not stored": columns(StandardScaler()),
    "too dense to be sparse": columns(threshold=0.1),
    "scaled by the variance": make_pipeline(columns(), StandardScaler(with_mean=False)),
    "scaled by the range": make_pipeline(columns(), RobustScaler(with_centering=False)),
    "scaled row by row": make_pipeline(columns(), Normalizer("max")),
    "compared with a threshold": make_pipeline(columns(), Binarizer(threshold=1)),
    "zeros made by rounding are stored": make_pipeline(columns(), MaxAbsScaler(), FunctionTransformer(np.rint)),
    "stored zeros are selected": make_pipeline(
        columns(), MaxAbsScaler(), SelectKBest(k=8), FunctionTransformer(np.rint), SelectPercentile(percentile=70)
    ),
    "nested pipelines": make_pipeline(make_pipeline(make_pipeline(columns(), MaxAbsScaler()), "passthrough")),
    "products of what is stored": make_pipeline(columns(), FunctionTransformer(np.rint), PolynomialFeatures(2)),
    "a weight of zero": columns(transformer_weights={"numbers": 0.0, "codes": 3.0}),
    "an indicator": columns(MissingIndicator(features="all", sparse=True)),
    "bins": columns(KBinsDiscretizer(3, strategy="uniform")),
    "a union with an array": FeatureUnion([("a", columns()), ("b", columns(threshold=0.0))]),
    "a union of arrays": FeatureUnion([("a", columns(threshold=0.0)), ("b", columns(threshold=0.0))]),
    "a random projection": make_pipeline(columns(), SparseRandomProjection(6, random_state=0)),
}
"""Steps on rows without missing values."""


@pytest.mark.parametrize("name", BEFORE_XGBOOST)
def test_what_a_step_does_not_store_is_missing_to_xgboost(name: str) -> None:
    compare(make_pipeline(BEFORE_XGBOOST[name], boosted()).fit(FRAME, LABELS), "float32", rows=64)


@pytest.mark.parametrize(
    "steps",
    [
        columns(),
        make_pipeline(columns(), SimpleImputer(strategy="median", add_indicator=True)),
        make_pipeline(columns(), SimpleImputer(strategy="constant", fill_value=0)),
    ],
    ids=["kept", "filled, with an indicator", "filled with a zero that is stored"],
)
def test_missing_values_beside_what_is_not_stored(steps: Any) -> None:
    compare(make_pipeline(steps, boosted()).fit(HOLES, LABELS), "float32", rows=64)


def test_high_powers_of_a_sparse_matrix_store_no_zero() -> None:
    frame = FRAME[["area", "count", "change"]]
    steps = ColumnTransformer(
        [("codes", OneHotEncoder(), ["area"])], remainder=FunctionTransformer(), sparse_threshold=1.0
    )
    powers = make_pipeline(steps, FunctionTransformer(np.rint), PolynomialFeatures(4, interaction_only=True))
    compare(make_pipeline(powers, boosted()).fit(frame, LABELS), "float32", rows=64)


@pytest.mark.parametrize("ignored", [False, True])
def test_only_what_is_stored_becomes_a_quantile(ignored: bool) -> None:
    frame = FRAME[["area", "change" if ignored else "count"]].head(60)
    steps = ColumnTransformer([("codes", OneHotEncoder(), ["area"])], remainder="passthrough", sparse_threshold=1.0)
    quantiles = QuantileTransformer(n_quantiles=4, ignore_implicit_zeros=ignored)
    compare(make_pipeline(steps, quantiles, boosted()).fit(frame, LABELS.head(60)), "float32", rows=16)


@pytest.mark.parametrize("missing", [0.0, -1.0])
def test_a_missing_value_of_ones_own_is_missing_beside_what_is_not_stored(missing: float) -> None:
    compare(make_pipeline(columns(), boosted(missing=missing)).fit(FRAME, LABELS), "float32", rows=64)


@pytest.mark.parametrize(
    "model",
    [
        StackingClassifier([("x", boosted())], final_estimator=boosted(), passthrough=True, cv=2),
        StackingClassifier([("x", boosted())], final_estimator=boosted(), cv=2),
        BaggingClassifier(boosted(), 3, max_features=0.6, random_state=0),
    ],
    ids=["stacked beside the columns", "stacked alone", "bagged"],
)
def test_estimators_hand_the_sparse_matrix_on(model: Any) -> None:
    compare(make_pipeline(columns(), model).fit(FRAME, LABELS), "float32", rows=64)


def test_a_chain_does_not_store_the_zeros_that_it_predicts() -> None:
    chain = RegressorChain(boosted("Regressor", objective="count:poisson"))
    targets = np.stack([AMOUNT, FRAME["count"]], axis=1)
    compare(make_pipeline(columns(SimpleImputer()), chain).fit(FRAME, targets), "float32", rows=64)


@pytest.mark.parametrize("model", [light(), light(zero_as_missing=True), light(use_missing=False)])
def test_what_is_not_stored_is_zero_to_lightgbm(model: Any) -> None:
    compare(make_pipeline(columns(), model).fit(HOLES, LABELS), rows=64)


def test_what_is_not_stored_is_zero_to_forests_which_refuse_a_sparse_nan() -> None:
    compare(make_pipeline(columns(), RandomForestClassifier(4, random_state=0)).fit(FRAME, LABELS), rows=64)


def test_isolation_trees_send_a_sparse_nan_right() -> None:
    compare(make_pipeline(columns(), IsolationForest(n_estimators=4, random_state=0)).fit(HOLES), rows=64)


def test_a_square_of_a_sparse_matrix_is_refused() -> None:
    step = FunctionTransformer()
    pipeline = make_pipeline(columns(), step, boosted()).fit(FRAME, LABELS)
    step.func = np.square  # which can be fitted on as many rows as columns
    with pytest.raises(NotConvertible, match="multiply it with itself") as refusal:
        convert_sklearn(pipeline)
    assert "sparse_output=False" in refusal.value.hint
