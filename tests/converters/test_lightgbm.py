"""LightGBM models of every objective, boosting and missing setting answer the same after conversion."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.converters.oracle import MODES, assert_same, session

from infer_bench.converters.lightgbm import read_lightgbm
from infer_bench.converters.writer import write_onnx
from infer_bench.errors import ModelError, NotConvertible

lgb = pytest.importorskip("lightgbm")

QUIET = {"verbose": -1, "num_threads": 1, "deterministic": True, "min_data_in_leaf": 3, "num_leaves": 12}
OBJECTIVES = (
    "regression regression_l1 huber fair poisson quantile mape gamma tweedie binary multiclass multiclassova "
    "cross_entropy cross_entropy_lambda lambdarank rank_xendcg none"
).split()
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rf": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
    "dart": {"boosting": "dart", "drop_rate": 0.5},
    "goss": {"data_sample_strategy": "goss"},
    "zero missing": {"zero_as_missing": True},
    "nothing missing": {"use_missing": False},
    "own link": {"reg_sqrt": True, "sigmoid": 2.5},
    "linear": {"linear_tree": True},
}


def table() -> tuple[Any, Any]:
    """Rows with missing values, a sparse column, a grid, and categories that matter."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 5))
    rows[random.random(rows.shape) < 0.1] = np.nan
    rows[random.random(300) < 0.4, 2] = 0
    rows[:, 3] = random.integers(0, 40, 300)
    rows[:, 4] = np.round(rows[:, 4] * 2) / 2
    score = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1]) * np.isin(rows[:, 3], [1, 4, 7, 33])
    return rows, score + np.nan_to_num(rows[:, 4]) + (rows[:, 2] == 0)


ROWS, SCORE = table()


def target(objective: str) -> Any:
    if objective in ("binary", "cross_entropy", "cross_entropy_lambda", "lambdarank", "rank_xendcg"):
        return (SCORE > 0).astype(float)
    if objective.startswith("multi"):
        return (SCORE > 0).astype(int) + (SCORE > 1)
    return np.abs(SCORE) + 0.1 if objective in ("poisson", "gamma", "tweedie") else SCORE


def train(objective: str, rounds: int = 5, rows: Any = ROWS, **settings: Any) -> Any:
    params = {**QUIET, **settings, "objective": objective}
    if objective.startswith("multi"):
        params["num_class"] = 3
    if objective == "none":
        params["objective"] = lambda guess, data: (guess - data.get_label(), np.ones(len(guess)))
    data = lgb.Dataset(rows, target(objective), categorical_feature=[3], free_raw_data=False)
    if "rank" in objective:
        data.set_group([30] * 10)
    return lgb.train(params, data, rounds)


def raw(booster: Any, **options: Any) -> Any:
    return lambda rows: booster.predict(rows.astype(np.float64), num_threads=1, **options)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_and_setting(objective: str, setting: str) -> None:
    if setting == "linear" and objective in ("regression_l1", "quantile", "mape"):
        pytest.skip("LightGBM grows no linear trees for it")
    if setting == "rf" and objective == "none":
        pytest.skip("LightGBM grows no random forest without an objective of its own")
    booster = train(objective, **SETTINGS[setting])
    assert_same(read_lightgbm(booster), raw(booster), limit=200)


def test_text_of_a_file_reads_as_the_booster_does() -> None:
    booster = train("binary")
    assert write_onnx(read_lightgbm(booster.model_to_string())) == write_onnx(read_lightgbm(booster))


def test_early_stopping_takes_the_best_trees_and_all_on_request() -> None:
    data = lgb.Dataset(ROWS, SCORE, free_raw_data=False)
    noise = lgb.Dataset(ROWS[:80], np.random.default_rng(1).normal(size=80), reference=data)
    stop = lgb.early_stopping(3, verbose=False)
    params = {**QUIET, "objective": "l2"}
    booster = lgb.train(params, data, 60, valid_sets=[noise], callbacks=[stop], keep_training_booster=True)
    assert 0 < booster.best_iteration < booster.num_trees()
    assert_same(read_lightgbm(booster), raw(booster), modes=MODES[:1])
    assert_same(read_lightgbm(booster, trees="all"), raw(booster, num_iteration=-1), modes=MODES[:1])


LABELS = {
    "text": ["no", "yes", "maybe"],
    "integers": [3, -1, 7],
    "floats": [0.0, 2.0, 1.0],
    "booleans": [False, True],
    "two texts": ["b", "a"],
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("pickled", [False, True])
def test_wrappers_keep_their_labels(kind: str, pickled: bool) -> None:
    labels = np.array(LABELS[kind])
    chosen = labels[(SCORE > 0).astype(int) + ((SCORE > 1) if len(labels) > 2 else 0)]
    model = lgb.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1, num_leaves=6).fit(ROWS, chosen)
    held = pickle.loads(pickle.dumps(model)) if pickled else model

    def predict(rows: Any) -> Any:
        answers = model.predict_proba(rows.astype(np.float64))
        return answers[:, 1] if len(labels) == 2 else answers

    assert_same(read_lightgbm(held), predict, lambda rows: model.predict(rows.astype(np.float64)), limit=150)


def frame() -> pd.DataFrame:
    random = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "city": pd.Categorical(random.choice(["Oslo", "Ålesund", "rome", "x y"], 300)),
            "size": random.normal(size=300),
            "code": pd.Categorical(random.choice([5, 3, 90], 300)),
            "flag": pd.Categorical(random.choice([True, False], 300)),
        }
    )


def test_pandas_categories_are_compared_by_their_own_values() -> None:
    given = frame()
    truth = given["city"].isin(["Oslo", "x y"]) * 2.0 + (given["code"] == 90) * given["size"] + (given["flag"] == True)  # noqa: E712
    booster = lgb.train({**QUIET, "min_data_per_group": 3, "objective": "l2"}, lgb.Dataset(given, truth), 8)
    ensemble = read_lightgbm(booster)
    assert [len(feature.categories) for feature in ensemble.features] == [4, 0, 3, 2]

    def predict(rows: Any) -> Any:
        columns = {}
        for i, feature in enumerate(ensemble.features):
            codes = np.where(np.isnan(rows[:, i]), -1, rows[:, i])
            known = feature.categories
            columns[feature.name] = pd.Categorical.from_codes(codes.astype(int), list(known)) if known else rows[:, i]
        return booster.predict(pd.DataFrame(columns), num_threads=1)

    assert_same(ensemble, predict)


@pytest.mark.parametrize("rounds", [0, 1])
def test_models_of_stumps_and_no_trees(rounds: int) -> None:
    params = {**QUIET, "objective": "l2", "min_data_in_leaf": 1000}
    booster = lgb.Booster(params, lgb.Dataset(ROWS, SCORE))
    for _ in range(rounds):
        booster.update()
    assert booster.num_trees() == rounds
    assert_same(read_lightgbm(booster), raw(booster), limit=60)


def test_a_feature_may_be_zero_missing_in_one_tree_and_not_in_the_next() -> None:
    first = train("regression", zero_as_missing=True)
    data = lgb.Dataset(ROWS, SCORE, categorical_feature=[3], free_raw_data=False)
    booster = lgb.train({**QUIET, "objective": "regression"}, data, 4, init_model=first)
    assert_same(read_lightgbm(booster), raw(booster))


def test_one_split_on_a_threshold_near_zero() -> None:
    rows = np.repeat([[-1.0], [-1e-36], [0.0], [1e-36], [1e-30], [1.0]], 20, axis=0)
    booster = lgb.train({**QUIET, "objective": "l2"}, lgb.Dataset(rows, np.arange(120.0)), 5)
    assert_same(read_lightgbm(booster), raw(booster))


def test_exact_float32_input_is_decided_as_float64_is() -> None:
    """A threshold between two float32 numbers moves the row that lies on its rounding."""
    t = 0.1
    rows = np.repeat([[np.float64(np.float32(t)) - 1e-9], [np.float64(np.float32(t)) + 1e-9]], 30, axis=0)
    booster = lgb.train({**QUIET, "objective": "l2"}, lgb.Dataset(rows, np.repeat([0.0, 1.0], 30)), 1)
    ensemble = read_lightgbm(booster)
    run = session(write_onnx(ensemble, precision="float32"))
    on = np.nextafter(np.full((1, 1), t, np.float32), np.float32([[-1], [0], [1]]))
    assert np.allclose(run.run(None, {"input": on})[-1][:, 0], booster.predict(on.astype(np.float64)), atol=1e-6)


DAMAGE = {
    "cut": lambda text: text[: len(text) // 2],
    "emptied": lambda text: "",
    "other": lambda text: "hello\n" + text,
    "tree removed": lambda text: text[: text.index("Tree=1")] + text[text.index("Tree=2") :],
    "child out of range": lambda text: text.replace("left_child=", "left_child=99 ", 1),
    "feature out of range": lambda text: text.replace("split_feature=", "split_feature=77 ", 1),
    "no numbers": lambda text: text.replace("threshold=", "threshold=abc ", 1),
    "leaf missing": lambda text: text.replace("leaf_value=", "leaf_valu=", 1),
    "no classes": lambda text: text.replace("num_tree_per_iteration=1", "num_tree_per_iteration=x"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_text_is_refused(damage: str) -> None:
    text = DAMAGE[damage](train("regression").model_to_string())
    with pytest.raises(ModelError):
        read_lightgbm(text)


def test_a_loop_in_a_tree_is_refused() -> None:
    text = train("regression", num_leaves=4).model_to_string()
    line = next(line for line in text.splitlines() if line.startswith("left_child="))
    looped = line.replace("left_child=1", "left_child=0") if "=1" in line else "left_child=0 0 0"
    with pytest.raises(ModelError):
        read_lightgbm(text.replace(line, looped, 1))


def test_an_unknown_objective_is_refused() -> None:
    text = train("regression").model_to_string().replace("objective=regression", "objective=of_tomorrow")
    with pytest.raises(NotConvertible, match="of_tomorrow"):
        read_lightgbm(text)


def test_an_unfitted_wrapper_is_refused() -> None:
    with pytest.raises(ModelError):
        read_lightgbm(lgb.LGBMRegressor())
