"""Pipelines of numeric steps: scalers, selectors, projections, binners, functions, quantiles."""
# mypy: disable-error-code="misc,no-untyped-call"

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.converters.sklearn.models.registry import add, add_exact
from tests.converters.sklearn.models.rows import R, X, Xn, y3, yb, yr

add("sc rf", lambda: make_pipeline(StandardScaler(), RandomForestRegressor(8, **R)).fit(X, yr))
add("sc rfc", lambda: make_pipeline(StandardScaler(), RandomForestClassifier(8, **R)).fit(X, yb))
add("mm gb", lambda: make_pipeline(MinMaxScaler(), GradientBoostingClassifier(n_estimators=5)).fit(X, yb))
add("rob hgb", lambda: make_pipeline(RobustScaler(), HistGradientBoostingClassifier(max_iter=5)).fit(Xn, yb))
add(
    "kbins",
    lambda: make_pipeline(
        KBinsDiscretizer(4, encode="onehot-dense", quantile_method="linear"), LogisticRegression()
    ).fit(X, yb),
)
add("kbins ord", lambda: make_pipeline(KBinsDiscretizer(4, encode="ordinal"), DecisionTreeClassifier()).fit(X, yb))
add("poly", lambda: make_pipeline(StandardScaler(), PolynomialFeatures(3), Ridge()).fit(X, yr))
add("pt", lambda: make_pipeline(PowerTransformer(), LinearRegression()).fit(X, yr))
add("pt bc", lambda: make_pipeline(PowerTransformer("box-cox"), LinearRegression()).fit(np.abs(X) + 0.1, yr))
add("norm", lambda: make_pipeline(Normalizer(), LinearSVC()).fit(X, y3))
add("pca", lambda: make_pipeline(StandardScaler(), PCA(3, whiten=True), SVR()).fit(X, yr))
add("selk", lambda: make_pipeline(SelectKBest(k=2), DecisionTreeClassifier(max_depth=4)).fit(X, yb))
add("sfm", lambda: make_pipeline(SelectFromModel(RandomForestClassifier(5)), LogisticRegression()).fit(X, yb))
add(
    "union",
    lambda: make_pipeline(FeatureUnion([("a", StandardScaler()), ("b", PCA(2))]), LogisticRegression()).fit(X, yb),
)
add("ft", lambda: make_pipeline(FunctionTransformer(np.log1p), Ridge()).fit(np.abs(X), yr))
add("ft lambda", lambda: make_pipeline(FunctionTransformer(lambda x: x * 2), Ridge()).fit(X, yr))
X32 = X.astype(np.float32)
for nm, m in {
    "lr": LogisticRegression(),
    "sgd": SGDClassifier(loss="log_loss"),
    "mlp": MLPClassifier((5,), max_iter=20),
    "svc": SVC(),
    "rf": RandomForestClassifier(4, **R),
    "hgb": HistGradientBoostingClassifier(max_iter=3),
    "gnb": GaussianNB(),
    "knn": KNeighborsClassifier(3),
    "lda": LinearDiscriminantAnalysis(),
    "cal": CalibratedClassifierCV(LogisticRegression(), cv=2),
}.items():
    add_exact("f32 " + nm, lambda m=m: make_pipeline(StandardScaler(), m).fit(X32, yb))
add_exact("1feat", lambda: make_pipeline(StandardScaler(with_mean=False), LogisticRegression()).fit(X[:, :1], yb))
add_exact("1feat rf", lambda: make_pipeline(StandardScaler(), RandomForestRegressor(3, **R)).fit(X[:, :1], yr))
add_exact(
    "maxabs poly svr",
    lambda: make_pipeline(MaxAbsScaler(), PolynomialFeatures(2, include_bias=False), SVR(kernel="poly", degree=2)).fit(
        X, yr
    ),
)
add_exact("normalizer l1", lambda: make_pipeline(Normalizer("l1"), Ridge()).fit(X, yr))
add_exact("nmax", lambda: make_pipeline(Normalizer("max"), Ridge()).fit(X, yr))
add_exact(
    "ft sqrt",
    lambda: make_pipeline(FunctionTransformer(np.sqrt), HistGradientBoostingRegressor(max_iter=3)).fit(np.abs(X), yr),
)
add_exact("ft noop", lambda: make_pipeline(FunctionTransformer(), SelectKBest(k=3), Ridge()).fit(X, yr))
add_exact(
    "lda2",
    lambda: make_pipeline(LinearDiscriminantAnalysis(n_components=1), DecisionTreeClassifier(max_depth=3)).fit(X, y3),
)
add_exact("kb onehot", lambda: make_pipeline(KBinsDiscretizer(3), SVC()).fit(X, yb))
add_exact(
    "kb uni", lambda: make_pipeline(KBinsDiscretizer(3, encode="ordinal", strategy="uniform"), Ridge()).fit(X, yr)
)
add_exact("binar", lambda: make_pipeline(Binarizer(threshold=0.5), BernoulliNB()).fit(X, y3))
ties = np.round(X * [1, 0.2, 20, 2, 0.01])
for quantiles in (7, 100, 1000):
    add_exact(
        f"quantiles {quantiles}",
        lambda quantiles=quantiles: make_pipeline(
            QuantileTransformer(n_quantiles=quantiles), DecisionTreeClassifier(max_depth=6, random_state=0)
        ).fit(np.where(np.isnan(Xn), np.nan, ties), yb),
    )
lumps = np.clip(X, np.quantile(X, 0.4, axis=0), np.quantile(X, 0.8, axis=0))
add_exact("quantiles of lumps", lambda: QuantileTransformer(n_quantiles=50).fit(lumps))
add_exact("quantiles alone", lambda: QuantileTransformer(n_quantiles=30).fit(X))
for step in (FactorAnalysis(2), NeighborhoodComponentsAnalysis(2, random_state=0)):
    add_exact(f"{step} tree", lambda step=step: make_pipeline(StandardScaler(), step, LinearRegression()).fit(X, yb))
for function, scaler in (
    (np.log2, MinMaxScaler((0.5, 5))),
    (np.log10, MinMaxScaler((0.5, 5))),
    (np.sign, StandardScaler()),
    (np.rint, RobustScaler()),
):
    add_exact(
        f"ft {function.__name__}",
        lambda function=function, scaler=scaler: make_pipeline(
            scaler, FunctionTransformer(function), DecisionTreeRegressor(max_depth=4)
        ).fit(X, yr),
    )
