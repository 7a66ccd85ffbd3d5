"""CatBoost's categories and texts, each against CatBoost's own plain prediction."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from infer_bench.data import Dataset, conform, draw, match, text_columns
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


@pytest.mark.parametrize("loss", ["RMSEWithUncertainty", "MultiLogloss"])
def test_losses_without_classes_are_answered_as_the_estimators_answer(loss: str, tmp_path: Path) -> None:
    library = pytest.importorskip("catboost")
    rows = FRAME[["size", "code"]]
    if loss == "MultiLogloss":
        labels = np.stack([LABELS, rows["code"] > 1], axis=1).astype(int)
        model = library.CatBoostClassifier(loss_function=loss, **SETTINGS).fit(rows, labels)
    else:
        model = library.CatBoostRegressor(loss_function=loss, **SETTINGS).fit(rows, rows["size"])
    expected = model.predict_proba(rows) if loss == "MultiLogloss" else model.predict(rows)
    session = open_session("catboost", saved(tmp_path, model))
    np.testing.assert_array_equal(answer(session, {name: TABLE[name] for name in ("size", "code")}), expected)


@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
def test_what_catboost_refuses_is_refused(feed: str, tmp_path: Path) -> None:
    session = open_session("catboost", saved(tmp_path, train(["job", "size"], cat_features=["job"])), feed=feed)
    with pytest.raises(EngineError, match="CatBoost cannot predict"):
        answer(session, {"job": 0.5, "size": 1.0})
    for record in ({"job": float("nan"), "size": 1.0}, {"job": None, "size": 1.0}, {"size": 1.0}):
        with pytest.raises(EngineError, match="column 'job' lacks a value, and a category must have one"):
            answer(session, record)
    with pytest.raises(EngineError, match="column 'size' holds 'much', which is no number"):
        answer(session, {"job": "cook", "size": "much"})


@pytest.mark.parametrize("values", [["01", "02"], ["1.0", "2.0"], ["2020-01-01T00:00", "b"], [1, 2], [True, False]])
def test_categories_in_csv_files_are_the_text_that_stands_there(values: list[Any], tmp_path: Path) -> None:
    library = pytest.importorskip("catboost")
    frame = pd.DataFrame({"job": np.array(values)[random.integers(0, 2, N)], "size": FRAME["size"]})
    model = library.CatBoostClassifier(**SETTINGS, cat_features=["job"]).fit(frame, frame["job"] == values[0])
    session = open_session("catboost", saved(tmp_path, model))
    frame.to_csv(tmp_path / "rows.csv", index=False)
    dataset = Dataset.open(tmp_path / "rows.csv")
    texts = text_columns(match(dataset.columns, session.spec), session.spec)
    rows = conform(dataset.with_texts(texts).head(N), session.spec).columns
    np.testing.assert_array_equal(answer(session, rows), model.predict_proba(frame)[:, 1:])


def test_rows_can_be_drawn_though_the_categories_are_hashes(tmp_path: Path) -> None:
    session = open_session("catboost", saved(tmp_path, train(["job", "size"], cat_features=["job"])))
    rows = draw(session.spec, session.domain().thresholds, 20, 0).columns
    assert rows["job"].dtype.kind == "i"
    assert answer(session, rows).shape == (20, 1)


def test_drawn_whole_numbers_are_categories_that_the_model_knows(tmp_path: Path) -> None:
    session = open_session("catboost", saved(tmp_path, train(["code", "size"], cat_features=["code"])))
    known = session.domain().thresholds["code"]
    assert known
    assert set(known) <= {0.0, 1.0, 2.0, 3.0, 4.0}
    assert set(draw(session.spec, session.domain().thresholds, 20, 0).columns["code"].tolist()) <= set(known)


@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
def test_columns_of_categories_that_the_model_has_never_seen_are_told(feed: str, tmp_path: Path) -> None:
    model = train(["job", "size", "code"], cat_features=["job", "code"])
    session: Any = open_session("catboost", saved(tmp_path, model), feed=feed)
    assert session.unseen_columns(TABLE) == []
    assert session.unseen_columns({**TABLE, "job": np.array(["smith"] * N, dtype=object)}) == ["job"]


def test_packed_numbers_hold_no_category(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="column 'job' is a category"):
        open_session("catboost", saved(tmp_path, train(["job", "size"], cat_features=["job"])), feed="packed")


@pytest.mark.parametrize("kind", ["categorical", "text"])
def test_conversions_are_refused_by_the_kind_of_the_features(kind: str) -> None:
    columns, features = (["job", "size"], "cat_features") if kind == "categorical" else (["note"], "text_features")
    with pytest.raises(NotConvertible, match=f"the CatBoost model has {kind} features"):
        read_catboost(train(columns, **{features: columns[:1]}))
