"""LightGBM models of every objective, boosting mode and missing setting answer alike as ONNX."""

import json
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.trees.readers.lightgbm import read_lightgbm
from tests.converters.running import FORMS, assert_same

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
X[:, 0] = RNG.integers(0, 70, 300)
X[RNG.random(X.shape) < 0.1] = np.nan
X[RNG.random(X.shape) < 0.1] = 0.0
SCORE = np.nan_to_num(X[:, 1]) + np.nan_to_num(X[:, 0]) % 3
BINARY = (SCORE > 1).astype(int)
THREE = np.clip(SCORE, 0, 2).astype(int)
QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "min_data_in_bin": 1, "seed": 1}
FOREST = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}
COMMON = [
    {},
    {"zero_as_missing": True},
    {"use_missing": False},
    FOREST,
    {"boosting": "dart"},
    {"data_sample_strategy": "goss"},
    {"max_cat_to_onehot": 100},
    {"linear_tree": True},
    {"boosting": "dart", "linear_tree": True, "use_missing": False},
    {"extra_trees": True, "path_smooth": 1.0, "monotone_constraints": [0, 1, 0, 0]},
]


def train(settings: dict[str, Any], y: Any, rounds: int = 12, **options: Any) -> lgb.Booster:
    data = lgb.Dataset(X, y, categorical_feature=[0], **options)
    return lgb.train({**QUIET, **settings}, data, rounds)


def same(booster: lgb.Booster, precision: Any, opset_ml: Any, data: Any = X) -> None:
    ensemble = read_lightgbm(booster)
    assert_same(
        ensemble, lambda rows: (booster.predict(rows).reshape(len(rows), -1), None), precision, opset_ml, data=data
    )


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
@pytest.mark.parametrize("settings", COMMON, ids=lambda s: ",".join(map(str, s)) or "plain")
def test_modes(settings: dict[str, Any], precision: str, opset_ml: int) -> None:
    same(train({"objective": "binary", **settings}, BINARY), precision, opset_ml)


@pytest.mark.parametrize(("precision", "opset_ml"), [FORMS[0], FORMS[3]])
@pytest.mark.parametrize(
    "settings",
    [{"objective": name} for name in ("regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma")]
    + [{"objective": name} for name in ("tweedie", "cross_entropy", "cross_entropy_lambda")]
    + [{"objective": name, "reg_sqrt": True} for name in ("regression", "regression_l1", "fair", "quantile")]
    + [{"objective": name, **FOREST} for name in ("regression", "poisson", "cross_entropy")]
    + [{"objective": "binary", "sigmoid": 2.5}, {"objective": "regression", "linear_tree": True}],
    ids=lambda s: "-".join(str(v) for v in s.values()),
)
def test_objectives(settings: dict[str, Any], precision: str, opset_ml: int) -> None:
    target = BINARY if settings["objective"].startswith(("cross", "binary")) else BINARY + 0.5
    same(train(settings, target), precision, opset_ml)


@pytest.mark.parametrize(("precision", "opset_ml"), [FORMS[0], FORMS[3]])
@pytest.mark.parametrize(
    "settings",
    [{"objective": name, **more} for name in ("multiclass", "multiclassova") for more in ({}, FOREST)]
    + [{"objective": "multiclass", "boosting": "dart"}, {"objective": "multiclassova", "sigmoid": 1.7}],
    ids=lambda s: "-".join(str(v) for v in s.values()),
)
def test_several_classes(settings: dict[str, Any], precision: str, opset_ml: int) -> None:
    same(train({**settings, "num_class": 3}, THREE), precision, opset_ml)


@pytest.mark.parametrize("name", ["lambdarank", "rank_xendcg"])
def test_ranking(name: str) -> None:
    booster = train({"objective": name}, THREE, group=[30] * 10)
    assert read_lightgbm(booster).task == "ranking"
    same(booster, "exact", 5)


def test_custom_objective_gives_raw_scores() -> None:
    def gradient(scores: Any, data: lgb.Dataset) -> Any:
        return scores - data.get_label(), np.ones_like(scores)

    booster = train({"objective": gradient}, BINARY)
    assert read_lightgbm(booster).task == "raw"
    same(booster, "exact", 5)


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
@pytest.mark.parametrize("rounds", [1, 7])
def test_trees_of_one_leaf(rounds: int, precision: str, opset_ml: int) -> None:
    same(train({"objective": "regression", "min_data_in_leaf": 1000}, SCORE, rounds), precision, opset_ml)


@pytest.mark.parametrize("classes", [["no", "yes"], [False, True], [7, -3], [1.0, 2.0], ["a", "b", "c"], [10, 20, 30]])
@pytest.mark.parametrize(("precision", "opset_ml"), [FORMS[0], FORMS[3]])
def test_wrapper_labels(classes: list[Any], precision: str, opset_ml: int) -> None:
    labels = np.array(sorted(classes), dtype=object if isinstance(classes[0], str) else None)
    y = labels[THREE if len(classes) == 3 else BINARY]
    model = lgb.LGBMClassifier(n_estimators=8, min_child_samples=5, verbose=-1, n_jobs=1).fit(X, y)
    ensemble = read_lightgbm(model)

    def oracle(rows: Any) -> Any:
        probabilities = model.predict_proba(rows)
        return probabilities[:, 1:] if len(classes) == 2 else probabilities, model.predict(rows)

    assert_same(ensemble, oracle, precision, opset_ml, data=X)


@pytest.mark.parametrize("values", [list("xyzw"), [3, 7, 70000, -2], [True, False], [0.5, 2.25, 10.0]], ids=str)
@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
def test_pandas_categories(values: list[Any], precision: str, opset_ml: int) -> None:
    picked = RNG.integers(0, len(values), 300)
    frame = pd.DataFrame({"n": X[:, 1], "c": pd.Categorical([values[i] for i in picked], categories=values)})
    model = lgb.LGBMRegressor(n_estimators=8, min_child_samples=3, verbose=-1, n_jobs=1).fit(
        frame, picked % 3 + X[:, 2]
    )
    ensemble = read_lightgbm(model)
    assert ensemble.features[1].categories == tuple(values)

    def oracle(rows: Any) -> Any:
        codes = [-1 if np.isnan(code) else int(code) for code in rows[:, 1]]
        frame_of_codes = pd.DataFrame(
            {"n": rows[:, 0], "c": pd.Categorical.from_codes(codes, categories=pd.Index(values))}
        )
        return model.predict(frame_of_codes).reshape(-1, 1), None

    assert_same(ensemble, oracle, precision, opset_ml)


def test_early_stopping_offers_both() -> None:
    noisy = SCORE + RNG.normal(size=300)
    data = lgb.Dataset(X[:200], noisy[:200])
    booster = lgb.train(
        {**QUIET, "objective": "regression"},
        data,
        60,
        valid_sets=[lgb.Dataset(X[200:], noisy[200:], reference=data)],
        callbacks=[lgb.early_stopping(2, verbose=False)],
        keep_training_booster=True,
    )
    best, every = read_lightgbm(booster), read_lightgbm(booster, trees="all")
    assert best.trees == booster.best_iteration < every.trees
    assert_same(best, lambda rows: (booster.predict(rows).reshape(-1, 1), None), "exact", 5)
    assert_same(every, lambda rows: (booster.predict(rows, num_iteration=-1).reshape(-1, 1), None), "exact", 5)


def test_mixed_missing_settings_in_one_model() -> None:
    first = train({"objective": "regression", "zero_as_missing": True}, SCORE)
    data = lgb.Dataset(X, SCORE * 2, categorical_feature=[1], free_raw_data=False)
    second = lgb.train({**QUIET, "objective": "regression"}, data, 8, init_model=first)
    for precision, opset_ml in FORMS:
        text = second.model_to_string()
        booster = lgb.Booster(model_str=text)
        same(booster, precision, opset_ml)


def test_thresholds_next_to_zero() -> None:
    tiny = RNG.choice([-3e-35, -2e-36, 0.0, 2e-36, 3e-35, 1.0], size=(300, 1))
    booster = lgb.train({**QUIET, "objective": "regression"}, lgb.Dataset(tiny, tiny[:, 0] > 0), 5)
    text = booster.model_to_string()
    for edge in ("-2e-36", "-0.0", "1e-40", "-1e-300", "9e-36"):
        edited = "\n".join(
            "threshold=" + " ".join([edge] * len(line.split("=")[1].split())) if line.startswith("threshold=") else line
            for line in text.splitlines()
        )
        edited = "\n".join(line for line in edited.splitlines() if not line.startswith("tree_sizes"))
        for precision in ("exact", "float32"):
            same(lgb.Booster(model_str=edited), precision, 5, tiny)


TEXT = train({"objective": "binary"}, BINARY, 3).model_to_string()


UNSIZED = "\n".join(line for line in TEXT.split("\n") if not line.startswith("tree_sizes="))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "tree\n",
        TEXT[: len(TEXT) // 2],
        UNSIZED.replace("Tree=1\n", "Tree=7\n"),
        UNSIZED.replace("\nleft_child=", "\nleft_child=900 ", 1),
        UNSIZED.replace("\nleft_child=", "\nleft_kind=", 1),
        UNSIZED.replace("split_feature=", "split_feature=99 ", 1),
        UNSIZED.replace("num_leaves=", "num_leaves=1", 1),
        UNSIZED.replace("max_feature_idx=3", "max_feature_idx=2"),
        UNSIZED.replace("num_tree_per_iteration=1", "num_tree_per_iteration=2"),
        UNSIZED.replace("\nthreshold=", "\nthreshold=x", 1),
        UNSIZED.replace("feature_names=", "names="),
    ],
)
def test_broken_text(broken: str) -> None:
    with pytest.raises(ModelError):
        read_lightgbm(broken)


def test_a_child_that_is_its_own_parent() -> None:
    line = next(line for line in TEXT.splitlines() if line.startswith("left_child="))
    looped = "left_child=" + " ".join(["0"] * len(line.split("=")[1].split()))
    with pytest.raises(ModelError, match="two parents"):
        read_lightgbm(UNSIZED.replace(line, looped))


def test_what_is_refused() -> None:
    with pytest.raises(NotConvertible, match="mystery"):
        read_lightgbm(TEXT.replace("objective=binary sigmoid:1", "objective=mystery"))
    lists = "pandas_categorical:" + json.dumps([["a"], ["b"]])
    with pytest.raises(ModelError, match="pandas categories"):
        read_lightgbm(TEXT.replace("pandas_categorical:null", lists).replace("pandas_categorical:[]", lists))


@pytest.mark.parametrize("codes", [[2, 3, 5, 7, 11], [1, 2, 3, 40]], ids=["few", "beyond"])
def test_categories_of_a_column_that_counts_as_numbers_are_not_given_to_another(codes: list[int]) -> None:
    frame = pd.DataFrame({"month": np.arange(300) % 12 + 1, "store": RNG.choice(codes, 300)})
    month = frame.assign(month=frame["month"].astype("category"))
    model = lgb.LGBMRegressor(n_estimators=2, verbose=-1, n_jobs=1)
    model.fit(month, frame["month"] + frame["store"] % 3, categorical_feature=["store"])
    with pytest.raises(ModelError, match="'store' does not seem to be the column that has these 12"):
        read_lightgbm(model)


@pytest.mark.parametrize(("objective", "is_noted"), [("binary", False), ("cross_entropy_lambda", True)])
def test_a_classifier_whose_objective_knows_no_classes_is_noted(objective: str, is_noted: bool) -> None:
    model = lgb.LGBMClassifier(n_estimators=2, objective=objective, verbose=-1, n_jobs=1).fit(X, BINARY)
    assert any("no labels" in note for note in read_lightgbm(model).notes) is is_noted
