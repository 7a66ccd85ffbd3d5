"""Pipelines that treat the columns of a table by name, number, mask or type."""
# mypy: disable-error-code="misc,no-untyped-call"

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.compose import make_column_selector as sel
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    Ridge,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tests.converters.sklearn.models.registry import add, add_exact
from tests.converters.sklearn.models.rows import R, X, df, yb, yr, ys


def pre() -> Any:
    return ColumnTransformer(
        [
            (
                "n",
                make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
                ["age", "inc"],
            ),
            ("c", OneHotEncoder(handle_unknown="ignore"), ["city", "job"]),
        ],
        remainder="passthrough",
    )


for nm, e in {
    "lr": LogisticRegression(),
    "rf": RandomForestClassifier(6, **R),
    "gb": GradientBoostingClassifier(n_estimators=4),
    "hgb": HistGradientBoostingClassifier(max_iter=4),
    "svc": SVC(),
    "mlp": MLPClassifier((8,), max_iter=30),
    "gnb": GaussianNB(),
    "knn": KNeighborsClassifier(3),
}.items():
    add(
        "ct " + nm,
        lambda e=e: Pipeline(
            [("p", pre().set_output(transform="default").set_params(c__sparse_output=False)), ("m", e)]
        ).fit(df, ys),
    )
add(
    "ct drop first",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(drop="first"), ["city", "job"])], remainder="drop"), LogisticRegression()
    ).fit(df, yb),
)
add(
    "ct infreq",
    lambda: make_pipeline(
        ColumnTransformer(
            [("c", OneHotEncoder(min_frequency=85, handle_unknown="infrequent_if_exist"), ["city", "job", "k"])]
        ),
        LogisticRegression(),
    ).fit(df, yb),
)
add(
    "ct ifbin",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(drop="if_binary", handle_unknown="ignore"), ["city", "job"])]),
        LogisticRegression(),
    ).fit(df.assign(job=np.where(X[:, 0] > 0, "p", "q")), yb),
)
add(
    "bool col",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(), ["b"])], remainder="passthrough"), LogisticRegression()
    ).fit(pd.DataFrame({"b": X[:, 0] > 0, "a": X[:, 1]}), yb),
)
add_exact(
    "sel",
    lambda: make_pipeline(
        ColumnTransformer(
            [
                ("c", OneHotEncoder(handle_unknown="ignore"), sel(dtype_exclude="number")),
                ("n", "passthrough", sel(dtype_include="number")),
            ]
        ),
        RandomForestClassifier(4, **R),
    ).fit(df, yb),
)
add_exact(
    "sel pandas",
    lambda: (
        make_pipeline(
            ColumnTransformer(
                [("c", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["city", "job"])],
                remainder="passthrough",
            ),
            HistGradientBoostingClassifier(max_iter=3),
        )
        .set_output(transform="pandas")
        .fit(df, yb)
    ),
)
add_exact(
    "ct idx",
    lambda: make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 2]), ("b", MinMaxScaler(), slice(3, 5))]), LogisticRegression()
    ).fit(X, yb),
)
add_exact(
    "ct mask",
    lambda: make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [True, False, True, False, False])], remainder=RobustScaler()),
        Ridge(),
    ).fit(X, yr),
)
add_exact(
    "ct nested",
    lambda: make_pipeline(
        ColumnTransformer(
            [
                ("a", ColumnTransformer([("q", StandardScaler(), ["age"])], remainder="passthrough"), ["age", "k"]),
                ("b", OneHotEncoder(), ["city"]),
            ]
        ),
        Ridge(),
    ).fit(df, yr),
)
add_exact(
    "catcol",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["city", "job"])], remainder="drop"), Ridge()
    ).fit(df.assign(city=df.city.astype("category")), yr),
)
add_exact(
    "weird names",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["c_3"])], remainder="passthrough"), Ridge()
    ).fit(df[["city", "age", "k"]].set_axis(["c_3", "Cast_4", "n_5"], axis=1), yr),
)
add_exact(
    "label name",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["label"])], remainder="passthrough"), Ridge()
    ).fit(df[["city", "age"]].set_axis(["label", "age"], axis=1), yr),
)
WEIGHTED = {"n": 3.0, "c": 0.5}
add_exact(
    "weights",
    lambda: make_pipeline(
        ColumnTransformer(
            [("n", SimpleImputer(), ["age", "inc"]), ("c", OneHotEncoder(), ["city"]), ("r", "drop", ["job"])],
            remainder="drop",
            transformer_weights=WEIGHTED,
        ),
        FeatureUnion([("n", StandardScaler()), ("c", "passthrough")], transformer_weights=WEIGHTED),
        DecisionTreeClassifier(max_depth=5),
    ).fit(df, yb),
)
