"""Estimators made of estimators: calibration, votes, stacks, thresholds, one against rest, chains, bagging."""
# mypy: disable-error-code="misc,no-untyped-call"

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    StandardScaler,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests.converters.sklearn.models.registry import add, add_exact
from tests.converters.sklearn.models.rows import Y2, R, X, Xn, y3, yb, yr, ys

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
add_exact(
    "bag dt",
    lambda: BaggingClassifier(
        DecisionTreeClassifier(max_depth=3), n_estimators=6, max_features=3, bootstrap_features=True, **R
    ).fit(Xn, ys),
)
add_exact(
    "bag reg hgb", lambda: BaggingRegressor(HistGradientBoostingRegressor(max_iter=3), n_estimators=3, **R).fit(Xn, yr)
)
add_exact(
    "vote pipe",
    lambda: VotingClassifier(
        [("a", make_pipeline(StandardScaler(), SVC())), ("b", DecisionTreeClassifier(max_depth=2))],
        voting="hard",
        weights=[1, 1],
    ).fit(X, y3),
)
add_exact("stack pred", lambda: StackingClassifier([("a", RidgeClassifier()), ("b", GaussianNB())], cv=2).fit(X, y3))
add_exact("tuned svc", lambda: TunedThresholdClassifierCV(SVC(), cv=2, response_method="decision_function").fit(X, yb))
add_exact(
    "tuned hgb str",
    lambda: TunedThresholdClassifierCV(
        HistGradientBoostingClassifier(max_iter=3), cv=2, scoring="balanced_accuracy"
    ).fit(X, ys),
)
add_exact(
    "fixed auto",
    lambda: FixedThresholdClassifier(GradientBoostingClassifier(n_estimators=3), threshold="auto").fit(X, ys),
)
add_exact("cal3 svc", lambda: CalibratedClassifierCV(SVC(), cv=2).fit(X, y3))
add_exact(
    "cal hgb iso",
    lambda: CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=3), method="isotonic", cv=2).fit(Xn, y3),
)
add_exact(
    "ttr exp",
    lambda: TransformedTargetRegressor(GradientBoostingRegressor(n_estimators=3), func=np.log, inverse_func=np.exp).fit(
        X, np.exp(yr / 5)
    ),
)
add_exact("ttr mm", lambda: TransformedTargetRegressor(Ridge(), transformer=MinMaxScaler()).fit(X, Y2))
add_exact(
    "self-training", lambda: SelfTrainingClassifier(LogisticRegression(max_iter=500)).fit(X, np.where(yr > 1, -1, y3))
)
for estimator in (LogisticRegression(max_iter=500), DecisionTreeClassifier(max_depth=3), LinearSVC(), GaussianNB()):
    for label, target in (("two", ys), ("three", np.array(["a", "b", "c"])[y3])):
        add_exact(
            f"pairs {estimator} {label}",
            lambda estimator=estimator, target=target: OneVsOneClassifier(estimator).fit(X, target),
        )
    add_exact(
        f"stacked labels {estimator}",
        lambda estimator=estimator: StackingClassifier(
            [("a", estimator), ("b", GaussianNB())], DecisionTreeClassifier(max_depth=3), stack_method="predict", cv=3
        ).fit(X, ys),
    )
