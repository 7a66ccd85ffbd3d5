"""scikit-learn: trees, ensembles, linear and other models, meta-estimators, and pipelines on tables with strings."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.converters.zoo.case import Case, categories, frame, numbers, score, three, two
from tests.converters.zoo.estimators import (
    Maker,
    build,
    clean_frame,
    counts,
    defer_fit,
    ensemble,
    histogram,
    inner,
    tame,
)
from tests.converters.zoo.pipelines import pipelines
from tests.converters.zoo.shared import as_labels, flags, positive, score_of, targets, two_of


def trees() -> Iterator[Case]:
    """Trees and forests by label type, missing values and targets."""
    yield Case(
        "skl tree", defer_fit(build("tree", "DecisionTreeClassifier", max_depth=5, random_state=0), three), "pkl"
    )
    yield Case("skl tree nan", defer_fit(build("tree", "DecisionTreeRegressor", max_depth=5), score, numbers), "joblib")
    yield Case("skl extra tree", defer_fit(build("tree", "ExtraTreeClassifier", random_state=0), two), "skops")
    for name, labels in (("str", ("no", "yes")), ("bool", (False, True)), ("float", (1.0, 2.0)), ("int", (-1, 1))):
        train = defer_fit(ensemble("RandomForestClassifier", max_depth=4), as_labels(*labels))
        yield Case(f"skl forest {name}", train, ("pkl", "joblib", "joblib-compressed", "skops")[len(labels[:1]) + 1])
    yield Case("skl forest deep", defer_fit(ensemble("RandomForestClassifier"), as_labels("a", "b", "c")), "joblib")
    yield Case("skl forest nan", defer_fit(ensemble("RandomForestClassifier"), two, numbers), "joblib-compressed")
    yield Case("skl forest frame", defer_fit(ensemble("RandomForestRegressor"), score, clean_frame), "skops")
    yield Case("skl forest targets", defer_fit(ensemble("RandomForestRegressor"), targets), "pkl")
    yield Case("skl forest multi-label", defer_fit(ensemble("RandomForestClassifier"), flags), "pkl", is_refused=True)
    yield Case(
        "skl forest one class", defer_fit(ensemble("RandomForestClassifier"), lambda r: np.ones(len(r), int)), "pkl"
    )
    yield Case("skl forest poisson", defer_fit(ensemble("RandomForestRegressor", criterion="poisson"), positive), "pkl")
    yield Case("skl extra trees nan", defer_fit(ensemble("ExtraTreesRegressor"), score, numbers), "joblib")
    yield Case("skl isolation", defer_fit(ensemble("IsolationForest"), None), "joblib")
    for loss in ("log_loss", "exponential"):
        yield Case(f"skl boosting {loss}", defer_fit(ensemble("GradientBoostingClassifier", loss=loss), two), "pkl")
    yield Case("skl boosting three", defer_fit(ensemble("GradientBoostingClassifier"), three, clean_frame), "skops")
    yield Case("skl boosting quantile", defer_fit(ensemble("GradientBoostingRegressor", loss="quantile"), score), "pkl")
    yield Case("skl adaboost", defer_fit(ensemble("AdaBoostClassifier"), three), "joblib")
    yield Case("skl adaboost regressor", defer_fit(ensemble("AdaBoostRegressor"), score), "joblib")
    yield Case("skl bagging", defer_fit(ensemble("BaggingClassifier", max_features=0.6), two), "joblib")


def histograms() -> Iterator[Case]:
    """HistGradientBoosting."""
    yield Case("skl hist", defer_fit(histogram("Classifier"), two, numbers), "pkl")
    yield Case("skl hist three", defer_fit(histogram("Classifier"), as_labels("x", "y", "z"), frame), "joblib")
    for loss in ("squared_error", "absolute_error", "gamma", "poisson"):
        yield Case(f"skl hist {loss}", defer_fit(histogram("Regressor", loss=loss), positive, numbers), "joblib")
    yield Case("skl hist quantile", defer_fit(histogram("Regressor", loss="quantile", quantile=0.2), score), "skops")
    yield Case("skl hist categories", defer_fit(histogram("Classifier"), two_of, categories), "joblib")
    yield Case("skl hist categories score", defer_fit(histogram("Regressor"), score_of, categories), "pkl")
    coder = histogram("Classifier", categorical_features=[0, 4], min_samples_leaf=4)
    yield Case("skl hist codes", defer_fit(coder, two, lambda: np.nan_to_num(numbers())), "joblib")
    early = histogram("Classifier", early_stopping=True, n_iter_no_change=2, random_state=0)
    yield Case("skl hist early", defer_fit(early, two, numbers), "joblib")


def plain() -> Iterator[Case]:
    """Linear models, neighbours, kernels, networks."""
    yield Case(
        "skl logistic", defer_fit(build("linear_model", "LogisticRegression"), as_labels("no", "yes"), tame), "skops"
    )
    yield Case("skl logistic three", defer_fit(build("linear_model", "LogisticRegression"), three, tame), "pkl")
    yield Case("skl linear", defer_fit(build("linear_model", "LinearRegression"), score, clean_frame), "joblib")
    for name in ("Ridge", "Lasso", "ElasticNet", "BayesianRidge", "HuberRegressor", "PoissonRegressor"):
        yield Case(f"skl {name}", defer_fit(build("linear_model", name), positive, tame), "joblib")
    yield Case("skl linear targets", defer_fit(build("linear_model", "LinearRegression"), targets, tame), "joblib")
    for name in ("RidgeClassifier", "SGDClassifier", "Perceptron", "PassiveAggressiveClassifier"):
        yield Case(f"skl {name}", defer_fit(build("linear_model", name), three, tame), "joblib")
    yield Case("skl LinearSVC", defer_fit(build("svm", "LinearSVC"), two, tame), "joblib")
    yield Case("skl SVC", defer_fit(build("svm", "SVC"), three, tame), "joblib")
    yield Case(
        "skl SVC probability",
        defer_fit(build("svm", "SVC", probability=True, random_state=0), two, tame),
        "joblib",
        True,
    )
    yield Case("skl SVR", defer_fit(build("svm", "SVR"), score, tame), "joblib")
    yield Case(
        "skl MLP",
        defer_fit(
            build("neural_network", "MLPClassifier", hidden_layer_sizes=(8,), max_iter=30, random_state=0), three, tame
        ),
        "joblib",
    )
    yield Case(
        "skl MLP regressor",
        defer_fit(
            build("neural_network", "MLPRegressor", hidden_layer_sizes=(8, 4), max_iter=30, random_state=0), score, tame
        ),
        "pkl",
    )
    yield Case("skl kNN", defer_fit(build("neighbors", "KNeighborsClassifier"), two, tame), "joblib")
    yield Case(
        "skl kNN regressor",
        defer_fit(build("neighbors", "KNeighborsRegressor", weights="distance"), score, tame),
        "joblib",
    )
    yield Case("skl GaussianNB", defer_fit(build("naive_bayes", "GaussianNB"), three, tame), "joblib")
    yield Case("skl MultinomialNB", defer_fit(build("naive_bayes", "MultinomialNB"), two, counts), "joblib")
    yield Case(
        "skl LDA", defer_fit(build("discriminant_analysis", "LinearDiscriminantAnalysis"), three, tame), "joblib"
    )
    yield Case(
        "skl KMeans",
        defer_fit(build("cluster", "KMeans", n_clusters=3, random_state=0, n_init=1), None, tame),
        "joblib",
    )
    yield Case("skl GP", defer_fit(build("gaussian_process", "GaussianProcessRegressor"), score, tame), "joblib", True)
    yield Case("skl scaler", defer_fit(build("preprocessing", "StandardScaler"), None), "joblib")
    yield Case("skl PCA", defer_fit(build("decomposition", "PCA", n_components=2), None, tame), "joblib")
    yield Case("skl CCA", defer_fit(build("cross_decomposition", "CCA"), targets, tame), "joblib")
    yield Case("skl PLS", defer_fit(build("cross_decomposition", "PLSRegression"), score, tame), "joblib")
    yield Case("skl dummy", defer_fit(build("dummy", "DummyClassifier"), as_labels("no", "yes"), tame), "joblib")


def around(module: str, name: str, /, **settings: Any) -> Maker:
    """An estimator of estimators: `estimator`, `estimators` and `regressor` are makers of them."""

    def make() -> Any:
        parts: dict[str, Any] = {
            key: settings[key]() for key in ("estimator", "estimators", "regressor") if key in settings
        }
        return build(module, name, **{**settings, **parts})()

    return make


def members() -> Any:
    """Two classifiers to be combined."""
    return [("a", inner("tree")), ("b", inner("logistic"))]


def meta() -> Iterator[Case]:
    """Estimators of estimators."""
    forest, tree, logistic = (lambda: inner("forest")), (lambda: inner("tree")), (lambda: inner("logistic"))
    calibrated, output = "CalibratedClassifierCV", "MultiOutputRegressor"
    for method in ("sigmoid", "isotonic"):
        make = around("calibration", calibrated, estimator=forest, method=method, cv=3)
        yield Case(f"skl calibrated {method}", defer_fit(make, two), "joblib")
    make = around("calibration", calibrated, estimator=build("svm", "LinearSVC"), cv=3)
    yield Case("skl calibrated svc", defer_fit(make, three, tame), "pkl")
    for voting in ("soft", "hard"):
        make = around("ensemble", "VotingClassifier", estimators=members, voting=voting)
        yield Case(f"skl voting {voting}", defer_fit(make, three, tame), "joblib")
    make = around("ensemble", "StackingClassifier", estimators=members, cv=3)
    yield Case("skl stacking", defer_fit(make, as_labels("no", "yes"), tame), "joblib")
    for name, part in (("forest", forest), ("logistic", logistic)):
        make = around("model_selection", "TunedThresholdClassifierCV", estimator=part, cv=3, random_state=0)
        yield Case(f"skl tuned {name}", defer_fit(make, as_labels("no", "yes"), tame), "joblib")
    yield Case(
        "skl one-vs-rest", defer_fit(around("multiclass", "OneVsRestClassifier", estimator=tree), three), "joblib"
    )
    for name, part in (("tree", tree), ("logistic", logistic), ("svc", build("svm", "LinearSVC"))):
        make = around("multiclass", "OneVsOneClassifier", estimator=part)
        yield Case(f"skl one-vs-one {name}", defer_fit(make, as_labels("a", "b", "c"), tame), "joblib")
    make = around("ensemble", "StackingClassifier", estimators=members, cv=3, stack_method="predict")
    yield Case("skl stacked labels", defer_fit(make, three, tame), "joblib")
    make = around("model_selection", "GridSearchCV", estimator=tree, param_grid={"max_depth": [2, 4]}, cv=3)
    yield Case("skl grid", defer_fit(make, two), "joblib")
    make = around("multioutput", output, estimator=build("linear_model", "Ridge"))
    yield Case("skl multi-output", defer_fit(make, targets, tame), "joblib")
    regressor = ensemble("RandomForestRegressor")
    make = around("compose", "TransformedTargetRegressor", regressor=regressor, func=np.log1p, inverse_func=np.expm1)
    yield Case("skl logged target", defer_fit(make, positive), "joblib")


def cases() -> Iterator[Case]:
    """All of them."""
    yield from trees()
    yield from histograms()
    yield from plain()
    yield from meta()
    yield from pipelines()
