"""Converted scikit-learn models against their originals, on rows drawn from the models themselves."""

from typing import Any

import lightgbm
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from infer_bench.converters.sklearn import convert_sklearn
from infer_bench.converters.sklearn_routes import sklearn_routes
from infer_bench.errors import NotConvertible
from tests.converters.sklearn_compare import compare, session
from tests.converters.sklearn_models import MODELS, X, y3, yb, yr
from tests.converters.sklearn_more_models import MORE

pytestmark = pytest.mark.filterwarnings("ignore")

REFUSED = {
    "rf multiclass-multi": "several targets",
    "gb initLR": "float32",
    "gb initLR3": "float32",
    "gbr init": "float32",
    "ft lambda": "lambda",
    "cal temp": "temperature",
    "ovo": "OneVsOneClassifier",
    "svc proba": "probability",
    "knn int": "equal",
    "dummy": "random",
}


@pytest.mark.parametrize("precision", ["exact", "float32"])
@pytest.mark.parametrize("name", sorted(set(MODELS) - set(REFUSED)))
def test_answers_as_the_original(name: str, precision: str) -> None:
    rows = compare(MODELS[name](), precision, rows=128)
    assert rows["ordinary"] == 128


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refuses_what_has_no_exact_form(name: str) -> None:
    with pytest.raises(NotConvertible, match=REFUSED[name]) as caught:
        convert_sklearn(MODELS[name]())
    assert caught.value.hint


MORE_REFUSED = {
    "label name": "label",
    "iris st": "equal",
    "mlabel rf": "several targets",
    "mlabel dt": "several targets",
    "mlabel mlp": "several labels",
    "mlabel knn": "several targets",
    "mlabel ridge": "several labels",
}


@pytest.mark.parametrize("name", sorted(set(MORE) - set(MORE_REFUSED)))
def test_more_models_answer_as_the_original(name: str) -> None:
    assert compare(MORE[name](), rows=96)["ordinary"] == 96


@pytest.mark.parametrize("name", sorted(MORE_REFUSED))
def test_refuses_more(name: str) -> None:
    with pytest.raises(NotConvertible, match=MORE_REFUSED[name]):
        convert_sklearn(MORE[name]())


def test_refuses_a_class_that_is_not_scikit_learns() -> None:
    class Doubling(StandardScaler):  # type: ignore[misc]
        def transform(self, X: Any, copy: Any = None) -> Any:
            return 2 * super().transform(X, copy)

    with pytest.raises(NotConvertible, match="Doubling"):
        convert_sklearn(make_pipeline(Doubling(), Ridge()).fit(X, yr))


def test_refuses_boosting_from_a_draw_of_lots() -> None:
    start = DummyClassifier(strategy="stratified", random_state=0)
    with pytest.raises(NotConvertible, match="random"):
        convert_sklearn(GradientBoostingClassifier(n_estimators=2, init=start).fit(X, yb))


def test_lists_every_route_and_reason() -> None:
    routes = sklearn_routes()
    written = {name for route in routes if route.exactness == "exact" for name in route.estimators}
    assert {"RandomForestClassifier", "LogisticRegression", "ColumnTransformer", "LGBMClassifier"} <= written
    assert not written & {name for route in routes if route.exactness == "refused" for name in route.estimators}


def test_refuses_an_unfitted_estimator() -> None:
    with pytest.raises(NotConvertible, match="fitted"):
        convert_sklearn(LogisticRegression())


def test_zipmap_and_input_name() -> None:
    model = LogisticRegression().fit(X, np.array(["no", "yes"])[yb])
    run = session(convert_sklearn(model, zipmap=True, input_name="row"))
    _, maps = run.run(None, {"row": X[:3].astype(np.float32)})
    assert set(maps[0]) == {"no", "yes"}
    assert [m["yes"] for m in maps] == pytest.approx(model.predict_proba(X[:3])[:, 1], abs=1e-6)


def test_probabilities_next_to_zero_keep_their_digits() -> None:
    """Where every class is as good as excluded, their shares are what tiny numbers say, not what is left of them."""
    far = X * [[60.0, -40.0, 900.0, 25.0, 0.01]]
    for model in (
        CalibratedClassifierCV(LogisticRegression(max_iter=500), cv=3),
        OneVsRestClassifier(make_pipeline(StandardScaler(), LogisticRegression())),
        OneVsRestClassifier(lightgbm.LGBMClassifier(n_estimators=300, learning_rate=0.5, verbose=-1, n_jobs=1)),
    ):
        model.fit(X, y3)
        found = session(convert_sklearn(model, precision="exact")).run(["probabilities"], {"input": far})[0]
        np.testing.assert_allclose(found, model.predict_proba(far), rtol=1e-9, atol=1e-300)
