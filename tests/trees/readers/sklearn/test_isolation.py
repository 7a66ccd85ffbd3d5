"""Isolation forests against `decision_function`, with and without missing values and a part of the columns."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from infer_bench.errors import NotConvertible
from infer_bench.trees.evaluate import predict
from infer_bench.trees.readers.sklearn.isolation import read_isolation_forest

ROWS = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)


@pytest.mark.parametrize("settings", [{}, {"max_features": 2}, {"max_samples": 20}, {"contamination": 0.1}])
@pytest.mark.parametrize("missing", [False, True])
def test_scores_are_those_of_the_library(settings: dict[str, Any], missing: bool) -> None:
    rows = ROWS.copy()
    if missing:
        rows[np.random.default_rng(1).random(rows.shape) < 0.2] = np.nan
    model = IsolationForest(n_estimators=8, random_state=0, **settings).fit(rows)
    ensemble = read_isolation_forest(model)
    assert ensemble is not None
    scores = predict(ensemble, rows.astype(np.float64))[:, 0]
    np.testing.assert_allclose(scores, model.decision_function(rows), rtol=0, atol=1e-15)


def test_other_estimators_and_a_forest_of_one_row_are_none() -> None:
    assert read_isolation_forest(object()) is None
    with pytest.raises(NotConvertible, match="single row"):
        read_isolation_forest(IsolationForest(n_estimators=2).fit(ROWS[:1]))
