"""Encoders and imputers before a model."""
# mypy: disable-error-code="misc,no-untyped-call"

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier

from tests.converters.sklearn.models.registry import add, add_exact
from tests.converters.sklearn.models.rows import R, X, Xn, df, dfm, dfn, n, rng, y3, yb, yr

add(
    "ord",
    lambda: make_pipeline(
        ColumnTransformer(
            [
                (
                    "c",
                    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
                    ["city", "job"],
                )
            ],
            remainder=SimpleImputer(),
        ),
        RandomForestRegressor(4, **R),
    ).fit(dfm, yr),
)
add(
    "ord nan",
    lambda: make_pipeline(
        ColumnTransformer(
            [("c", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), ["city", "job"])],
            remainder="passthrough",
        ),
        HistGradientBoostingClassifier(max_iter=4),
    ).fit(dfn, yb),
)
add(
    "imp str",
    lambda: make_pipeline(
        ColumnTransformer(
            [
                (
                    "c",
                    make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
                    ["city", "job"],
                )
            ]
        ),
        LogisticRegression(),
    ).fit(dfn, yb),
)
add(
    "imp const",
    lambda: make_pipeline(
        ColumnTransformer(
            [
                (
                    "c",
                    make_pipeline(
                        SimpleImputer(missing_values=None, strategy="constant", fill_value="?"),
                        OneHotEncoder(handle_unknown="ignore"),
                    ),
                    ["city"],
                )
            ],
            remainder=SimpleImputer(strategy="mean"),
        ),
        LogisticRegression(),
    ).fit(dfm.drop(columns="job"), yb),
)
add(
    "onehot none",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["city"])]), LogisticRegression()
    ).fit(dfm, yb),
)
add(
    "target",
    lambda: make_pipeline(
        ColumnTransformer([("c", TargetEncoder(), ["city", "k"])], remainder="drop"), LogisticRegression()
    ).fit(df, yb),
)
add("target3", lambda: make_pipeline(TargetEncoder(), LogisticRegression()).fit(df[["city", "job"]], y3))
add("imp rf", lambda: make_pipeline(SimpleImputer(), RandomForestClassifier(5, **R)).fit(Xn, yb))
add("imp -1", lambda: make_pipeline(SimpleImputer(missing_values=-1), LogisticRegression()).fit(np.round(X), yb))
add(
    "ohe num",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(
        rng.integers(0, 5, (n, 2)), yb
    ),
)
add_exact(
    "err onehot rf",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(), ["city", "k"])]), RandomForestClassifier(4, **R)
    ).fit(df, yb),
)
add_exact(
    "err ord hgb",
    lambda: make_pipeline(
        ColumnTransformer([("c", OrdinalEncoder(), ["city", "k"])]), HistGradientBoostingClassifier(max_iter=3)
    ).fit(df, yb),
)
add_exact(
    "imp ind rf", lambda: make_pipeline(SimpleImputer(add_indicator=True), RandomForestClassifier(4, **R)).fit(Xn, yb)
)
add_exact(
    "imp empty",
    lambda: make_pipeline(SimpleImputer(), LogisticRegression()).fit(np.column_stack([Xn, np.full(n, np.nan)]), yb),
)
add_exact(
    "imp keep",
    lambda: make_pipeline(SimpleImputer(keep_empty_features=True), Ridge()).fit(
        np.column_stack([Xn, np.full(n, np.nan)]), yr
    ),
)
add_exact(
    "imp 0",
    lambda: make_pipeline(SimpleImputer(missing_values=0, strategy="constant", fill_value=-7), Ridge()).fit(
        np.round(X), yr
    ),
)
add_exact(
    "imp -1 nan hgb",
    lambda: make_pipeline(SimpleImputer(missing_values=-1), HistGradientBoostingRegressor(max_iter=3)).fit(
        np.round(X), yr
    ),
)
add_exact(
    "lasso sparse",
    lambda: make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), LogisticRegression(penalty="l1", solver="liblinear")
    ).fit(df[["city", "job"]], yb),
)
add_exact(
    "sparse rf",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), RandomForestClassifier(4, **R)).fit(
        df[["city", "job"]], yb
    ),
)
add_exact(
    "ohe drop arr",
    lambda: make_pipeline(OneHotEncoder(drop=["a", "x"], handle_unknown="ignore"), Ridge()).fit(
        df[["city", "job"]], yr
    ),
)
add_exact(
    "ohe maxcat",
    lambda: make_pipeline(
        OneHotEncoder(max_categories=2, drop="first", handle_unknown="infrequent_if_exist"), Ridge()
    ).fit(df[["city", "job"]], yr),
)
add_exact(
    "ord maxcat",
    lambda: make_pipeline(
        OrdinalEncoder(max_categories=2, handle_unknown="use_encoded_value", unknown_value=99), Ridge()
    ).fit(df[["city", "job"]], yr),
)
for settings in ({"max_categories": 2}, {"max_categories": 3, "encoded_missing_value": -7}):
    add_exact(
        f"ord rare and missing {len(settings)}",
        lambda settings=settings: make_pipeline(
            OrdinalEncoder(**settings), HistGradientBoostingRegressor(max_iter=3)
        ).fit(df[["city", "job"]].where(df["job"] != df["job"].iloc[3], np.nan), yr),
    )
add_exact(
    "imputer behind an encoder",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(), ["city"])], remainder="passthrough"),
        SimpleImputer(),
        DecisionTreeClassifier(max_depth=5),
    ).fit(df[["city", "age", "inc"]], yb),
)
add_exact(
    "ohe numarr nan",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(
        np.where(rng.random((n, 2)) < 0.2, np.nan, rng.integers(0, 4, (n, 2))), yr
    ),
)
add_exact(
    "ohe obj arr",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(
        df[["city", "job"]].to_numpy(object), yr
    ),
)
