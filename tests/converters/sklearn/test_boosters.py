"""LightGBM and XGBoost estimators inside scikit-learn pipelines and ensembles."""

from typing import Any

import lightgbm
import pytest
import xgboost
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from infer_bench.converters.sklearn.convert import convert_sklearn
from infer_bench.errors import NotConvertible
from tests.converters.sklearn.compare import compare
from tests.converters.sklearn.models.rows import X, Xn, y3, yb, yr, ys

pytestmark = pytest.mark.filterwarnings("ignore")
FEW: dict[str, Any] = {"n_estimators": 5, "n_jobs": 1}


def light(kind: str = "Classifier", **more: Any) -> Any:
    return getattr(lightgbm, f"LGBM{kind}")(verbose=-1, **FEW, **more)


@pytest.mark.parametrize("precision", ["exact", "float32"])
def test_lightgbm_stays_in_double(precision: str) -> None:
    compare(make_pipeline(StandardScaler(), light()).fit(Xn, ys), precision)
    compare(make_pipeline(SimpleImputer(), light("Regressor", objective="poisson")).fit(Xn, abs(yr)), precision)
    compare(VotingClassifier([("a", light()), ("b", LogisticRegression())], voting="soft").fit(X, y3), precision)


def test_xgboost_is_given_float32() -> None:
    compare(make_pipeline(StandardScaler(), xgboost.XGBClassifier(**FEW)).fit(Xn, yb), "float32")
    compare(make_pipeline(MinMaxScaler(), xgboost.XGBRegressor(**FEW)).fit(Xn, yr), "float32")
    compare(make_pipeline(StandardScaler(), xgboost.XGBClassifier(**FEW)).fit(X, y3), "float32")


@pytest.mark.parametrize(
    "model", [xgboost.XGBClassifier(objective="reg:logistic", **FEW), light(objective="cross_entropy_lambda")]
)
def test_a_classifier_whose_objective_knows_no_classes_is_refused(model: Any) -> None:
    with pytest.raises(NotConvertible, match="without classes"):
        convert_sklearn(make_pipeline(StandardScaler(), model).fit(X, yb))
