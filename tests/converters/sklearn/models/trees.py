"""Trees, forests and boosted trees, alone."""
# mypy: disable-error-code="misc,no-untyped-call"

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.converters.sklearn.models.registry import add, add_exact
from tests.converters.sklearn.models.rows import Y2, R, X, Xc, Xcn, Xn, df, n, rng, y3, yb, ycat, yr, ys

add("rf nan", lambda: RandomForestClassifier(8, **R).fit(Xn, yb))
add("dt nan", lambda: DecisionTreeRegressor(max_depth=5, **R).fit(Xn, yr))
add("et nan", lambda: ExtraTreesClassifier(8, **R).fit(Xn, y3))
add("rf depth3", lambda: RandomForestClassifier(10, max_depth=3, **R).fit(X, ys))
add("rf multi-reg", lambda: RandomForestRegressor(5, **R).fit(X, Y2))
add("rf multiclass-multi", lambda: RandomForestClassifier(5, **R).fit(X, np.column_stack([yb, y3])))
add("rf bool", lambda: RandomForestClassifier(5, **R).fit(X, yb.astype(bool)))
add("rf floatlab", lambda: RandomForestClassifier(5, **R).fit(X, yb.astype(float)))
add("rf const", lambda: RandomForestClassifier(3, **R).fit(X, np.zeros(n, int)))
add("dt const", lambda: DecisionTreeRegressor().fit(X, np.ones(n)))
add("rf monot", lambda: RandomForestClassifier(5, monotonic_cst=[1, 0, 0, 0, 0], **R).fit(X, yb))
for loss in ("log_loss", "exponential"):
    add("gb " + loss, lambda loss=loss: GradientBoostingClassifier(n_estimators=6, loss=loss, **R).fit(X, yb))
for loss in ("squared_error", "absolute_error", "huber", "quantile"):
    add("gbr " + loss, lambda loss=loss: GradientBoostingRegressor(n_estimators=6, loss=loss, **R).fit(X, yr))
add("gb zero", lambda: GradientBoostingClassifier(n_estimators=4, init="zero", **R).fit(X, y3))
add("gb initLR", lambda: GradientBoostingClassifier(n_estimators=4, init=LogisticRegression(), **R).fit(X, yb))
add(
    "gb initLR3",
    lambda: GradientBoostingClassifier(
        n_estimators=4, init=make_pipeline(StandardScaler(), LogisticRegression()), **R
    ).fit(X, y3),
)
add("gbr init", lambda: GradientBoostingRegressor(n_estimators=4, init=LinearRegression(), **R).fit(X, yr))
for loss in ("squared_error", "absolute_error", "gamma", "poisson", "quantile"):
    add(
        "hgb " + loss,
        lambda loss=loss: HistGradientBoostingRegressor(
            max_iter=5, loss=loss, quantile=0.3 if loss == "quantile" else None
        ).fit(Xn, np.exp(yr / 3)),
    )
add("hgb bin nan", lambda: HistGradientBoostingClassifier(max_iter=5).fit(Xn, ys))
add("hgb 3", lambda: HistGradientBoostingClassifier(max_iter=5).fit(X, y3))
add("hgb es", lambda: HistGradientBoostingClassifier(max_iter=20, early_stopping=True, **R).fit(X, y3))
add(
    "hgb cat idx",
    lambda: HistGradientBoostingClassifier(max_iter=5, categorical_features=[1, 2], min_samples_leaf=3).fit(Xc, ycat),
)
add(
    "hgb cat nan",
    lambda: HistGradientBoostingClassifier(max_iter=5, categorical_features=[1, 2], min_samples_leaf=3).fit(Xcn, ycat),
)
dc = df.copy()
dc["city"] = dc.city.astype("category")
dc["job"] = dc.job.astype("category")
add(
    "hgb dtype cat",
    lambda: HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3).fit(dc, (df.city == "a") | (df.k > 2)),
)
add(
    "hgb str cols",
    lambda: HistGradientBoostingRegressor(max_iter=5, categorical_features=["city", "job"], min_samples_leaf=3).fit(
        df, yr
    ),
)
add("iso contam", lambda: IsolationForest(n_estimators=20, contamination=0.1, max_features=0.8, **R).fit(X))
add_exact("mlabel rf", lambda: RandomForestClassifier(4, **R).fit(X, np.column_stack([yb, 1 - yb])))
add_exact("mlabel dt", lambda: DecisionTreeClassifier().fit(X, np.column_stack([yb, 1 - yb])))
add_exact("rf depth1", lambda: RandomForestClassifier(6, max_depth=1, **R).fit(X, y3))
add_exact(
    "hgb 1 iter cat many",
    lambda: HistGradientBoostingClassifier(max_iter=4, categorical_features=[0], min_samples_leaf=1).fit(
        rng.integers(0, 200, (2000, 2)), rng.integers(0, 2, 2000)
    ),
)
