"""scikit-learn: trees, ensembles, linear and other models, meta-estimators, and pipelines on tables with strings."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.converters.zoo.case import Case, categories, frame, numbers, score, text, three, two
from tests.converters.zoo.shared import as_labels, positive, score_of, two_of
from tests.converters.zoo.xgboost_models import flags, targets

Maker = Callable[[], Any]


def clean() -> Any:
    """Numbers without gaps."""
    return numbers(missing=False)


def clean_frame() -> Any:
    """A DataFrame without gaps."""
    return frame(missing=False)


def tame() -> Any:
    """Numbers without gaps, all of about the same size."""
    table = clean()
    return (table - table.mean(axis=0)) / table.std(axis=0)


def counts() -> Any:
    """Small whole numbers from 0 on."""
    return np.abs(np.round(tame() * 3))


def defer_fit(make: Maker, target: Callable[[Any], Any] | None, rows: Maker = clean) -> Maker:
    """Trains what `make` makes."""

    def train() -> Any:
        table = rows()
        model = make()
        return (model.fit(table) if target is None else model.fit(table, target(table))), table

    return train


def build(module: str, name: str, /, **settings: Any) -> Maker:
    """An estimator of scikit-learn."""

    def make() -> Any:
        from importlib import import_module

        return getattr(import_module(f"sklearn.{module}"), name)(**settings)

    return make


def ensemble(name: str, **settings: Any) -> Maker:
    """A small forest or boosting."""
    return build("ensemble", name, **{"n_estimators": 6, "random_state": 0, **settings})


def histogram(kind: str, **settings: Any) -> Maker:
    """A small HistGradientBoosting."""
    return build("ensemble", f"HistGradientBoosting{kind}", **{"max_iter": 6, "max_leaf_nodes": 7, **settings})


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


def inner(name: str) -> Any:
    """A small classifier to be wrapped."""
    if name == "tree":
        return build("tree", "DecisionTreeClassifier", max_depth=4, random_state=0)()
    if name == "forest":
        return ensemble("RandomForestClassifier", max_depth=4)()
    if name == "hist":
        return histogram("Classifier")()
    return build("linear_model", "LogisticRegression")()


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


def preparation(*, encoder: str = "onehot", indicator: bool = False) -> Any:
    """Imputed and scaled numbers beside encoded strings."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    coder: Any = OneHotEncoder(handle_unknown="ignore")
    if encoder == "ordinal":
        coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    imputer = SimpleImputer(strategy="median", add_indicator=indicator)
    return ColumnTransformer(
        [
            ("num", make_pipeline(imputer, StandardScaler()), ["age", "income", "ratio"]),
            ("cat", coder, ["city", "size"]),
        ]
    )


def piped(last: Maker, target: Callable[[Any], Any], **settings: Any) -> Maker:
    """A pipeline on a table with strings."""

    def train() -> Any:
        from sklearn.pipeline import Pipeline

        rows = text()
        model = Pipeline([("prepare", preparation(**settings)), ("model", last())])
        return model.fit(rows, target(rows)), rows

    return train


def two_text(rows: Any) -> Any:
    """Two classes of the table with strings."""
    total = np.sin(rows["age"].fillna(0).to_numpy() / 9) + (rows["city"] == "Rome") - (rows["size"] == "L") * 0.5
    return (total > np.median(total)).astype(int)


def score_text(rows: Any) -> Any:
    """A number from the table with strings."""
    return np.sin(rows["age"].fillna(0).to_numpy() / 9) + (rows["city"] == "Rome") * 2.0


def lgbm(**settings: Any) -> Any:
    """A small LightGBM classifier."""
    import lightgbm

    return lightgbm.LGBMClassifier(n_estimators=6, num_leaves=7, min_child_samples=5, verbose=-1, n_jobs=1, **settings)


def xgb(**settings: Any) -> Any:
    """A small XGBoost classifier."""
    import xgboost

    return xgboost.XGBClassifier(n_estimators=6, max_depth=3, n_jobs=1, **settings)


def pipelines() -> Iterator[Case]:
    """Preprocessing and a model."""
    last: dict[str, Maker] = {
        "logistic": lambda: inner("logistic"),
        "forest": lambda: inner("forest"),
        "lgbm": lgbm,
        "xgb": xgb,
    }
    for name, make in last.items():
        for encoder in ("onehot", "ordinal"):
            yield Case(f"pipe {encoder} {name}", piped(make, two_text, encoder=encoder), "joblib")
    yield Case("pipe indicator forest", piped(last["forest"], two_text, indicator=True), "pkl")
    yield Case("pipe ordinal hist", piped(lambda: inner("hist"), two_text, encoder="ordinal"), "joblib")
    yield Case("pipe skops", piped(last["logistic"], two_text), "skops")
    labels = lambda rows: np.array(["bad", "good"])[two_text(rows)]  # noqa: E731
    yield Case("pipe lgbm strings", piped(lgbm, labels), "joblib")
    yield Case("pipe weights", weighted, "joblib")
    yield Case("pipe regressor", piped(ensemble("RandomForestRegressor"), score_text), "joblib-compressed")
    scaler, imputer = build("preprocessing", "StandardScaler"), build("impute", "SimpleImputer")
    for name, parts, rows in (
        ("scaler forest", [scaler, ensemble("RandomForestRegressor")], clean),
        ("scaler lgbm", [scaler, lambda: lgbm()], numbers),
        ("scaler xgb", [scaler, lambda: xgb()], numbers),
        ("imputer logistic", [imputer, scaler, lambda: inner("logistic")], numbers),
        ("poly ridge", [scaler, build("preprocessing", "PolynomialFeatures"), build("linear_model", "Ridge")], clean),
        ("pca svc", [scaler, build("decomposition", "PCA", n_components=3), build("svm", "SVC")], clean),
        (
            "power linear",
            [build("preprocessing", "PowerTransformer"), build("linear_model", "LinearRegression")],
            clean,
        ),
        ("robust hist", [build("preprocessing", "RobustScaler"), histogram("Classifier")], numbers),
        ("kbins logistic", [build("preprocessing", "KBinsDiscretizer", n_bins=4), lambda: inner("logistic")], clean),
        ("select tree", [build("feature_selection", "SelectKBest", k=2), lambda: inner("tree")], clean),
        (
            "quantile forest",
            [build("preprocessing", "QuantileTransformer", n_quantiles=50), lambda: inner("forest")],
            clean,
        ),
        ("knn impute", [build("impute", "KNNImputer"), lambda: inner("logistic")], numbers),
    ):
        is_refused = name == "knn impute"
        target = (
            score if "Regress" in str(parts[-1]) or name in ("scaler forest", "poly ridge", "power linear") else two
        )
        yield Case(f"pipe {name}", defer_fit(chained(parts), target, rows), "joblib", is_refused)


def weighted() -> Any:
    """A column transformer and a union whose parts have weights, and an imputer behind an encoder."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rows = text()
    coder = ("cat", OneHotEncoder(handle_unknown="ignore"), ["city", "size"])
    columns = ColumnTransformer([coder], remainder="passthrough", transformer_weights={"cat": 3.0})
    union = FeatureUnion(
        [("a", StandardScaler()), ("b", build("decomposition", "PCA", n_components=2)())],
        transformer_weights={"a": 0.5},
    )
    model = make_pipeline(columns, SimpleImputer(), union, inner("forest"))
    return model.fit(rows, two_text(rows)), rows


def chained(parts: Any) -> Maker:
    """A pipeline of what the parts make."""

    def make() -> Any:
        from sklearn.pipeline import make_pipeline

        return make_pipeline(*[part() for part in parts])

    return make


def cases() -> Iterator[Case]:
    """All of them."""
    yield from trees()
    yield from histograms()
    yield from plain()
    yield from meta()
    yield from pipelines()
