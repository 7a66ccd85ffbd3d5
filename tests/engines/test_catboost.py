"""CatBoost's categories and texts, each against CatBoost's own plain prediction."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from infer_bench.data import draw
from infer_bench.errors import EngineError, NotConvertible
from infer_bench.model import ModelRef
from infer_bench.trees.readers.catboost import read_catboost
from tests.engines.zoo import answer, answer_one_by_one, open_session, ref

N = 90
random = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "job": random.choice(["cook", "pilot", "Ärztin"], N),
        "size": random.normal(size=N).round(3),
        "code": random.integers(0, 5, N),
        "note": random.choice(["good day", "bad day", "no way at all"], N),
    }
)
LABELS = (FRAME["job"] == "cook") ^ (FRAME["size"] > 0) ^ (FRAME["code"] > 2)
TABLE = {str(name): FRAME[name].to_numpy() for name in FRAME}
SETTINGS = {"iterations": 6, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}


def train(columns: list[str], **features: Any) -> Any:
    library = pytest.importorskip("catboost")
    return library.CatBoostClassifier(**SETTINGS, **features).fit(FRAME[columns], LABELS)


def saved(folder: Path, model: Any) -> ModelRef:
    model.save_model(str(folder / "model.cbm"))
    return ref(folder / "model.cbm", "catboost", "catboost-cbm")


@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
@pytest.mark.parametrize("texts", [(), ("note",)], ids=["categories", "and texts"])
def test_categories_and_texts_are_fed_as_they_are(feed: str, texts: tuple[str, ...], tmp_path: Path) -> None:
    columns = ["job", "size", "code", *texts]
    model = train(columns, cat_features=["job", "code"], text_features=list(texts) or None)
    session = open_session("catboost", saved(tmp_path, model), feed=feed)
    kinds = [feature.kind for feature in session.spec.features]
    assert kinds == ["category", "float", "category", *("string" for _ in texts)]
    expected = model.predict_proba(FRAME[columns])[:, 1:]
    np.testing.assert_array_equal(answer(session, TABLE), expected)
    np.testing.assert_array_equal(answer_one_by_one(session, TABLE), expected)
    holes = {**TABLE, "code": TABLE["code"].astype(np.float64)}  # as a file with a missing value holds them
    np.testing.assert_array_equal(answer(session, holes), expected)


@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
def test_what_catboost_refuses_is_refused(feed: str, tmp_path: Path) -> None:
    session = open_session("catboost", saved(tmp_path, train(["job", "size"], cat_features=["job"])), feed=feed)
    for record in ({"job": 0.5, "size": 1.0}, {"job": float("nan"), "size": 1.0}, {"size": 1.0}):
        with pytest.raises(EngineError, match="CatBoost cannot predict"):
            answer(session, record)
    with pytest.raises(EngineError, match="column 'size' holds 'much', which is no number"):
        answer(session, {"job": "cook", "size": "much"})


def test_rows_can_be_drawn_though_the_categories_are_hashes(tmp_path: Path) -> None:
    session = open_session("catboost", saved(tmp_path, train(["job", "size"], cat_features=["job"])))
    rows = draw(session.spec, session.domain().thresholds, 20, 0).columns
    assert rows["job"].dtype.kind == "i"
    assert answer(session, rows).shape == (20, 1)


def test_packed_numbers_hold_no_category(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="column 'job' is a category"):
        open_session("catboost", saved(tmp_path, train(["job", "size"], cat_features=["job"])), feed="packed")


@pytest.mark.parametrize("kind", ["categorical", "text"])
def test_conversions_are_refused_by_the_kind_of_the_features(kind: str) -> None:
    columns, features = (["job", "size"], "cat_features") if kind == "categorical" else (["note"], "text_features")
    with pytest.raises(NotConvertible, match=f"the CatBoost model has {kind} features"):
        read_catboost(train(columns, **{features: columns[:1]}))
