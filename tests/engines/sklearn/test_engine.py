"""Estimators of all kinds, each against its own plain call."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import (
    calibration,
    cluster,
    dummy,
    ensemble,
    linear_model,
    model_selection,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer

from infer_bench.errors import EngineError, ModelError
from tests.engines import zoo
from tests.engines.zoo import answer, answer_one_by_one, matrix, open_session, ref, target, three

WORDS = np.array(["low", "mid", "top"])
CLASSIFIERS = [
    linear_model.LogisticRegression(),
    tree.DecisionTreeClassifier(max_depth=3),
    ensemble.RandomForestClassifier(4, n_jobs=-1, random_state=0),
    ensemble.ExtraTreesClassifier(4, random_state=0),
    ensemble.GradientBoostingClassifier(n_estimators=3),
    ensemble.HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=3),
    ensemble.AdaBoostClassifier(n_estimators=3),
    ensemble.BaggingClassifier(n_estimators=3, random_state=0),
    naive_bayes.GaussianNB(),
    neighbors.KNeighborsClassifier(3),
    neural_network.MLPClassifier((4,), max_iter=20, random_state=0),
    calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), cv=2),
    ensemble.VotingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", naive_bayes.GaussianNB())], voting="soft"
    ),
    ensemble.StackingClassifier([("a", naive_bayes.GaussianNB())], cv=2),
    pipeline.make_pipeline(SimpleImputer(), preprocessing.StandardScaler(), linear_model.LogisticRegression()),
    model_selection.GridSearchCV(linear_model.LogisticRegression(), {"C": [0.1, 1]}, cv=2),
    dummy.DummyClassifier(strategy="prior"),
]


def name_case(value: Any) -> str:
    return type(value).__name__ if hasattr(value, "get_params") else str(value)


def check_session(model: Any, method: str, tmp_path: Path, *, feeds: tuple[str, ...] = ("ndarray", "dataframe")) -> Any:
    rows = matrix(missing=False)
    path = zoo.dump(model, tmp_path / "m.pkl")
    columns = zoo.table(rows)
    inputs = zoo.frame(rows) if hasattr(model, "feature_names_in_") else rows
    if not hasattr(model, "feature_names_in_"):
        columns = zoo.table(rows, ("f0", "f1", "f2", "f3"))
    reference = np.asarray(getattr(model, method)(inputs))
    for feed in feeds:
        session = open_session("sklearn", ref(path, "sklearn", "pickle"), feed=feed)
        output = reference[:, 1:] if session.spec.task == "binary" and method == "predict_proba" else reference
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            many, single = answer(session, columns), answer_one_by_one(session, columns)
        np.testing.assert_allclose(many, output.reshape(60, -1), atol=1e-12)
        np.testing.assert_allclose(single, output.reshape(60, -1), atol=1e-12)
    labels = session.labels(many)
    if labels is not None:
        assert labels.tolist() == model.predict(inputs).tolist()
    return session


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("with_names", [True, False], ids=["frame", "array"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=name_case)
def test_a_classifier_gives_its_probabilities(model: Any, classes: int, with_names: bool, tmp_path: Path) -> None:
    rows = matrix(missing=False)
    label = WORDS[three(rows) if classes == 3 else target(rows)]
    model = clone(model)
    session = check_session(model.fit(zoo.frame(rows) if with_names else rows, label), "predict_proba", tmp_path)
    assert session.spec.classes == tuple(sorted(set(label.tolist())))
    assert session.spec.task == ("binary" if classes == 2 else "multiclass")
    if hasattr(model, "n_jobs"):
        assert model.n_jobs == (-1 if "Forest" in name_case(model) else model.n_jobs)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("model", [svm.LinearSVC(), linear_model.RidgeClassifier(), svm.SVC()], ids=name_case)
def test_a_classifier_without_probabilities_gives_its_decision_values(model: Any, classes: int, tmp_path: Path) -> None:
    rows = matrix(missing=False)
    label = three(rows) if classes == 3 else target(rows)
    session = check_session(model.fit(zoo.frame(rows), WORDS[label]), "decision_function", tmp_path)
    assert session.spec.task == "raw"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_of_two_labels_gives_the_probabilities_of_both(tmp_path: Path) -> None:
    """They are no two classes, of which the second says all: each is that of a label of its own."""
    rows = matrix(missing=False)
    labels = np.stack([target(rows), three(rows) > 0], axis=1).astype(int)
    network = neural_network.MLPClassifier((3,), max_iter=2, random_state=0).fit(rows, labels)
    for model in (network, pipeline.make_pipeline(preprocessing.StandardScaler(), network).fit(rows, labels)):
        assert check_session(model, "predict_proba", tmp_path).spec.task == "raw"


def test_bare_labels_become_zero_and_one(tmp_path: Path) -> None:
    rows = matrix(missing=False)
    parts = [("a", tree.DecisionTreeClassifier(max_depth=2)), ("b", naive_bayes.GaussianNB())]
    for label in (WORDS[target(rows)], WORDS[three(rows)]):
        model = ensemble.VotingClassifier(parts, voting="hard").fit(zoo.frame(rows), label)
        session = open_session("sklearn", ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle"))
        predictions = answer(session, zoo.table(rows))
        assert set(np.unique(predictions)) == {0.0, 1.0}
        labels = session.labels(predictions)
        assert labels is not None
        assert labels.tolist() == model.predict(zoo.frame(rows)).tolist()


def test_a_tuned_threshold_decides_the_label(tmp_path: Path) -> None:
    rows = matrix(missing=False)
    model = model_selection.FixedThresholdClassifier(
        linear_model.LogisticRegression(), threshold=0.8, response_method="predict_proba"
    ).fit(zoo.frame(rows), WORDS[target(rows)])
    session = open_session("sklearn", ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle"))
    labels = session.labels(answer(session, zoo.table(rows)))
    assert labels is not None
    assert labels.tolist() == model.predict(zoo.frame(rows)).tolist()


@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize(
    "model",
    [
        linear_model.LinearRegression(),
        linear_model.Ridge(),
        tree.DecisionTreeRegressor(max_depth=3),
        ensemble.RandomForestRegressor(3, random_state=0),
        neighbors.KNeighborsRegressor(3),
        multioutput.MultiOutputRegressor(linear_model.Ridge()),
        TransformedTargetRegressor(linear_model.Ridge(), func=np.cbrt, inverse_func=np.sinh, check_inverse=False),
        ensemble.HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=3),
        svm.SVR(),
    ],
    ids=name_case,
)
def test_a_regressor_gives_one_column_a_target(model: Any, targets: int, tmp_path: Path) -> None:
    rows = matrix(missing=False)
    label = rows[:, 0] if targets == 1 else rows[:, :2]
    if (targets == 2 and name_case(model).startswith(("Hist", "SVR"))) or (
        targets == 1 and name_case(model).startswith("Multi")
    ):
        pytest.skip("the estimator does not take so many targets")
    session = check_session(clone(model).fit(zoo.frame(rows), label), "predict", tmp_path)
    assert (session.spec.task, len(session.spec.outputs)) == ("regression", targets)


def test_models_of_other_kinds_give_their_own_outputs(tmp_path: Path) -> None:
    rows = matrix(missing=False)
    check_session(cluster.KMeans(3, n_init=1, random_state=0).fit(rows), "predict", tmp_path)
    check_session(ensemble.IsolationForest(n_estimators=5, random_state=0).fit(rows), "decision_function", tmp_path)
    check_session(preprocessing.StandardScaler().fit(zoo.frame(rows)), "transform", tmp_path)
    forest = ensemble.RandomForestClassifier(3, random_state=0).fit(
        zoo.frame(rows), np.column_stack([target(rows), three(rows)])
    )
    session = open_session("sklearn", ref(zoo.dump(forest, tmp_path / "m.pkl"), "sklearn", "pickle"))
    np.testing.assert_array_equal(answer(session, zoo.table(rows)), np.hstack(forest.predict_proba(zoo.frame(rows))))
    assert session.spec.outputs == ("0:0", "0:1", "1:0", "1:1", "1:2")


def test_text_columns_need_a_dataframe(tmp_path: Path) -> None:
    frame = zoo.frame(matrix(missing=False)).assign(city=np.array(["Oslo", "Bonn"] * 30, dtype=object))
    encode = ColumnTransformer(
        [("city", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["city"])], remainder="passthrough"
    )
    model = pipeline.make_pipeline(encode, linear_model.LogisticRegression()).fit(frame, [1, 0] * 30)
    model_ref = ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle")
    columns = {name: frame[name].to_numpy() for name in frame}
    session = open_session("sklearn", model_ref, feed="dataframe")
    np.testing.assert_allclose(answer_one_by_one(session, columns), model.predict_proba(frame)[:, 1:])
    assert session.spec.features[4].categories == ("Bonn", "Oslo")
    with pytest.raises(EngineError, match="feed=dataframe"):
        open_session("sklearn", model_ref, feed="ndarray")


def test_a_missing_text_is_the_same_alone_and_among_others(tmp_path: Path) -> None:
    cities = np.array(["Oslo", "Bonn", None] * 20, dtype=object)
    frame = zoo.frame(matrix(missing=False)).assign(city=cities)
    encode = pipeline.make_pipeline(
        SimpleImputer(strategy="constant", fill_value="none"), preprocessing.OneHotEncoder(handle_unknown="ignore")
    )
    columns = ColumnTransformer([("city", encode, ["city"])], remainder="passthrough")
    model = pipeline.make_pipeline(columns, linear_model.LogisticRegression()).fit(frame, [1, 0, 1] * 20)
    session = open_session("sklearn", ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle"), feed="dataframe")
    table = {name: frame[name].to_numpy() for name in frame.columns[:-1]} | {"city": cities}
    together = answer(session, table)
    np.testing.assert_allclose(answer_one_by_one(session, table), together, rtol=1e-12)
    missing = {name: column[2::3] for name, column in table.items()}
    np.testing.assert_allclose(answer(session, missing), together[2::3], rtol=1e-12)
    no_numbers = {**missing, "city": np.full(20, np.nan)}
    np.testing.assert_allclose(answer(session, no_numbers), together[2::3], rtol=1e-12)


def test_labels_are_the_estimator_s_own(tmp_path: Path) -> None:
    """A support vector machine of several classes decides by votes, not by the largest decision value."""
    rows = matrix(missing=False)
    model = svm.SVC(C=0.05).fit(rows, np.arange(len(rows)) % 3)
    session: Any = open_session("sklearn", ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle"))
    session._estimator.predict = lambda inputs: np.full(len(inputs), 2)
    columns = {feature.name: rows[:, i] for i, feature in enumerate(session.spec.features)}
    _, labels = session.predictions_and_labels(session.preprocess(columns))
    assert labels.tolist() == [2] * len(rows)


def test_an_object_that_cannot_predict_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot predict"):
        open_session("sklearn", ref(zoo.dump([1, 2], tmp_path / "m.pkl"), "sklearn", "pickle"))
    with pytest.raises(ModelError, match="fitted"):
        open_session("sklearn", ref(zoo.dump(linear_model.Ridge(), tmp_path / "m.pkl"), "sklearn", "pickle"))


@pytest.mark.parametrize("kind", ["TargetEncoder", "OneHotEncoder", "OrdinalEncoder"])
def test_a_lone_encoder_transforms(kind: str, tmp_path: Path) -> None:
    """It may know classes, take no row of zeros, and answer with a sparse matrix."""
    codes = np.floor(np.abs(matrix()) * 2) + 7
    codes = np.nan_to_num(codes, nan=1.0)
    model = getattr(preprocessing, kind)().fit(codes, target(codes))
    session = open_session("sklearn", ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle"))
    reference = model.transform(codes)
    reference = reference.toarray() if hasattr(reference, "toarray") else reference
    np.testing.assert_array_equal(answer(session, zoo.table(codes, ("f0", "f1", "f2", "f3"))), reference)
    assert session.spec.task == "raw"
    assert len(session.spec.outputs) == reference.shape[1]


def test_scores_of_outliers_can_be_asked_for(tmp_path: Path) -> None:
    rows = matrix(missing=False)
    forest = ensemble.IsolationForest(n_estimators=5, random_state=0)
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), forest).fit(rows)
    path = ref(zoo.dump(model, tmp_path / "m.pkl"), "sklearn", "pickle")
    columns = zoo.table(rows, ("f0", "f1", "f2", "f3"))
    session = open_session("sklearn", path, output="score_samples")
    np.testing.assert_array_equal(answer(session, columns)[:, 0], model.score_samples(rows))
    assert (session.spec.task, session.spec.outputs, session.spec.classes) == ("raw", ("score",), ())
    usual = answer(open_session("sklearn", path), columns)[:, 0]
    np.testing.assert_array_equal(usual, model.decision_function(rows))
    plain = ref(zoo.dump(linear_model.Ridge().fit(rows, rows[:, 0]), tmp_path / "r.pkl"), "sklearn", "pickle")
    with pytest.raises(EngineError, match="has no score_samples"):
        open_session("sklearn", plain, output="score_samples")
