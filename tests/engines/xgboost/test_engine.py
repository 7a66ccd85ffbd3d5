"""XGBoost's objectives, boosters and files, each against XGBoost's own plain prediction."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from infer_bench.errors import EngineError
from tests.engines import zoo
from tests.engines.zoo import answer, answer_one_by_one, matrix, open_session, records, ref, target, three

PARAMS = {"nthread": 1, "base_score": 0.3}
DEPTH = {"max_depth": 3}


def train(rows: Any, label: Any, rounds: int = 4, **params: Any) -> xgboost.Booster:
    data = xgboost.DMatrix(rows, label)
    if str(params["objective"]).startswith("rank"):
        data.set_group([len(label)])
    if params["objective"] == "survival:aft":
        data.set_float_info("label_lower_bound", label + 1.0)
        data.set_float_info("label_upper_bound", label + 2.0)
    depth = {} if params.get("booster") == "gblinear" else DEPTH
    return xgboost.train({**PARAMS, **depth, **params}, data, rounds)


@pytest.mark.parametrize("format", ["json", "ubj"])
@pytest.mark.parametrize(
    ("params", "task"),
    [
        ({"objective": "binary:logistic"}, "binary"),
        ({"objective": "binary:logistic", "booster": "gblinear", "updater": "coord_descent"}, "binary"),
        ({"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.3}, "binary"),
        ({"objective": "binary:logistic", "num_parallel_tree": 3, "subsample": 0.7}, "binary"),
        ({"objective": "binary:hinge"}, "binary"),
        ({"objective": "binary:logitraw"}, "raw"),
        ({"objective": "multi:softprob", "num_class": 3}, "multiclass"),
        ({"objective": "reg:squarederror"}, "regression"),
        ({"objective": "reg:logistic"}, "regression"),
        ({"objective": "reg:tweedie"}, "regression"),
        ({"objective": "count:poisson"}, "regression"),
        ({"objective": "survival:aft"}, "regression"),
        ({"objective": "survival:cox"}, "regression"),
        ({"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]}, "regression"),
        ({"objective": "rank:ndcg"}, "ranking"),
        ({"objective": "rank:pairwise"}, "ranking"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_every_objective_answers_as_the_booster_does(
    params: dict[str, Any], task: str, format: str, tmp_path: Path
) -> None:
    rows = matrix()
    booster = train(zoo.frame(rows), three(rows) if "num_class" in params else target(rows), **params)
    path = tmp_path / f"m.{format}"
    booster.save_model(path)
    reference = xgboost.Booster(model_file=path).predict(xgboost.DMatrix(zoo.frame(rows))).reshape(60, -1)
    for feed in ("ndarray", "dataframe"):
        session = open_session("xgboost", ref(path, "xgboost", f"xgboost-{format}"), feed=feed)
        assert session.spec.task == task
        # dart adds its weighted trees in another order in place than from a DMatrix
        close = 1e-7 if params.get("booster") == "dart" else 0.0
        np.testing.assert_allclose(answer(session, zoo.table(rows)), reference, rtol=0, atol=close)
        np.testing.assert_allclose(answer_one_by_one(session, zoo.table(rows)), reference, rtol=0, atol=close)


def test_a_softmax_model_answers_with_probabilities_that_agree_with_its_labels(tmp_path: Path) -> None:
    rows = matrix()
    booster = train(rows, three(rows), objective="multi:softmax", num_class=3)
    path = tmp_path / "m.json"
    booster.save_model(path)
    session = open_session("xgboost", ref(path, "xgboost", "xgboost-json"))
    predictions = answer(session, zoo.table(rows, ("f0", "f1", "f2", "f3")))
    np.testing.assert_allclose(predictions.sum(axis=1), 1.0)
    labels = session.labels(predictions)
    assert labels is not None
    assert labels.tolist() == booster.predict(xgboost.DMatrix(rows)).tolist()


def test_many_targets_and_many_labels(tmp_path: Path) -> None:
    rows = matrix()
    both = np.column_stack([target(rows), 1 - target(rows)])
    for objective, task in (("reg:squarederror", "regression"), ("binary:logistic", "raw")):
        for strategy in ("one_output_per_tree", "multi_output_tree"):
            booster = train(rows, both, objective=objective, multi_strategy=strategy, tree_method="hist")
            path = tmp_path / "m.json"
            booster.save_model(path)
            session = open_session("xgboost", ref(path, "xgboost", "xgboost-json"))
            assert (session.spec.task, len(session.spec.outputs)) == (task, 2)
            predictions = answer(session, zoo.table(rows, ("f0", "f1", "f2", "f3")))
            np.testing.assert_array_equal(predictions, booster.predict(xgboost.DMatrix(rows)))
            session.domain()


@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
def test_categories_are_found_by_value(feed: str, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"x": random.normal(size=80), "city": pd.Categorical(random.choice(["Oslo", "Bonn", "Lima"], 80))}
    )
    frame["code"] = pd.Categorical(random.choice([10, 20, 30], 80))
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=3, n_jobs=1, enable_categorical=True)
    model.fit(frame, (frame.x + (frame.city == "Lima") * 2 + (frame.code == 20) > 0.5).astype(int))
    path = tmp_path / "m.json"
    model.save_model(path)
    session = open_session("xgboost", ref(path, "xgboost", "xgboost-json"), feed=feed)
    columns = {"code": frame.code.to_numpy(dtype=np.int64), "city": frame.city.to_numpy(), "x": frame.x.to_numpy()}
    reference = model.predict_proba(frame)[:, 1:]
    np.testing.assert_array_equal(answer(session, columns), reference)
    np.testing.assert_array_equal(answer_one_by_one(session, columns), reference)
    assert session.spec.features[1].categories == ("Bonn", "Lima", "Oslo")
    missing = answer(session, {**records(columns)[0], "city": None})
    np.testing.assert_array_equal(answer(session, {**records(columns)[0], "city": "Rome"}), missing)
    assert session.domain().thresholds["city"]


def test_a_wrapper_keeps_its_own_missing_value(tmp_path: Path) -> None:
    rows = np.nan_to_num(matrix(), nan=-999.0)
    model = xgboost.XGBRegressor(n_estimators=4, max_depth=3, n_jobs=1, missing=-999.0).fit(rows, target(rows))
    path = zoo.dump(model, tmp_path / "m.pkl")
    columns = zoo.table(rows, ("f0", "f1", "f2", "f3"))
    for api in ("booster", "sklearn"):
        session = open_session("xgboost", ref(path, "xgboost", "pickle"), api=api)
        np.testing.assert_array_equal(answer(session, columns)[:, 0], model.predict(rows))


def test_a_pickled_booster_has_no_wrapper(tmp_path: Path) -> None:
    path = zoo.dump(train(matrix(), target(matrix()), objective="binary:logistic"), tmp_path / "m.pkl")
    with pytest.raises(EngineError, match="api=booster"):
        open_session("xgboost", ref(path, "xgboost", "pickle"), api="sklearn")


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_category_names_that_xgboost_saves_cut_short_are_refused(form: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"city": pd.Categorical(["Ålesund", "Bonn", "Lima"] * 20)})
    model = xgboost.XGBClassifier(n_estimators=2, max_depth=2, n_jobs=1, enable_categorical=True)
    path = tmp_path / f"m.{form}"
    model.fit(frame, [1, 0, 0] * 20).save_model(path)
    if tuple(map(int, xgboost.__version__.split(".")[:2])) >= (3, 4):  # which writes all of their bytes
        session = open_session("xgboost", ref(path, "xgboost", f"xgboost-{form}"))
        columns = {"city": np.array(["Ålesund", "Bonn", "Lima"], dtype=object)}
        np.testing.assert_array_equal(answer(session, columns)[:, 0], model.predict_proba(frame[:3])[:, 1])
        path = older(path, tmp_path / "older.json")
        form = "json"
    with pytest.raises(EngineError, match="ASCII"):
        open_session("xgboost", ref(path, "xgboost", f"xgboost-{form}"))


def older(path: Path, copy: Path) -> Path:
    """The same model, as if written by a version before 3.4."""
    document = json.loads(xgboost.Booster(model_file=path).save_raw("json"))
    copy.write_text(json.dumps({**document, "version": [3, 2, 0]}))
    return copy


def test_what_the_library_refuses_is_one_line_without_its_stack(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    train(matrix(), target(matrix()), objective="binary:logistic").save_model(path)
    session = open_session("xgboost", ref(path, "xgboost", "xgboost-json"))
    with pytest.raises(EngineError, match="XGBoost cannot predict") as caught:
        session.predict(np.zeros((2, 9), dtype=np.float32))
    assert "Stack trace" not in str(caught.value)
