"""Pipelines of scikit-learn: preprocessing and a model, on tables with strings and on numbers."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.converters.zoo.case import Case, numbers, score, text, two
from tests.converters.zoo.estimators import Maker, build, clean, defer_fit, ensemble, histogram, inner


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
