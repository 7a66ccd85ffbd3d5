"""Which iterations are used after early stopping: what the class does that saved a file, or that is in a pickle."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from tests.engines import zoo
from tests.engines.zoo import UNNAMED, answer, matrix, open_session, ref

ROWS = matrix()
COLUMNS = zoo.table(ROWS, UNNAMED)
TWO = np.random.default_rng(1).integers(0, 2, 60)
THREE = np.random.default_rng(1).integers(0, 3, 60)


def stop_early(wrapper: Any = xgboost.XGBClassifier, label: Any = TWO, **settings: Any) -> Any:
    """A model of noise, whose best iteration is one of the first."""
    model = wrapper(n_estimators=60, early_stopping_rounds=2, n_jobs=1, **settings)
    model.fit(ROWS[:40], label[:40], eval_set=[(ROWS[40:], label[40:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    return model


def predict_with(wrapper: Any) -> Any:
    if not hasattr(wrapper, "predict_proba"):
        return wrapper.predict(ROWS)[:, None]
    probabilities = wrapper.predict_proba(ROWS)
    return probabilities[:, 1:] if probabilities.shape[1] == 2 else probabilities


def columns_of(predictions: Any) -> Any:
    return predictions.reshape(len(ROWS), -1)


MODELS: dict[str, dict[str, Any]] = {
    "two classes": {},
    "three classes": {"label": THREE},
    "several trees an iteration": {"label": THREE, "num_parallel_tree": 2, "subsample": 0.8},
    "dart": {"booster": "dart", "rate_drop": 0.3},
    "numbers": {"wrapper": xgboost.XGBRegressor},
    "probabilities of a regressor": {"wrapper": xgboost.XGBRegressor, "objective": "binary:logistic"},
}


@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize("name", MODELS)
def test_a_file_is_read_as_by_the_class_that_saved_it(name: str, form: str, tmp_path: Path) -> None:
    model = stop_early(**MODELS[name])
    wrapped, bare = tmp_path / f"wrapped.{form}", tmp_path / f"bare.{form}"
    model.save_model(wrapped)
    model.get_booster().save_model(bare)
    again = type(model)()
    again.load_model(wrapped)
    best, every = predict_with(again), columns_of(xgboost.Booster(model_file=bare).predict(xgboost.DMatrix(ROWS)))
    assert np.abs(best - every).max() > 0.01
    for path, predictions, used in ((wrapped, best, "of"), (bare, every, "all")):
        session = open_session("xgboost", ref(path, "xgboost", f"xgboost-{form}"))
        np.testing.assert_allclose(answer(session, COLUMNS), predictions, atol=1e-7)
        (remark,) = session.spec.remarks
        rounds = model.get_booster().num_boosted_rounds()
        assert f"iteration {model.best_iteration} best" in remark.message
        assert f"{used} {rounds} iterations are used" in remark.message
        assert remark.hint.startswith("xgboost:trees=")


@pytest.mark.parametrize("api", ["booster", "sklearn"])
def test_one_file_has_two_answers_and_both_can_be_asked_for(api: str, tmp_path: Path) -> None:
    model = stop_early()
    path, pickled = tmp_path / "m.json", zoo.dump(model, tmp_path / "m.pkl")
    model.save_model(path)
    every = columns_of(xgboost.Booster(model_file=path).predict(xgboost.DMatrix(ROWS)))
    best = predict_with(model)
    native, wrapped = ref(path, "xgboost", "xgboost-json"), ref(pickled, "xgboost", "pickle")
    for file in (native, wrapped):
        for trees, predictions in (("all", every), ("best", best), ("auto", best)):
            session = open_session("xgboost", file, api=api, trees=trees)
            np.testing.assert_array_equal(answer(session, COLUMNS), predictions)
            assert len(session.spec.remarks) == (trees == "auto")


def test_a_pickled_booster_uses_all_even_where_it_was_loaded_from_the_file_of_a_wrapper(tmp_path: Path) -> None:
    model, path = stop_early(), tmp_path / "m.json"
    model.save_model(path)
    booster = xgboost.Booster(model_file=path)
    every = columns_of(booster.predict(xgboost.DMatrix(ROWS)))
    session = open_session("xgboost", ref(zoo.dump(booster, tmp_path / "m.pkl"), "xgboost", "pickle"))
    np.testing.assert_array_equal(answer(session, COLUMNS), every)


@pytest.mark.parametrize("trees", ["auto", "best", "all"])
def test_a_linear_booster_has_the_weights_of_the_last_iteration_only(trees: str, tmp_path: Path) -> None:
    rows = np.nan_to_num(ROWS)
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=2, n_jobs=1, booster="gblinear")
    model.fit(rows[:40], TWO[:40], eval_set=[(rows[40:], TWO[40:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    path = tmp_path / "m.json"
    model.save_model(path)
    session = open_session("xgboost", ref(path, "xgboost", "xgboost-json"), trees=trees)
    probability = model.predict_proba(rows)[:, 1:]
    np.testing.assert_array_equal(answer(session, zoo.table(rows, UNNAMED)), probability)
    assert not session.spec.remarks


def test_a_wrapper_is_opened_by_its_own_class(tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(n_estimators=3, max_depth=2, n_jobs=1, objective="binary:logistic").fit(ROWS, TWO)
    path = tmp_path / "m.json"
    model.save_model(path)
    session = open_session("xgboost", ref(path, "xgboost", "xgboost-json"), api="sklearn")
    np.testing.assert_array_equal(answer(session, COLUMNS)[:, 0], model.predict(ROWS))
