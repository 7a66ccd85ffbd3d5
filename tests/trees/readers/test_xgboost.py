"""XGBoost models of every objective and booster answer alike as ONNX."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.trees.evaluate import predict
from infer_bench.trees.readers.xgboost import read_xgboost
from tests.converters.running import FORMS, assert_same

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
X[RNG.random(X.shape) < 0.1] = np.nan
X[RNG.random(X.shape) < 0.1] = 0.0
X[:, 0] = RNG.integers(0, 600, 300)
SCORE = np.nan_to_num(X[:, 1]) + X[:, 0] % 3
BINARY = (SCORE > 1).astype(int)
THREE = np.clip(SCORE, 0, 2).astype(int)
POSITIVE = RNG.random(300) + 0.1
TARGETS = np.stack([POSITIVE, POSITIVE * 2 + SCORE], axis=1)
BOTH = [FORMS[0], FORMS[1], FORMS[3]]


def train(settings: dict[str, Any], y: Any, **options: Any) -> xgb.Booster:
    data = xgb.DMatrix(X, y, **options)
    if settings.get("objective") == "survival:aft":
        data = xgb.DMatrix(X)
        data.set_float_info("label_lower_bound", y)
        data.set_float_info("label_upper_bound", y + 1)
    depth = {} if settings.get("booster") == "gblinear" else {"max_depth": 4}
    return xgb.train({**depth, "nthread": 1, "seed": 1, **settings}, data, 8)


def softmax(margins: Any) -> Any:
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def same(booster: xgb.Booster, precision: Any, opset_ml: Any, **options: Any) -> None:
    ensemble = read_xgboost(booster)
    hard = json.loads(booster.save_config())["learner"]["objective"]["name"] == "multi:softmax"

    def oracle(rows: Any) -> Any:
        if hard:
            return softmax(booster.inplace_predict(rows, predict_type="margin")), None
        return booster.inplace_predict(rows).reshape(len(rows), -1).astype(float), None

    assert_same(ensemble, oracle, precision, opset_ml, data=X, **options)


REGRESSIONS = ("squarederror", "squaredlogerror", "pseudohubererror", "absoluteerror", "gamma", "tweedie", "logistic")


@pytest.mark.parametrize(("precision", "opset_ml"), BOTH)
@pytest.mark.parametrize(
    ("settings", "y"),
    [({"objective": f"reg:{name}"}, BINARY * 0.5 + 0.25) for name in REGRESSIONS]
    + [({"objective": name}, POSITIVE) for name in ("count:poisson", "survival:cox", "survival:aft")]
    + [({"objective": name}, BINARY) for name in ("binary:logistic", "binary:logitraw", "binary:hinge")]
    + [({"objective": name, "num_class": 3}, THREE) for name in ("multi:softprob", "multi:softmax")]
    + [({"objective": "reg:quantileerror", "quantile_alpha": 0.3}, POSITIVE)]
    + [({"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]}, POSITIVE)]
    + [({"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9], "base_score": 0.3}, POSITIVE)],
    ids=str,
)
def test_objectives(settings: dict[str, Any], y: Any, precision: str, opset_ml: int) -> None:
    same(train(settings, y), precision, opset_ml)


def test_quantiles_are_sorted_where_the_version_that_wrote_them_does() -> None:
    booster = train({"objective": "reg:quantileerror", "quantile_alpha": [0.4, 0.5], "base_score": 0.3}, POSITIVE)
    document = json.loads(booster.save_raw("json"))
    older, newer = (read_xgboost(json.dumps({**document, "version": [3, minor, 0]})) for minor in (3, 4))
    assert (np.diff(predict(older, X), axis=1) < 0).any()
    assert (np.diff(predict(newer, X), axis=1) >= 0).all()
    assert np.array_equal(np.sort(predict(older, X), axis=1), predict(newer, X))
    assert any("not sorted" in note for note in older.notes)
    assert not newer.notes


@pytest.mark.skipif(tuple(map(int, xgb.__version__.split(".")[:2])) < (3, 4), reason="since XGBoost 3.4")
def test_expectiles() -> None:
    """Of several, each is the one below it and a softplus: only one alone is as plain as a quantile."""
    same(train({"objective": "reg:expectileerror", "expectile_alpha": 0.3}, POSITIVE), "float32", 5)
    several = train({"objective": "reg:expectileerror", "expectile_alpha": [0.1, 0.5, 0.9]}, POSITIVE)
    with pytest.raises(NotConvertible, match="several expectiles"):
        read_xgboost(several)


def test_what_an_unbiased_ranking_keeps_is_known() -> None:
    data = xgb.DMatrix(X, THREE)
    data.set_group([30] * 10)
    booster = xgb.train({"objective": "rank:ndcg", "lambdarank_unbiased": True, "nthread": 1}, data, 3)
    assert "ti+" in json.loads(booster.save_raw("json"))["learner"]["objective"]
    same(booster, "float32", 5)


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
@pytest.mark.parametrize(
    ("settings", "y"),
    [
        ({"booster": "dart", "rate_drop": 0.5, "one_drop": 1, "objective": "binary:logistic"}, BINARY),
        ({"booster": "dart", "rate_drop": 0.5, "objective": "multi:softprob", "num_class": 3}, THREE),
        ({"multi_strategy": "multi_output_tree"}, TARGETS),
        ({"multi_strategy": "multi_output_tree", "objective": "multi:softprob", "num_class": 3}, THREE),
        ({}, TARGETS),
        ({"objective": "binary:logistic"}, np.stack([BINARY, 1 - BINARY], axis=1)),
        ({"num_parallel_tree": 3, "subsample": 0.5}, POSITIVE),
        ({"num_parallel_tree": 2, "subsample": 0.5, "objective": "multi:softprob", "num_class": 3}, THREE),
        ({"base_score": 0.3, "objective": "binary:logistic"}, BINARY),
        ({"base_score": 5.0, "objective": "count:poisson"}, POSITIVE),
        ({"base_score": 0.3, "objective": "binary:logitraw"}, BINARY),
        ({"objective": "binary:logistic"}, np.zeros(300)),
        ({"objective": "binary:logistic"}, np.ones(300)),
        ({"objective": "count:poisson"}, np.zeros(300)),
        ({"gamma": 1e9}, POSITIVE),
        ({"tree_method": "exact", "grow_policy": "depthwise"}, POSITIVE),
        ({"max_leaves": 5, "grow_policy": "lossguide", "monotone_constraints": "(0,1,0,0)"}, POSITIVE),
    ],
    ids=str,
)
def test_boosters(settings: dict[str, Any], y: Any, precision: str, opset_ml: int) -> None:
    same(train(settings, y), precision, opset_ml)


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
@pytest.mark.parametrize("one_hot", [1, 1000])
def test_categories(one_hot: int, precision: str, opset_ml: int) -> None:
    options = {"feature_types": ["c", "q", "q", "q"], "enable_categorical": True}
    same(train({"objective": "binary:logistic", "max_cat_to_onehot": one_hot}, BINARY, **options), precision, opset_ml)


@pytest.mark.parametrize(("precision", "opset_ml"), BOTH)
@pytest.mark.parametrize(
    ("settings", "y"),
    [
        ({"objective": "binary:logistic"}, BINARY),
        ({"objective": "multi:softprob", "num_class": 3}, THREE),
        ({}, POSITIVE),
        ({}, TARGETS),
    ],
    ids=lambda value: str(value)[:40],
)
def test_linear(settings: dict[str, Any], y: Any, precision: str, opset_ml: int) -> None:
    booster = train({"booster": "gblinear", **settings}, y)

    def oracle(rows: Any) -> Any:
        return booster.predict(xgb.DMatrix(rows)).reshape(len(rows), -1), None

    assert_same(read_xgboost(booster), oracle, precision, opset_ml, data=X, skip=("infinity",))


@pytest.mark.parametrize("name", ["rank:pairwise", "rank:ndcg", "rank:map"])
def test_ranking(name: str) -> None:
    data = xgb.DMatrix(X, BINARY if name == "rank:map" else THREE)
    data.set_group([30] * 10)
    booster = xgb.train({"objective": name, "max_depth": 3, "nthread": 1}, data, 5)
    assert read_xgboost(booster).task == "ranking"
    same(booster, "float32", 5)


@pytest.mark.parametrize("y", [BINARY, THREE], ids=["two", "three"])
@pytest.mark.parametrize("trees", ["best", "all"])
def test_early_stopping(y: Any, trees: Any, tmp_path: Path) -> None:
    noisy = np.where(RNG.random(300) < 0.3, RNG.permutation(y), y)
    model = xgb.XGBClassifier(n_estimators=80, early_stopping_rounds=4, max_depth=3, n_jobs=1)
    model.fit(X[:200], noisy[:200], eval_set=[(X[200:], noisy[200:])], verbose=False)
    rounds = model.best_iteration + 1 if trees == "best" else model.get_booster().num_boosted_rounds()
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()

    def oracle(rows: Any) -> Any:
        margins = {"iteration_range": (0, rounds)}
        booster = model.get_booster()
        values = booster.inplace_predict(rows, **margins).reshape(len(rows), -1).astype(float)
        return values, values.argmax(axis=1) if values.shape[1] > 1 else (values[:, 0] > 0.5).astype(int)

    ensemble = read_xgboost(model, trees=trees)
    assert str(model.best_iteration) in ensemble.notes[0]
    assert_same(ensemble, oracle, "float32", 5, data=X)
    default = read_xgboost(model if trees == "best" else model.get_booster())
    assert default.trees == ensemble.trees
    document = tmp_path / "m.ubj"
    (model if trees == "best" else model.get_booster()).save_model(document)
    assert read_xgboost(document.read_bytes()).trees == ensemble.trees
    assert ("--trees all" if trees == "best" else "--trees best") in ensemble.notes[0]


@pytest.mark.parametrize("missing", [-999.0, 0.0, 3.5])
def test_missing_value_of_the_wrapper(missing: float) -> None:
    rows = np.where(np.isnan(X), missing, X)
    model = xgb.XGBRegressor(n_estimators=8, missing=missing, n_jobs=1).fit(rows, SCORE)

    def oracle(rows: Any) -> Any:
        return model.get_booster().inplace_predict(rows, missing=missing).reshape(-1, 1).astype(float), None

    for precision, opset_ml in FORMS:
        assert_same(read_xgboost(model), oracle, precision, opset_ml, data=np.concatenate([rows, X]))


@pytest.mark.parametrize("values", [list("xyzw"), [" ", "z", "long name", "~"], [3, 7, 70000, -2]], ids=str)
def test_pandas_categories(values: list[Any]) -> None:
    picked = RNG.integers(0, len(values), 300)
    frame = pd.DataFrame({"n": X[:, 1], "c": pd.Categorical([values[i] for i in picked], categories=values)})
    model = xgb.XGBRegressor(n_estimators=8, enable_categorical=True, n_jobs=1).fit(frame, picked % 3 + X[:, 0])
    ensemble = read_xgboost(model)
    assert ensemble.features[1].categories == tuple(values)

    def oracle(rows: Any) -> Any:
        codes = [-1 if np.isnan(code) else int(code) for code in rows[:, 1]]
        frame_of_codes = pd.DataFrame(
            {"n": rows[:, 0], "c": pd.Categorical.from_codes(codes, categories=pd.Index(values))}
        )
        return model.predict(frame_of_codes).reshape(-1, 1).astype(float), None

    for precision, opset_ml in FORMS:
        assert_same(ensemble, oracle, precision, opset_ml, skip=("infinity",))


def test_categories_that_xgboost_cuts_short_are_refused() -> None:
    values = ["éa", "b", "日本"]
    picked = RNG.integers(0, 3, 60)
    frame = pd.DataFrame({"c": pd.Categorical([values[i] for i in picked], categories=values)})
    model = xgb.XGBRegressor(n_estimators=2, enable_categorical=True, n_jobs=1).fit(frame, picked + RNG.random(60))
    document = json.loads(bytes(model.get_booster().save_raw("json")))
    if document["version"][:2] >= [3, 4]:  # which writes all of their bytes
        assert read_xgboost(model).features[0].categories == tuple(values)
    with pytest.raises(NotConvertible, match="'c'"):
        read_xgboost(json.dumps({**document, "version": [3, 2, 0]}))


def test_names_do_not_matter() -> None:
    names = ["f3", "f2", "f1", "income, net"]
    same(train({}, POSITIVE, feature_names=names, feature_types=["i", "q", "float", "int"]), "float32", 5)


DOCUMENT = json.loads(bytes(train({"objective": "binary:logistic"}, BINARY).save_raw("json")))


def edited(path: list[Any], value: Any) -> str:
    copy = json.loads(json.dumps(DOCUMENT))
    entry = copy
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value
    return json.dumps(copy)


MODEL = ["learner", "gradient_booster", "model"]


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "{}",
        "[]",
        "[" * 100_000,
        json.dumps(DOCUMENT)[:1000],
        edited(["learner"], None),
        edited([*MODEL, "trees"], []),
        edited([*MODEL, "trees", 0], {}),
        edited([*MODEL, "trees", 0, "left_children", 0], 99),
        edited([*MODEL, "trees", 0, "left_children", 0], 0),
        edited([*MODEL, "trees", 0, "right_children", 0], -7),
        edited([*MODEL, "trees", 0, "split_indices", 0], 4),
        edited([*MODEL, "trees", 0, "split_conditions"], []),
        edited([*MODEL, "trees", 0, "split_conditions", 0], "x"),
        edited([*MODEL, "tree_info", 0], 3),
        edited(["learner", "learner_model_param", "num_feature"], "1"),
        edited(["learner", "learner_model_param", "base_score"], "[1,2]"),
    ],
    ids=lambda text: text[:20],
)
def test_broken_documents(broken: str) -> None:
    with pytest.raises(ModelError):
        read_xgboost(broken)


def test_what_is_refused() -> None:
    with pytest.raises(NotConvertible, match="reg:mystery"):
        read_xgboost(edited(["learner", "objective", "name"], "reg:mystery"))
    with pytest.raises(ModelError, match="not fitted"):
        read_xgboost(xgb.XGBClassifier())


@pytest.mark.parametrize(("objective", "is_noted"), [("binary:logistic", False), ("reg:logistic", True)])
def test_a_classifier_whose_objective_knows_no_classes_is_noted(objective: str, is_noted: bool) -> None:
    model = xgb.XGBClassifier(n_estimators=2, objective=objective, n_jobs=1).fit(X, BINARY)
    assert any("no labels" in note for note in read_xgboost(model).notes) is is_noted
