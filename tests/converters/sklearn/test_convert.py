"""Converted scikit-learn models against their originals, on rows drawn from the models themselves."""

from functools import lru_cache
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import RegressorChain
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from infer_bench.converters.catalogue import list_sklearn_routes
from infer_bench.converters.sklearn.convert import convert_sklearn
from infer_bench.converters.sklearn.notes.empty_texts import note_empty_texts
from infer_bench.converters.sklearn.notes.function_dtypes import note_dtypes
from infer_bench.converters.sklearn.probes import Probes
from infer_bench.converters.sklearn.split_points import find_points
from infer_bench.errors import NotConvertible
from tests.converters.running import open_session
from tests.converters.sklearn.compare import compare
from tests.converters.sklearn.models.registry import BOTH, EXACT
from tests.converters.sklearn.models.rows import X, y3, yb, yr

pytestmark = pytest.mark.filterwarnings("ignore")

REFUSALS = {
    "rf multiclass-multi": "several targets",
    "gb initLR": "float32",
    "gb initLR3": "float32",
    "gbr init": "float32",
    "ft lambda": "lambda",
    "cal temp": "temperature",
    "svc proba": "probability",
    "knn int": "equal",
    "dummy": "random",
}


@lru_cache(maxsize=1)
def fit(name: str) -> Any:
    """A model, trained once for both precisions."""
    return BOTH[name]()


@pytest.mark.parametrize("precision", ["exact", "float32"])
@pytest.mark.parametrize("name", sorted(set(BOTH) - set(REFUSALS)))
def test_answers_as_the_original(name: str, precision: str) -> None:
    rows = compare(fit(name), precision, rows=128)
    assert rows["ordinary"] == 128


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refuses_what_has_no_exact_form(name: str) -> None:
    with pytest.raises(NotConvertible, match=REFUSALS[name]) as caught:
        convert_sklearn(BOTH[name]())
    assert caught.value.hint


EXACT_REFUSALS = {
    "label name": "label",
    "iris st": "equal",
    "mlabel rf": "several targets",
    "mlabel dt": "several targets",
    "mlabel mlp": "several labels",
    "mlabel knn": "several targets",
    "mlabel ridge": "several labels",
}


@pytest.mark.parametrize("name", sorted(set(EXACT) - set(EXACT_REFUSALS)))
def test_more_models_answer_as_the_original(name: str) -> None:
    assert compare(EXACT[name](), rows=96)["ordinary"] == 96


@pytest.mark.parametrize("name", sorted(EXACT_REFUSALS))
def test_refuses_more(name: str) -> None:
    with pytest.raises(NotConvertible, match=EXACT_REFUSALS[name]):
        convert_sklearn(EXACT[name]())


def test_refuses_a_class_that_is_not_scikit_learns() -> None:
    class Doubling(StandardScaler):  # type: ignore[misc]
        def transform(self, X: Any, copy: Any = None) -> Any:
            return 2 * super().transform(X, copy)

    with pytest.raises(NotConvertible, match="Doubling"):
        convert_sklearn(make_pipeline(Doubling(), Ridge()).fit(X, yr))


def test_refuses_boosting_from_a_draw_of_lots() -> None:
    start = DummyClassifier(strategy="stratified", random_state=0)
    with pytest.raises(NotConvertible, match="random"):
        convert_sklearn(GradientBoostingClassifier(n_estimators=2, init=start).fit(X, yb))


def test_lists_every_route_and_reason() -> None:
    routes = list_sklearn_routes()
    exact = {name for route in routes if route.exactness == "exact" for name in route.estimators}
    assert {"RandomForestClassifier", "LogisticRegression", "ColumnTransformer", "LGBMClassifier"} <= exact
    assert not exact & {name for route in routes if route.exactness == "refused" for name in route.estimators}


def test_refuses_an_unfitted_estimator() -> None:
    with pytest.raises(NotConvertible, match="fitted"):
        convert_sklearn(LogisticRegression())


def test_zipmap_and_input_name() -> None:
    model = LogisticRegression().fit(X, np.array(["no", "yes"])[yb])
    session = open_session(convert_sklearn(model, zipmap=True, input_name="row"))
    _, maps = session.run(None, {"row": X[:3].astype(np.float32)})
    assert set(maps[0]) == {"no", "yes"}
    assert [m["yes"] for m in maps] == pytest.approx(model.predict_proba(X[:3])[:, 1], abs=1e-6)


def test_probabilities_next_to_zero_keep_their_digits() -> None:
    """Where every class is as good as excluded, their shares are what tiny numbers say, not what is left of them."""
    far = X * [[60.0, -40.0, 900.0, 25.0, 0.01]]
    for model in (
        CalibratedClassifierCV(LogisticRegression(max_iter=500), cv=3),
        OneVsRestClassifier(make_pipeline(StandardScaler(), LogisticRegression())),
        OneVsRestClassifier(lightgbm.LGBMClassifier(n_estimators=300, learning_rate=0.5, verbose=-1, n_jobs=1)),
    ):
        model.fit(X, y3)
        values = open_session(convert_sklearn(model, precision="exact")).run(["probabilities"], {"input": far})[0]
        np.testing.assert_allclose(values, model.predict_proba(far), rtol=1e-9, atol=1e-300)


def test_a_function_of_numpys_is_not_called_pythons() -> None:
    """The refusal of a ufunc says so, and names those that are written."""
    with pytest.raises(NotConvertible, match="numpy's function cbrt") as caught:
        convert_sklearn(make_pipeline(FunctionTransformer(np.cbrt), Ridge()).fit(X, yr))
    assert "log10" in caught.value.hint


def test_thresholds_are_found_behind_encoders_unions_and_weights() -> None:
    """The rows drawn must sit on the splits whatever stands before the column, or a wrong split is not seen."""
    coded = np.column_stack([np.arange(len(X)) % 7, X[:, 0]])
    before = ColumnTransformer(
        [("c", OneHotEncoder(), [0]), ("n", StandardScaler(), [1])], transformer_weights={"n": 4.0}
    )
    union = FeatureUnion([("a", "passthrough"), ("b", StandardScaler(with_mean=False))])
    model = make_pipeline(before, union, DecisionTreeRegressor(max_depth=6)).fit(coded, X[:, 0] ** 2)
    tree = model[-1].tree_
    columns = union.get_feature_names_out()
    scale = before.named_transformers_["n"]
    width = len(columns) // 2
    number = (tree.feature == width - 1) | (tree.feature == 2 * width - 1)
    assert number.sum() > 5
    behind = np.where(tree.feature == 2 * width - 1, union.transformer_list[1][1].scale_[-1], 1.0) * tree.threshold
    splits = behind[number] / 4.0 * scale.scale_[0] + scale.mean_[0]
    values = np.array(sorted(find_points(model, 2).numbers[1]))
    assert all(np.isclose(values, point, rtol=1e-9, atol=1e-9).any() for point in splits)


def test_a_threshold_on_probabilities_that_do_not_exist() -> None:
    model = FixedThresholdClassifier(LinearSVC(), threshold=0.3, response_method="predict_proba").fit(X, yb)
    with pytest.raises(NotConvertible, match="LinearSVC has no predict_proba"):
        convert_sklearn(model)


def test_a_score_of_zero_belongs_to_the_second_class() -> None:
    """libsvm says so, and linear models the reverse; rows between two mirrored halves get exactly 0."""
    rows = np.array([[-1.0, 0], [1, 0], [-2, 1], [2, 1], [-2, -1], [2, -1]])
    model = SVC(kernel="linear").fit(rows, ["a", "b"] * 3)
    between = np.array([[0.0, 0.0], [0.0, 3.0]])
    assert not model.decision_function(between).any()
    labels, _ = open_session(convert_sklearn(model)).run(None, {"input": between.astype(np.float32)})
    assert labels.tolist() == model.predict(between).tolist() == ["b", "b"]


def test_a_chain_of_trees_refuses_missing_values_as_a_whole() -> None:
    model = RegressorChain(DecisionTreeRegressor(max_depth=3)).fit(X, np.column_stack([yr, yr**2]))
    assert compare(model, rows=16)["nan"]


def test_distances_with_weights_are_refused() -> None:
    weights = {"w": np.arange(1.0, X.shape[1] + 1)}
    model = KNeighborsRegressor(3, metric="minkowski", metric_params=weights).fit(X, yr)
    with pytest.raises(NotConvertible, match="weighs its columns"):
        convert_sklearn(model)


@pytest.mark.parametrize(("fills", "apart"), [(True, ["city"]), (False, [])])
def test_an_empty_text_that_the_model_tells_from_a_missing_one_is_noted(fills: bool, apart: list[str]) -> None:
    table = pd.DataFrame({"city": np.array(["a", "b", np.nan, "b"] * 9, dtype=object), "x": np.arange(36.0)})
    encoder = OneHotEncoder(handle_unknown="ignore")
    step = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder) if fills else encoder
    rows = table if fills else table.dropna()
    columns = ColumnTransformer([("c", step, ["city"])], remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(rows, rows["city"] == "b")
    (*notes,) = note_empty_texts(model, Probes(model))
    assert [name for name in ("city", "x") if any(repr(name) in note for note in notes)] == apart


def test_none_and_nan_that_the_model_tells_apart_are_noted() -> None:
    city = pd.Series(["a", "b", np.nan, "b"] * 9, dtype=object)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-9, encoded_missing_value=-9)
    model = make_pipeline(encoder, LogisticRegression()).fit(city.to_frame("city"), city == "b")
    assert note_empty_texts(model, Probes(model)) == ()
    encoder.set_params(encoded_missing_value=5)
    model.fit(city.to_frame("city"), city == "b")
    (note,) = note_empty_texts(model, Probes(model))
    assert "an empty text, None and NaN for one another" in note


@pytest.mark.parametrize(
    ("function", "columns"),
    [(np.log1p, "bool, int8, float16 or float32"), (np.reciprocal, "whole numbers"), (None, "")],
)
def test_a_function_that_reads_other_dtypes_otherwise_is_noted(function: Any, columns: str) -> None:
    first = ColumnTransformer([("f", FunctionTransformer(function), [0])], remainder="passthrough")
    model = make_pipeline(first, Ridge()).fit(np.abs(X) + 1, yr)
    assert [columns in note for note in note_dtypes(model)] == ([True] if function else [])


@pytest.mark.parametrize(
    ("before", "is_refused"),
    [(FunctionTransformer(np.log1p), True), (PCA(2), True), (FunctionTransformer(np.sqrt), False)],
)
def test_splits_on_numbers_that_are_rounded_otherwise_are_refused(before: Any, is_refused: bool) -> None:
    columns = ColumnTransformer([("a", before, [0, 1])], remainder="passthrough")
    model = make_pipeline(columns, StandardScaler(), HistGradientBoostingRegressor(max_iter=2)).fit(np.abs(X), yr)
    if is_refused:
        with pytest.raises(NotConvertible, match="rounds that otherwise"):
            convert_sklearn(model)
    else:
        assert compare(model, rows=16)["ordinary"] == 16


def test_products_are_rounded_as_the_originals() -> None:
    model = PolynomialFeatures(3).fit(X)
    products = open_session(convert_sklearn(model, precision="exact")).run(None, {"input": X})[0]
    assert np.array_equal(products, model.transform(X))


def test_a_pipeline_of_transformers_alone_gives_its_columns() -> None:
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2)).fit(X)
    assert compare(model, rows=16)["ordinary"] == 16
