"""Linear models, kernels, neighbours, mixtures, networks, naive Bayes."""
# mypy: disable-error-code="misc,no-untyped-call"

import numpy as np
from sklearn.cluster import KMeans
from sklearn.cross_decomposition import CCA, PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import (
    LogisticRegression,
    MultiTaskElasticNet,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import BernoulliNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVR, NuSVR, OneClassSVM

from tests.converters.sklearn.models.registry import add, add_exact
from tests.converters.sklearn.models.rows import Y2, R, X, y3, yb, yr, ys

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
add_exact("km2", lambda: KMeans(2, n_init=1, **R).fit(X))
add_exact("pls", lambda: PLSRegression(2).fit(X, yr))
add_exact("pls2", lambda: PLSRegression(2).fit(X, Y2))
for ct in ("full", "tied", "diag", "spherical"):
    add_exact("gm " + ct, lambda ct=ct: GaussianMixture(3, covariance_type=ct, **R).fit(X))
add_exact("lr neg labels", lambda: LogisticRegression().fit(X, np.where(yb, 1, -1)))
add_exact("lr np str", lambda: LogisticRegression().fit(X, np.where(yb, "é", "ü")))
add_exact("multi Y lr", lambda: Ridge().fit(X, Y2))
add_exact("enet", lambda: MultiTaskElasticNet().fit(X, Y2))
add_exact("mlabel mlp", lambda: MLPClassifier((4,), max_iter=5).fit(X, np.column_stack([yb, 1 - yb])))
add_exact("mlabel knn", lambda: KNeighborsClassifier(3).fit(X, np.column_stack([yb, 1 - yb])))
add_exact("mlabel ridge", lambda: RidgeClassifier().fit(X, np.column_stack([yb, 1 - yb])))
add_exact("nusvr", lambda: NuSVR().fit(X, yr))
add_exact("linsvr", lambda: LinearSVR().fit(X / [1, 10, 0.1, 1, 100], yr))
add_exact("svr sig", lambda: SVR(kernel="sigmoid").fit(X / [1, 10, 0.1, 1, 100], yr))
add_exact("ridgecv", lambda: RidgeClassifierCV().fit(X, y3))
add_exact("qda3", lambda: QuadraticDiscriminantAnalysis(reg_param=0.1).fit(X, ys))
add_exact("pois", lambda: make_pipeline(StandardScaler(), PoissonRegressor()).fit(X, np.exp(yr / 4)))
add_exact("CCA", lambda: CCA(2).fit(X, np.column_stack([yr, yb])))
