"""scikit-learn's forests in Treelite and nvForest: as scikit-learn answers, also beside its thresholds, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.ensemble as forests
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from infer_bench.engines.tree_files.estimators import compared_dtype, refuse_estimator
from infer_bench.errors import EngineError, ModelError
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.validate.probes.rows import probes
from tests.engines.zoo import answer, dump, open_session

random = np.random.default_rng(0)
ROWS = random.normal(size=(200, 4)) * np.array([1.0, 1e4, 1e-3, 1e8])
HOLES = np.where(random.random(ROWS.shape) < 0.1, np.nan, ROWS)
NUMBER = ROWS[:, 0] + np.sin(ROWS[:, 1] / 1e4)
CLASS = np.digitize(NUMBER, [-0.7, 0.7])
SMALL = {"n_estimators": 5, "max_depth": 4, "random_state": 0}
STOPPING = {"n_estimators": 60, "n_iter_no_change": 1, "learning_rate": 1.0, "random_state": 0}

RIGHT: dict[str, Callable[[], Any]] = {
    "regression": lambda: forests.RandomForestRegressor(**SMALL).fit(ROWS, NUMBER),
    "two targets": lambda: forests.ExtraTreesRegressor(**SMALL).fit(ROWS, np.c_[NUMBER, ROWS[:, 1]]),
    "two classes": lambda: forests.RandomForestClassifier(**SMALL).fit(HOLES, CLASS > 0),
    "three classes": lambda: forests.ExtraTreesClassifier(**SMALL).fit(HOLES, CLASS),
    "boosted": lambda: forests.GradientBoostingRegressor(loss="huber", **SMALL).fit(ROWS, NUMBER),
    "boosted classes": lambda: forests.GradientBoostingClassifier(init="zero", **SMALL).fit(ROWS, CLASS),
    "stopped early": lambda: forests.GradientBoostingClassifier(**STOPPING).fit(ROWS, CLASS > 0),
    "histogram": lambda: forests.HistGradientBoostingRegressor(loss="poisson", max_iter=5).fit(HOLES, np.abs(NUMBER)),
    "outliers": lambda: forests.IsolationForest(n_estimators=5, max_features=0.6, random_state=0).fit(ROWS),
}
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "tree": (lambda: DecisionTreeRegressor(max_depth=2).fit(ROWS, NUMBER), "a DecisionTreeRegressor, which Treelite"),
    "targets of classes": (
        lambda: forests.RandomForestClassifier(**SMALL).fit(ROWS, np.c_[CLASS, CLASS > 0]),
        "several targets of classes",
    ),
    "one class": (lambda: forests.RandomForestClassifier(**SMALL).fit(ROWS, CLASS * 0), "one class alone"),
    "exponential": (
        lambda: forests.GradientBoostingClassifier(loss="exponential", **SMALL).fit(ROWS, CLASS > 0),
        "exponential loss",
    ),
    "initial": (
        lambda: forests.GradientBoostingRegressor(init=LinearRegression(), **SMALL).fit(ROWS, NUMBER),
        "starts from the predictions of another estimator",
    ),
    "categories": (
        lambda: forests.HistGradientBoostingRegressor(max_iter=3, categorical_features=[0]).fit(
            np.c_[CLASS - 2.0, ROWS], NUMBER
        ),
        "splits on categories",
    ),
    "single rows": (lambda: forests.IsolationForest(max_samples=1, n_estimators=3).fit(ROWS), "one row a tree"),
}


ON_CPU: dict[str, dict[str, str]] = {"treelite": {}, "nvforest": {"device": "cpu"}}


@pytest.mark.parametrize("engine", ON_CPU)
@pytest.mark.parametrize("name", RIGHT)
def test_it_answers_probes_as_scikit_learn(name: str, engine: str, tmp_path: Path) -> None:
    pytest.importorskip(engine)
    model = identify_model(str(dump(RIGHT[name](), tmp_path / "forest.pkl")), allow_pickle=True)
    own = open_session("sklearn", model)
    if (engine, name) == ("nvforest", "two targets"):
        with pytest.raises(ModelError, match="nvForest cannot read"):
            open_session(engine, model, **ON_CPU[engine])
        return
    other = open_session(engine, model, **ON_CPU[engine])
    assert own.spec == other.spec
    assert own.domain().thresholds == other.domain().thresholds
    compared = 0
    for probe in list(probes(own.spec, own.domain().thresholds, float32=False, seed=1))[:-2]:
        rows = dict(probe.table.columns)
        try:
            ours = answer(own, rows)
        except EngineError:  # NaN and infinities, which Treelite answers
            continue
        theirs = answer(other, rows)
        compared += len(ours)
        np.testing.assert_allclose(theirs, ours, rtol=1e-6, atol=2e-7, err_msg=probe.name)
        if (labels := own.labels(ours)) is not None:
            np.testing.assert_array_equal(other.labels(ours), labels)
    assert compared > 1_000


@pytest.mark.parametrize("feed", ["dataframe", "packed"])
def test_each_feed_rounds_as_scikit_learn_does(feed: str, tmp_path: Path) -> None:
    pytest.importorskip("treelite")
    model = identify_model(str(dump(RIGHT["regression"](), tmp_path / "forest.pkl")), allow_pickle=True)
    own, other = open_session("sklearn", model), open_session("treelite", model, feed=feed)
    name, (threshold, *_) = next(iter(own.domain().thresholds.items()))
    beside = [np.nextafter(threshold, way) for way in (-np.inf, np.inf)]
    rows = {column: np.array([threshold, *beside]) * (column == name) for column in own.spec.feature_names}
    np.testing.assert_array_equal(answer(other, rows), answer(own, rows))


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_would_compute_otherwise_is_refused(name: str) -> None:
    train, reason = REFUSED[name]
    with pytest.raises(EngineError, match=reason):
        refuse_estimator(train(), "forest.pkl")


@pytest.mark.parametrize("name", RIGHT)
def test_rows_are_compared_in_scikit_learns_precision(name: str) -> None:
    estimator = RIGHT[name]()
    refuse_estimator(estimator, "forest.pkl")
    assert np.dtype(compared_dtype(estimator)) == np.dtype("float64" if name == "histogram" else "float32")
