"""Small fitted scikit-learn models of every kind, built on demand."""
# mypy: disable-error-code="misc,no-untyped-call"

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

rng = np.random.default_rng(0)
n = 240
X = rng.normal(size=(n, 5)) * [1, 10, 0.1, 1, 100] + [0, 5, 0, 0, 1000]
Xn = X.copy()
Xn[rng.random(X.shape) < 0.15] = np.nan
yb = (X[:, 0] + X[:, 1] / 10 + rng.normal(size=n) * 0.5 > 0.5).astype(int)
y3 = np.digitize(X[:, 0] + rng.normal(size=n) * 0.3, [-0.5, 0.5])
yr = X[:, 0] * 3 + np.sin(X[:, 1])
ys = np.array(["no", "yes"])[yb]
Y2 = np.column_stack([yr, X[:, 2]])
df = pd.DataFrame(
    {
        "age": X[:, 1],
        "inc": Xn[:, 4],
        "city": rng.choice(
            [
                "a",
                "b",
                "c",
            ],
            n,
        ),
        "job": rng.choice(["x", "y", "zz"], n),
        "k": rng.integers(0, 4, n),
    }
)
dfm = df.copy()
dfm["city"] = dfm["city"].astype(object)
dfm.loc[rng.random(n) < 0.1, "city"] = None
dfn = df.copy()
dfn["city"] = dfn["city"].astype(object)
dfn.loc[rng.random(n) < 0.1, "city"] = np.nan
MODELS: dict[str, Callable[[], Any]] = {}


def add(name: str, build: Callable[[], Any]) -> None:
    MODELS[name] = build


R: dict[str, Any] = {"random_state": 0}
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
Xc = np.column_stack([X[:, 0], rng.integers(0, 6, n), rng.integers(10, 14, n)])
ycat = (Xc[:, 1] % 3 == 1) | (X[:, 0] > 0.7)
add(
    "hgb cat idx",
    lambda: HistGradientBoostingClassifier(max_iter=5, categorical_features=[1, 2], min_samples_leaf=3).fit(Xc, ycat),
)
Xcn = Xc.copy()
Xcn[rng.random(Xc.shape) < 0.1] = np.nan
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
add("sc rf", lambda: make_pipeline(StandardScaler(), RandomForestRegressor(8, **R)).fit(X, yr))
add("sc rfc", lambda: make_pipeline(StandardScaler(), RandomForestClassifier(8, **R)).fit(X, yb))
add("mm gb", lambda: make_pipeline(MinMaxScaler(), GradientBoostingClassifier(n_estimators=5)).fit(X, yb))
add("rob hgb", lambda: make_pipeline(RobustScaler(), HistGradientBoostingClassifier(max_iter=5)).fit(Xn, yb))
add("imp rf", lambda: make_pipeline(SimpleImputer(), RandomForestClassifier(5, **R)).fit(Xn, yb))
add("imp -1", lambda: make_pipeline(SimpleImputer(missing_values=-1), LogisticRegression()).fit(np.round(X), yb))
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
for mth in ("sigmoid", "isotonic"):
    for ens in (True, False):
        add(
            f"cal {mth} {ens}",
            lambda mth=mth, ens=ens: CalibratedClassifierCV(GaussianNB(), method=mth, ensemble=ens, cv=3).fit(X, yb),
        )
    add(
        f"cal3 {mth}",
        lambda mth=mth: CalibratedClassifierCV(RandomForestClassifier(5, max_depth=4, **R), method=mth, cv=2).fit(
            X, y3
        ),
    )
    add(
        f"cal svc {mth}",
        lambda mth=mth: CalibratedClassifierCV(LinearSVC(), method=mth, cv=2).fit(X / [1, 10, 0.1, 1, 100], ys),
    )
add("cal temp", lambda: CalibratedClassifierCV(LogisticRegression(), method="temperature", cv=2).fit(X, yb))
add(
    "cal frozen",
    lambda: CalibratedClassifierCV(
        FrozenEstimator(GradientBoostingClassifier(n_estimators=5).fit(X, yb)), method="isotonic"
    ).fit(X, yb),
)
vs = [("a", LogisticRegression()), ("b", RandomForestClassifier(4, **R)), ("c", GaussianNB())]
add("vote soft", lambda: VotingClassifier(vs, voting="soft", weights=[1, 2, 3]).fit(X, ys))
add("vote hard", lambda: VotingClassifier(vs, voting="hard").fit(X, y3))
add(
    "vote reg",
    lambda: VotingRegressor([("a", Ridge()), ("b", RandomForestRegressor(4, **R))], weights=[0.3, 0.7]).fit(X, yr),
)
add("stack", lambda: StackingClassifier(vs, cv=2, passthrough=True).fit(X, ys))
add("stack3", lambda: StackingClassifier(vs, RandomForestClassifier(5, **R), cv=2).fit(X, y3))
add("stackr", lambda: StackingRegressor([("a", Ridge()), ("b", SVR())], cv=2).fit(X, yr))
add("tuned", lambda: TunedThresholdClassifierCV(LogisticRegression(), cv=2).fit(X, yb))
add("tuned rf", lambda: TunedThresholdClassifierCV(RandomForestClassifier(5, **R), cv=2).fit(X, yb))
add(
    "fixed",
    lambda: FixedThresholdClassifier(
        RandomForestClassifier(5, **R), threshold=0.4, pos_label="no", response_method="predict_proba"
    ).fit(X, ys),
)
add(
    "fixed df",
    lambda: FixedThresholdClassifier(
        LogisticRegression(), threshold=0.1, pos_label="no", response_method="decision_function"
    ).fit(X, ys),
)
add("ovr", lambda: OneVsRestClassifier(LogisticRegression()).fit(X, y3))
add("ovr rf", lambda: OneVsRestClassifier(RandomForestClassifier(4, **R)).fit(X, y3))
add("ovr svc", lambda: OneVsRestClassifier(LinearSVC()).fit(X / [1, 10, 0.1, 1, 100], y3))
add("ovr bin", lambda: OneVsRestClassifier(RandomForestClassifier(4, **R)).fit(X, yb))
add("ovo", lambda: OneVsOneClassifier(LinearSVC()).fit(X, y3))
add("mor", lambda: MultiOutputRegressor(GradientBoostingRegressor(n_estimators=3)).fit(X, Y2))
add("chain", lambda: RegressorChain(Ridge(), order=[1, 0]).fit(X, Y2))
add(
    "ttr log",
    lambda: TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1).fit(
        X / [1, 10, 0.1, 1, 100], np.exp(yr / 5)
    ),
)
add(
    "ttr sc", lambda: TransformedTargetRegressor(RandomForestRegressor(4, **R), transformer=StandardScaler()).fit(X, yr)
)
add("grid", lambda: GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 10]}, cv=2).fit(X, y3))
add("bag svr", lambda: BaggingRegressor(SVR(), n_estimators=3, max_features=0.6, **R).fit(X, yr))
add("bag cls", lambda: BaggingClassifier(LinearSVC(), n_estimators=3, **R).fit(X, y3))
add("ada3", lambda: AdaBoostClassifier(n_estimators=4, **R).fit(X, y3))
add("ada lr", lambda: AdaBoostClassifier(LogisticRegression(), n_estimators=4, **R).fit(X, ys))
add("iso contam", lambda: IsolationForest(n_estimators=20, contamination=0.1, max_features=0.8, **R).fit(X))
add("svc poly", lambda: SVC(kernel="poly", degree=3, coef0=1).fit(X / [1, 10, 0.1, 1, 100], y3))
add("svc sig", lambda: SVC(kernel="sigmoid").fit(X / [1, 10, 0.1, 1, 100], yb))
add("svc lin", lambda: SVC(kernel="linear", break_ties=True).fit(X / [1, 10, 0.1, 1, 100], y3))
add("svc ovo", lambda: SVC(decision_function_shape="ovo").fit(X, y3))
add("svc proba", lambda: SVC(probability=True).fit(X, yb))
add("ocsvm", lambda: OneClassSVM().fit(X))
add("sgd mh", lambda: SGDClassifier(loss="modified_huber").fit(X / [1, 10, 0.1, 1, 100], y3))
add("sgd log", lambda: SGDClassifier(loss="log_loss").fit(X / [1, 10, 0.1, 1, 100], yb))
add("lda", lambda: LinearDiscriminantAnalysis().fit(X, y3))
add("qda", lambda: QuadraticDiscriminantAnalysis().fit(X, yb))
add("mlp3", lambda: MLPClassifier((6, 4), activation="tanh", max_iter=20).fit(X / [1, 10, 0.1, 1, 100], y3))
add(
    "mlpr",
    lambda: MLPRegressor(hidden_layer_sizes=(6,), activation="logistic", max_iter=20).fit(X / [1, 10, 0.1, 1, 100], Y2),
)
add("knn dist", lambda: KNeighborsRegressor(4, weights="distance").fit(X, yr))
add("knn int", lambda: KNeighborsClassifier(4).fit(np.round(X), yb))
add("bern", lambda: BernoulliNB().fit(X, y3))
add("multnb", lambda: MultinomialNB().fit(np.abs(X), y3))
add("dummy", lambda: DummyClassifier(strategy="stratified").fit(X, yb))
add("dummy prior", lambda: DummyClassifier().fit(X, yb))
add("iso reg", lambda: IsotonicRegression(out_of_bounds="clip").fit(X[:, 0], yr))
add(
    "ohe num",
    lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(
        rng.integers(0, 5, (n, 2)), yb
    ),
)
add(
    "bool col",
    lambda: make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(), ["b"])], remainder="passthrough"), LogisticRegression()
    ).fit(pd.DataFrame({"b": X[:, 0] > 0, "a": X[:, 1]}), yb),
)
