"""A missing text is None or NaN to a model, whichever it was trained with; which a frame holds is up to pandas."""
# mypy: disable-error-code="misc,no-untyped-call"

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from infer_bench.engines.sklearn.openings import find_missing_texts
from tests.engines.zoo import dump, open_session, ref

CITIES = ["a", "b", None, "b", "c", "a"] * 6
KNOWN = {"None": None, "NaN": np.nan}


def train(encoder: Any, missing: float | None) -> Any:
    cities = pd.Series([missing if city is None else city for city in CITIES], dtype=object)
    table = pd.DataFrame({"city": cities, "x": np.arange(36.0)})
    columns = ColumnTransformer([("c", encoder, ["city"])], remainder="passthrough")
    return make_pipeline(columns, LogisticRegression()).fit(table, [city in (None, "b") for city in CITIES])


@pytest.mark.parametrize("missing", KNOWN.values(), ids=KNOWN)
def test_a_missing_text_is_the_one_that_the_model_knows(missing: float | None, tmp_path: Path) -> None:
    model = train(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-9, encoded_missing_value=7), missing
    )
    row = pd.DataFrame({"city": pd.Series([missing], dtype=object), "x": [3.0]})
    expected = model.predict_proba(row)[0, 1]
    saved = ref(dump(model, tmp_path / "m.pkl"), "sklearn", "pickle")
    session = open_session("sklearn", saved, feed="dataframe")
    city, x = session.spec.feature_names
    for other in KNOWN.values():
        table = {city: np.array([other, "b"], dtype=object), x: np.array([3.0, 3.0])}
        for request in ({city: other, x: 3.0}, table):
            answer = session.postprocess(session.predict(session.preprocess(request)))
            assert answer[0, 0] == pytest.approx(expected, abs=1e-12)


def test_of_a_column_in_which_nothing_or_both_are_missing_nothing_is_told() -> None:
    encoder, imputer = OneHotEncoder(handle_unknown="ignore"), SimpleImputer(strategy="most_frequent")
    assert find_missing_texts(train(make_pipeline(imputer, encoder), np.nan), ["city", "x"]).keys() == {"city"}
    assert find_missing_texts(train(encoder, None), ["city", "x"]) == {"city": None}
    assert find_missing_texts(train(encoder, "none"), ["city", "x"]) == {}  # type: ignore[arg-type]
    both = OneHotEncoder().fit(pd.DataFrame({"city": pd.Series(["a", None, np.nan], dtype=object)}))
    assert find_missing_texts(both, ["city"]) == {}
