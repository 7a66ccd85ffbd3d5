"""More small fitted scikit-learn models: float32 training, odd columns, real data, several targets."""
# mypy: disable-error-code="misc,no-untyped-call"

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.compose import make_column_selector as sel
from sklearn.cross_decomposition import CCA, PLSRegression
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.decomposition import FactorAnalysis
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LassoCV,
    LinearRegression,
    LogisticRegression,
    MultiTaskElasticNet,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier
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
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.converters.sklearn_models import Y2, R, X, Xn, df, n, rng, y3, yb, yr, ys

MORE: dict[str, Callable[[], Any]] = {}


def add(name: str, build: Callable[[], Any]) -> None:
    MORE[name] = build


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
    add("f32 " + nm, lambda m=m: make_pipeline(StandardScaler(), m).fit(X32, yb))
add("km2", lambda: KMeans(2, n_init=1, **R).fit(X))
add("1feat", lambda: make_pipeline(StandardScaler(with_mean=False), LogisticRegression()).fit(X[:, :1], yb))
add("1feat rf", lambda: make_pipeline(StandardScaler(), RandomForestRegressor(3, **R)).fit(X[:, :1], yr))
add(
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
add(
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
add(
    "ct idx",
    lambda: make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 2]), ("b", MinMaxScaler(), slice(3, 5))]), LogisticRegression()
    ).fit(X, yb),
)
add(
    "ct mask",
    lambda: make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [True, False, True, False, False])], remainder=RobustScaler()),
        Ridge(),
    ).fit(X, yr),
)
add(
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
add(
    "catcol",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["city", "job"])], remainder="drop"), Ridge()
    ).fit(df.assign(city=df.city.astype("category")), yr),
)
add(
    "weird names",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["c_3"])], remainder="passthrough"), Ridge()
    ).fit(df[["city", "age", "k"]].set_axis(["c_3", "Cast_4", "n_5"], axis=1), yr),
)
add(
    "label name",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["label"])], remainder="passthrough"), Ridge()
    ).fit(df[["city", "age"]].set_axis(["label", "age"], axis=1), yr),
)
add(
    "err onehot rf",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(), ["city", "k"])]), RandomForestClassifier(4, **R)
    ).fit(df, yb),
)
add(
    "err ord hgb",
    lambda: make_pipeline(
        ColumnTransformer([("c", OrdinalEncoder(), ["city", "k"])]), HistGradientBoostingClassifier(max_iter=3)
    ).fit(df, yb),
)
add("imp ind rf", lambda: make_pipeline(SimpleImputer(add_indicator=True), RandomForestClassifier(4, **R)).fit(Xn, yb))
add(
    "imp empty",
    lambda: make_pipeline(SimpleImputer(), LogisticRegression()).fit(np.column_stack([Xn, np.full(n, np.nan)]), yb),
)
add(
    "imp keep",
    lambda: make_pipeline(SimpleImputer(keep_empty_features=True), Ridge()).fit(
        np.column_stack([Xn, np.full(n, np.nan)]), yr
    ),
)
add(
    "imp 0",
    lambda: make_pipeline(SimpleImputer(missing_values=0, strategy="constant", fill_value=-7), Ridge()).fit(
        np.round(X), yr
    ),
)
add(
    "imp -1 nan hgb",
    lambda: make_pipeline(SimpleImputer(missing_values=-1), HistGradientBoostingRegressor(max_iter=3)).fit(
        np.round(X), yr
    ),
)
for nm, L in {"iris": load_iris, "bc": load_breast_cancer, "wine": load_wine}.items():
    for k, m in {
        "lr": make_pipeline(StandardScaler(), LogisticRegression()),
        "rf": RandomForestClassifier(10, **R),
        "sv": make_pipeline(StandardScaler(), SVC()),
        "st": StackingClassifier(
            [("r", RandomForestClassifier(4, **R)), ("k", make_pipeline(StandardScaler(), KNeighborsClassifier(3)))],
            cv=2,
        ),
        "gb": GradientBoostingClassifier(n_estimators=4),
        "ex": ExtraTreesClassifier(6, max_depth=3, **R),
    }.items():
        add(f"{nm} {k}", lambda L=L, m=m: m.fit(*L(return_X_y=True)))
add(
    "diab",
    lambda: make_pipeline(PolynomialFeatures(2, interaction_only=True), StandardScaler(), LassoCV(cv=2)).fit(
        *load_diabetes(return_X_y=True)
    ),
)
add("pls", lambda: PLSRegression(2).fit(X, yr))
add("pls2", lambda: PLSRegression(2).fit(X, Y2))
for ct in ("full", "tied", "diag", "spherical"):
    add("gm " + ct, lambda ct=ct: GaussianMixture(3, covariance_type=ct, **R).fit(X))
add(
    "lasso sparse",
    lambda: make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), LogisticRegression(penalty="l1", solver="liblinear")
    ).fit(df[["city", "job"]], yb),
)
add(
    "sparse rf",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), RandomForestClassifier(4, **R)).fit(
        df[["city", "job"]], yb
    ),
)
add("lr neg labels", lambda: LogisticRegression().fit(X, np.where(yb, 1, -1)))
add("lr np str", lambda: LogisticRegression().fit(X, np.where(yb, "é", "ü")))
add("multi Y lr", lambda: Ridge().fit(X, Y2))
add("enet", lambda: MultiTaskElasticNet().fit(X, Y2))
add("mlabel rf", lambda: RandomForestClassifier(4, **R).fit(X, np.column_stack([yb, 1 - yb])))
add("mlabel dt", lambda: DecisionTreeClassifier().fit(X, np.column_stack([yb, 1 - yb])))
add("mlabel mlp", lambda: MLPClassifier((4,), max_iter=5).fit(X, np.column_stack([yb, 1 - yb])))
add("mlabel knn", lambda: KNeighborsClassifier(3).fit(X, np.column_stack([yb, 1 - yb])))
add("mlabel ridge", lambda: RidgeClassifier().fit(X, np.column_stack([yb, 1 - yb])))
add(
    "bag dt",
    lambda: BaggingClassifier(
        DecisionTreeClassifier(max_depth=3), n_estimators=6, max_features=3, bootstrap_features=True, **R
    ).fit(Xn, ys),
)
add("bag reg hgb", lambda: BaggingRegressor(HistGradientBoostingRegressor(max_iter=3), n_estimators=3, **R).fit(Xn, yr))
add(
    "vote pipe",
    lambda: VotingClassifier(
        [("a", make_pipeline(StandardScaler(), SVC())), ("b", DecisionTreeClassifier(max_depth=2))],
        voting="hard",
        weights=[1, 1],
    ).fit(X, y3),
)
add("stack pred", lambda: StackingClassifier([("a", RidgeClassifier()), ("b", GaussianNB())], cv=2).fit(X, y3))
add("tuned svc", lambda: TunedThresholdClassifierCV(SVC(), cv=2, response_method="decision_function").fit(X, yb))
add(
    "tuned hgb str",
    lambda: TunedThresholdClassifierCV(
        HistGradientBoostingClassifier(max_iter=3), cv=2, scoring="balanced_accuracy"
    ).fit(X, ys),
)
add(
    "fixed auto",
    lambda: FixedThresholdClassifier(GradientBoostingClassifier(n_estimators=3), threshold="auto").fit(X, ys),
)
add("cal3 svc", lambda: CalibratedClassifierCV(SVC(), cv=2).fit(X, y3))
add(
    "cal hgb iso",
    lambda: CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=3), method="isotonic", cv=2).fit(Xn, y3),
)
add(
    "maxabs poly svr",
    lambda: make_pipeline(MaxAbsScaler(), PolynomialFeatures(2, include_bias=False), SVR(kernel="poly", degree=2)).fit(
        X, yr
    ),
)
add("nusvr", lambda: NuSVR().fit(X, yr))
add("linsvr", lambda: LinearSVR().fit(X / [1, 10, 0.1, 1, 100], yr))
add("svr sig", lambda: SVR(kernel="sigmoid").fit(X / [1, 10, 0.1, 1, 100], yr))
add("rf depth1", lambda: RandomForestClassifier(6, max_depth=1, **R).fit(X, y3))
add(
    "hgb 1 iter cat many",
    lambda: HistGradientBoostingClassifier(max_iter=4, categorical_features=[0], min_samples_leaf=1).fit(
        rng.integers(0, 200, (2000, 2)), rng.integers(0, 2, 2000)
    ),
)
add("normalizer l1", lambda: make_pipeline(Normalizer("l1"), Ridge()).fit(X, yr))
add("nmax", lambda: make_pipeline(Normalizer("max"), Ridge()).fit(X, yr))
add(
    "ft sqrt",
    lambda: make_pipeline(FunctionTransformer(np.sqrt), HistGradientBoostingRegressor(max_iter=3)).fit(np.abs(X), yr),
)
add("ft noop", lambda: make_pipeline(FunctionTransformer(), SelectKBest(k=3), Ridge()).fit(X, yr))
add(
    "ttr exp",
    lambda: TransformedTargetRegressor(GradientBoostingRegressor(n_estimators=3), func=np.log, inverse_func=np.exp).fit(
        X, np.exp(yr / 5)
    ),
)
add("ttr mm", lambda: TransformedTargetRegressor(Ridge(), transformer=MinMaxScaler()).fit(X, Y2))
add(
    "lda2",
    lambda: make_pipeline(LinearDiscriminantAnalysis(n_components=1), DecisionTreeClassifier(max_depth=3)).fit(X, y3),
)
add("ridgecv", lambda: RidgeClassifierCV().fit(X, y3))
add("qda3", lambda: QuadraticDiscriminantAnalysis(reg_param=0.1).fit(X, ys))
add("pois", lambda: make_pipeline(StandardScaler(), PoissonRegressor()).fit(X, np.exp(yr / 4)))
add("kb onehot", lambda: make_pipeline(KBinsDiscretizer(3), SVC()).fit(X, yb))
add("kb uni", lambda: make_pipeline(KBinsDiscretizer(3, encode="ordinal", strategy="uniform"), Ridge()).fit(X, yr))
add("binar", lambda: make_pipeline(Binarizer(threshold=0.5), BernoulliNB()).fit(X, y3))
add(
    "ohe drop arr",
    lambda: make_pipeline(OneHotEncoder(drop=["a", "x"], handle_unknown="ignore"), Ridge()).fit(
        df[["city", "job"]], yr
    ),
)
add(
    "ohe maxcat",
    lambda: make_pipeline(
        OneHotEncoder(max_categories=2, drop="first", handle_unknown="infrequent_if_exist"), Ridge()
    ).fit(df[["city", "job"]], yr),
)
add(
    "ord maxcat",
    lambda: make_pipeline(
        OrdinalEncoder(max_categories=2, handle_unknown="use_encoded_value", unknown_value=99), Ridge()
    ).fit(df[["city", "job"]], yr),
)
for settings in ({"max_categories": 2}, {"max_categories": 3, "encoded_missing_value": -7}):
    add(
        f"ord rare and missing {len(settings)}",
        lambda settings=settings: make_pipeline(
            OrdinalEncoder(**settings), HistGradientBoostingRegressor(max_iter=3)
        ).fit(df[["city", "job"]].where(df["job"] != df["job"].iloc[3], np.nan), yr),
    )
ties = np.round(X * [1, 0.2, 20, 2, 0.01])
for quantiles in (7, 100, 1000):
    add(
        f"quantiles {quantiles}",
        lambda quantiles=quantiles: make_pipeline(
            QuantileTransformer(n_quantiles=quantiles), DecisionTreeClassifier(max_depth=6, random_state=0)
        ).fit(np.where(np.isnan(Xn), np.nan, ties), yb),
    )
lumps = np.clip(X, np.quantile(X, 0.4, axis=0), np.quantile(X, 0.8, axis=0))
add("quantiles of lumps", lambda: QuantileTransformer(n_quantiles=50).fit(lumps))
add("quantiles alone", lambda: QuantileTransformer(n_quantiles=30).fit(X))
for step in (FactorAnalysis(2), NeighborhoodComponentsAnalysis(2, random_state=0)):
    add(f"{step} tree", lambda step=step: make_pipeline(StandardScaler(), step, LinearRegression()).fit(X, yb))
add("CCA", lambda: CCA(2).fit(X, np.column_stack([yr, yb])))
add("self-training", lambda: SelfTrainingClassifier(LogisticRegression(max_iter=500)).fit(X, np.where(yr > 1, -1, y3)))
for estimator in (LogisticRegression(max_iter=500), DecisionTreeClassifier(max_depth=3), LinearSVC(), GaussianNB()):
    for label, target in (("two", ys), ("three", np.array(["a", "b", "c"])[y3])):
        add(
            f"pairs {estimator} {label}",
            lambda estimator=estimator, target=target: OneVsOneClassifier(estimator).fit(X, target),
        )
    add(
        f"stacked labels {estimator}",
        lambda estimator=estimator: StackingClassifier(
            [("a", estimator), ("b", GaussianNB())], DecisionTreeClassifier(max_depth=3), stack_method="predict", cv=3
        ).fit(X, ys),
    )
WEIGHTED = {"n": 3.0, "c": 0.5}
add(
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
add(
    "imputer behind an encoder",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(), ["city"])], remainder="passthrough"),
        SimpleImputer(),
        DecisionTreeClassifier(max_depth=5),
    ).fit(df[["city", "age", "inc"]], yb),
)
for function, scaler in (
    (np.log2, MinMaxScaler((0.5, 5))),
    (np.log10, MinMaxScaler((0.5, 5))),
    (np.sign, StandardScaler()),
    (np.rint, RobustScaler()),
):
    add(
        f"ft {function.__name__}",
        lambda function=function, scaler=scaler: make_pipeline(
            scaler, FunctionTransformer(function), DecisionTreeRegressor(max_depth=4)
        ).fit(X, yr),
    )
add(
    "ohe numarr nan",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(
        np.where(rng.random((n, 2)) < 0.2, np.nan, rng.integers(0, 4, (n, 2))), yr
    ),
)
add(
    "ohe obj arr",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(
        df[["city", "job"]].to_numpy(object), yr
    ),
)
