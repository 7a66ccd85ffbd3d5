"""Models of the data sets that scikit-learn ships."""
# mypy: disable-error-code="misc,no-untyped-call"

from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.linear_model import (
    LassoCV,
    LogisticRegression,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import SVC

from tests.converters.sklearn.models.registry import add_exact
from tests.converters.sklearn.models.rows import R

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
        add_exact(f"{nm} {k}", lambda L=L, m=m: m.fit(*L(return_X_y=True)))
add_exact(
    "diab",
    lambda: make_pipeline(PolynomialFeatures(2, interaction_only=True), StandardScaler(), LassoCV(cv=2)).fit(
        *load_diabetes(return_X_y=True)
    ),
)
