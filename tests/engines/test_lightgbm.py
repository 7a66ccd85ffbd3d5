"""LightGBM's objectives, options and files, each against LightGBM's own plain prediction."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from infer_bench.errors import EngineError, ModelError
from tests.engines import zoo
from tests.engines.zoo import answer, answer_one_by_one, matrix, open_session, records, ref, target, three

PARAMS = {"num_leaves": 5, "min_data_in_leaf": 3, "verbose": -1, "num_threads": 1}
BAG = {"bagging_freq": 1, "bagging_fraction": 0.7}


def train(rows: Any, label: Any, rounds: int = 4, **params: Any) -> lightgbm.Booster:
    group = [len(label)] if str(params.get("objective")).startswith(("lambda", "rank")) else None
    data = lightgbm.Dataset(rows, label, group=group)
    return lightgbm.train({**PARAMS, **params}, data, rounds)


def own_objective(scores: Any, data: lightgbm.Dataset) -> tuple[Any, Any]:
    return scores - data.get_label(), np.ones(len(scores))


@pytest.mark.parametrize(
    ("params", "task"),
    [
        ({"objective": "binary", "sigmoid": 2.5}, "binary"),
        ({"objective": "binary", "boosting": "rf", **BAG}, "binary"),
        ({"objective": "multiclass", "num_class": 3}, "multiclass"),
        ({"objective": "multiclassova", "num_class": 3}, "multiclass"),
        ({"objective": "multiclass", "num_class": 3, "boosting": "rf", **BAG}, "multiclass"),
        ({"objective": "regression", "reg_sqrt": True}, "regression"),
        ({"objective": "regression", "boosting": "dart"}, "regression"),
        ({"objective": "regression", "linear_tree": True}, "regression"),
        ({"objective": "regression", "zero_as_missing": True}, "regression"),
        ({"objective": "poisson"}, "regression"),
        ({"objective": "tweedie"}, "regression"),
        ({"objective": "quantile", "alpha": 0.3}, "regression"),
        ({"objective": "cross_entropy"}, "regression"),
        ({"objective": "cross_entropy_lambda"}, "regression"),
        ({"objective": "lambdarank"}, "ranking"),
        ({"objective": own_objective}, "raw"),
    ],
    ids=lambda value: (
        "-".join(getattr(v, "__name__", str(v)) for v in value.values()) if isinstance(value, dict) else ""
    ),
)
def test_every_objective_answers_as_the_booster_does(params: dict[str, Any], task: str, tmp_path: Path) -> None:
    rows = matrix()
    label = three(rows) if "num_class" in params else target(rows)
    booster = train(zoo.frame(rows), label, **params)
    path = tmp_path / "m.txt"
    booster.save_model(path)
    reference = np.asarray(booster.predict(zoo.frame(rows))).reshape(60, -1)
    for feed in ("ndarray", "dataframe"):
        session = open_session("lightgbm", ref(path, "lightgbm", "lightgbm-text"), feed=feed)
        assert session.spec.task == task
        np.testing.assert_array_equal(answer(session, zoo.table(rows)), reference)
        np.testing.assert_array_equal(answer_one_by_one(session, zoo.table(rows)), reference)


def mixed(rows: int = 80) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "x": random.normal(size=rows),
            "city": pd.Categorical(random.choice(["Oslo", "Bonn", "Lima"], rows)),
            "code": pd.Categorical(random.choice([10, 20, 30, 40], rows)),
        }
    )
    return frame, (frame.x + (frame.city == "Lima") * 2 + (frame.code == 20) > 0.5).astype(int)


@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
def test_pandas_categories_are_found_by_value_whatever_the_type(feed: str, tmp_path: Path) -> None:
    frame, label = mixed()
    booster = train(frame, label, min_data_per_group=1, cat_smooth=1)
    path = tmp_path / "m.txt"
    booster.save_model(path)
    session = open_session("lightgbm", ref(path, "lightgbm", "lightgbm-text"), feed=feed)
    reference = booster.predict(frame).reshape(-1, 1)
    columns = {"code": frame.code.to_numpy(dtype=np.int64), "city": frame.city.to_numpy(), "x": frame.x.to_numpy()}
    np.testing.assert_array_equal(answer(session, columns), reference)
    np.testing.assert_array_equal(answer_one_by_one(session, columns), reference)
    as_floats = {**columns, "code": frame.code.to_numpy(dtype=np.float64)}
    np.testing.assert_array_equal(answer(session, as_floats), reference)
    assert [feature.kind for feature in session.spec.features] == ["float", "category", "category"]
    assert session.spec.features[1].categories == ("Bonn", "Lima", "Oslo")
    unknown = frame.head(1).assign(city=pd.Categorical([None]))
    reference = booster.predict(unknown.assign(city=pd.Categorical([np.nan], categories=["Bonn", "Lima", "Oslo"])))
    for stranger in ("Rome", None, float("nan")):
        record = {**records(columns)[0], "city": stranger}
        np.testing.assert_array_equal(answer(session, record)[0], reference)
    with pytest.raises(EngineError, match="categor"):
        open_session("lightgbm", ref(path, "lightgbm", "lightgbm-text"), feed="packed")


def test_category_numbers_without_pandas_pass_as_they_are(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = np.column_stack([random.normal(size=80), random.integers(0, 40, 80)])
    data = lightgbm.Dataset(rows, (rows[:, 1] % 3 == 0).astype(int), categorical_feature=[1])
    booster = lightgbm.train({**PARAMS, "objective": "binary", "min_data_per_group": 1, "cat_smooth": 1}, data, 3)
    path = tmp_path / "m.txt"
    booster.save_model(path)
    columns = {"Column_0": rows[:, 0], "Column_1": rows[:, 1]}
    for feed in ("ndarray", "dataframe", "packed"):
        session = open_session("lightgbm", ref(path, "lightgbm", "lightgbm-text"), feed=feed)
        np.testing.assert_array_equal(answer(session, columns)[:, 0], booster.predict(rows))
    assert set(session.domain().thresholds["Column_1"]) <= set(range(40))
    assert session.spec.features[1].kind == "category"


@pytest.mark.parametrize("api", ["booster", "sklearn"])
@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [3, 7], ["a", "b", "c"]], ids=str)
def test_a_pickled_wrapper_keeps_its_labels(api: str, feed: str, labels: list[Any], tmp_path: Path) -> None:
    rows = matrix()
    codes = three(rows) if len(labels) == 3 else target(rows)
    model = lightgbm.LGBMClassifier(**zoo.TINY).fit(zoo.frame(rows), np.array(labels)[codes])
    path = zoo.dump(model, tmp_path / "m.pkl")
    session = open_session("lightgbm", ref(path, "lightgbm", "pickle"), api=api, feed=feed)
    assert session.spec.classes == tuple(labels)
    predictions = answer(session, zoo.table(rows))
    own_labels = session.labels(predictions)
    assert own_labels is not None
    assert own_labels.tolist() == model.predict(zoo.frame(rows)).tolist()
    proba = np.asarray(model.predict_proba(zoo.frame(rows)))
    np.testing.assert_array_equal(predictions, proba if len(labels) == 3 else proba[:, 1:])


@pytest.mark.parametrize("api", ["booster", "sklearn"])
def test_early_stopping_answers_with_the_best_iteration(api: str, tmp_path: Path) -> None:
    rows = matrix()
    model = lightgbm.LGBMRegressor(**{**zoo.TINY, "n_estimators": 50})
    noise = np.random.default_rng(1).normal(size=60)
    model.fit(rows[:40], noise[:40], eval_X=rows[40:], eval_y=noise[40:], callbacks=[lightgbm.early_stopping(2)])
    assert model.best_iteration_ < 50
    path = zoo.dump(model, tmp_path / "m.pkl")
    columns = zoo.table(rows, tuple(model.feature_name_))
    predictions = answer(open_session("lightgbm", ref(path, "lightgbm", "pickle"), api=api), columns)
    np.testing.assert_array_equal(predictions[:, 0], model.predict(zoo.pd_frame(columns)))


def test_a_booster_has_no_wrapper(tmp_path: Path) -> None:
    booster = train(matrix(), target(matrix()), objective="binary")
    path = zoo.dump(booster, tmp_path / "m.pkl")
    with pytest.raises(EngineError, match="api=booster"):
        open_session("lightgbm", ref(path, "lightgbm", "pickle"), api="sklearn")
    assert open_session("lightgbm", ref(path, "lightgbm", "pickle")).spec.task == "binary"
    path = zoo.dump({"weights": [1]}, tmp_path / "dict.pkl")
    with pytest.raises(ModelError, match="dict"):
        open_session("lightgbm", ref(path, "lightgbm", "pickle"))


def test_a_cut_file_is_refused_before_the_library_aborts(tmp_path: Path) -> None:
    text = train(matrix(), target(matrix()), objective="binary").model_to_string()
    whole = text.split("Tree=2")
    for broken in (text[: len(text) // 2], text[:200], whole[0] + text[text.index("end of trees") :]):
        path = tmp_path / "m.txt"
        path.write_text(broken)
        with pytest.raises(ModelError):
            open_session("lightgbm", ref(path, "lightgbm", "lightgbm-text"))


def test_the_domain_holds_each_threshold_of_the_dumped_trees(tmp_path: Path) -> None:
    booster = train(zoo.frame(matrix()), target(matrix()), objective="binary")
    path = tmp_path / "m.txt"
    booster.save_model(path)
    domain = open_session("lightgbm", ref(path, "lightgbm", "lightgbm-text")).domain()
    table = booster.trees_to_dataframe().dropna(subset=["threshold"])
    for name, group in table.groupby("split_feature"):
        np.testing.assert_allclose(domain.thresholds[name], sorted(set(group.threshold)))
    assert "income" in domain.missing
