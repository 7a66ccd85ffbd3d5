"""Pipelines that read raw text: a column of text is a request as any other."""
# mypy: disable-error-code="misc,no-untyped-call"

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from infer_bench import bench, profile, validate
from infer_bench.data import Dataset, Table, conform, draw, match
from infer_bench.engines.base import Session
from infer_bench.errors import DataError, EngineError
from infer_bench.model import Feature
from tests.engines.zoo import open_session, ref

TEXTS = [
    f"{start} {end}" for start in ("a good day", "no Good", "bad luck", "İyi günler") for end in ("today", "", "again?")
]
LABELS = np.arange(len(TEXTS)) % 3 > 0
TABLE = {"f0": np.array(TEXTS, dtype=object)}
WORDS = TfidfVectorizer(token_pattern=r"\w+")


def saved(folder: Path, model: Any) -> Path:
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return folder / "model.pkl"


def opened(folder: Path, model: Any, feed: str = "ndarray") -> Session:
    return open_session("sklearn", ref(saved(folder, model), "sklearn", "pickle"), feed=feed)


MODELS = {
    "pipeline": make_pipeline(WORDS, LogisticRegression()),
    "search": GridSearchCV(make_pipeline(WORDS, MultinomialNB()), {"multinomialnb__alpha": [1.0]}, cv=2),
    "calibrated": CalibratedClassifierCV(make_pipeline(CountVectorizer(), MultinomialNB()), cv=2),
    "hashes": make_pipeline(HashingVectorizer(n_features=16), LogisticRegression()),
    "union": make_pipeline(
        FeatureUnion([("words", WORDS), ("letters", CountVectorizer(analyzer="char_wb", ngram_range=(2, 3)))]), Ridge()
    ),
    "vectorizer": CountVectorizer(),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
def test_a_text_is_handed_on_as_the_library_takes_it(name: str, feed: str, tmp_path: Path) -> None:
    model = MODELS[name].fit(TEXTS, LABELS)
    method = next(m for m in ("predict_proba", "predict", "transform") if hasattr(model, m))
    predictions = getattr(model, method)(TEXTS)
    predictions = predictions.toarray() if hasattr(predictions, "toarray") else predictions
    session = opened(tmp_path, model, feed)
    assert [(feature.name, feature.kind) for feature in session.spec.features] == [("f0", "string")]
    output = session.postprocess(session.predict(session.preprocess(TABLE)))
    predictions = predictions[:, 1:] if method == "predict_proba" else np.reshape(predictions, (len(TEXTS), -1))
    np.testing.assert_array_equal(output, predictions)
    single = session.postprocess(session.predict(session.preprocess({"f0": TEXTS[3], "more": 1})))
    np.testing.assert_allclose(single, predictions[3:4], rtol=1e-12)


def test_drawn_texts_are_made_of_the_words_that_the_vectorizer_knows(tmp_path: Path) -> None:
    model = MODELS["pipeline"].fit(TEXTS, LABELS)
    column = draw(opened(tmp_path, model).spec, {}, 50, 0).columns["f0"]
    assert {word for text in column for word in text.split()} <= set(model[0].vocabulary_)
    assert len(set(column)) > 20


def test_the_text_of_a_column_transformer_keeps_its_name_and_has_examples(tmp_path: Path) -> None:
    frame = pd.DataFrame({"review": TEXTS, "stars": np.arange(len(TEXTS)) * 1.0})
    steps = ColumnTransformer([("words", WORDS, "review")], remainder="passthrough")
    spec = opened(tmp_path, make_pipeline(steps, LogisticRegression()).fit(frame, LABELS), "dataframe").spec
    assert [(feature.name, feature.kind, bool(feature.examples)) for feature in spec.features] == [
        ("review", "string", True),
        ("stars", "float", False),
    ]


FRAME = pd.DataFrame(
    {"review": TEXTS, "stars": np.arange(len(TEXTS)) * 1.0, "shop": np.tile(["a", "b"], len(TEXTS) // 2)}
)
LETTERS = FeatureUnion([("words", WORDS), ("letters", CountVectorizer(analyzer="char"))])
COLUMNS = make_pipeline(
    ColumnTransformer([("words", LETTERS, "review"), ("codes", OneHotEncoder(), ["shop"])], remainder="passthrough"),
    LogisticRegression(),
)


@pytest.mark.parametrize(
    "model",
    [
        GridSearchCV(COLUMNS, {"logisticregression__C": [1.0]}, cv=2),
        CalibratedClassifierCV(COLUMNS, cv=2),
        VotingClassifier([("a", COLUMNS), ("b", make_pipeline("passthrough", COLUMNS))], voting="soft"),
    ],
    ids=["search", "calibrated", "votes of nested pipelines"],
)
def test_columns_of_text_are_known_however_deep_the_transformer_stands(model: Any, tmp_path: Path) -> None:
    session = opened(tmp_path, model.fit(FRAME, LABELS), "dataframe")
    kinds = {feature.name: (feature.kind, feature.categories) for feature in session.spec.features}
    assert kinds == {"review": ("string", ()), "stars": ("float", ()), "shop": ("category", ("a", "b"))}
    table = {str(name): FRAME[name].to_numpy() for name in FRAME}
    output = session.postprocess(session.predict(session.preprocess(table)))
    np.testing.assert_array_equal(output, model.predict_proba(FRAME)[:, 1:])


def test_a_column_that_is_dropped_may_hold_text(tmp_path: Path) -> None:
    frame = FRAME.assign(id=[f"r{i}" for i in range(len(FRAME))])
    steps = ColumnTransformer([("words", WORDS, "review"), ("rest", "passthrough", ["stars"])])
    model = make_pipeline(steps, LogisticRegression()).fit(frame, LABELS)
    session = opened(tmp_path, model, "dataframe")
    assert [feature.name for feature in session.spec.features if feature.unread] == ["shop", "id"]
    table = {str(name): frame[name].to_numpy() for name in frame}
    predictions = model.predict_proba(frame)[:, 1:]
    for columns in (table, conform(Table(table), session.spec).columns):
        output = session.postprocess(session.predict(session.preprocess(columns)))
        np.testing.assert_array_equal(output, predictions)


def test_a_missing_text_is_refused_as_the_library_refuses_it(tmp_path: Path) -> None:
    session = opened(tmp_path, MODELS["pipeline"].fit(TEXTS, LABELS))
    for request in ({"f0": None}, {"more": 1}, {"f0": np.array(["a", None], dtype=object)}):
        with pytest.raises(EngineError, match="nan is an invalid document"):
            session.predict(session.preprocess(request))


def test_packed_numbers_hold_no_text(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="reads text in column 'f0'"):
        opened(tmp_path, MODELS["pipeline"].fit(TEXTS, LABELS), "packed")


def test_of_several_columns_the_one_called_text_is_fed(tmp_path: Path) -> None:
    spec = opened(tmp_path, MODELS["pipeline"].fit(TEXTS, LABELS)).spec
    assert match(["review"], spec).columns == ("review",)
    assert match(["id", "text"], spec).columns == ("text",)
    assert match(["id", "text"], spec).extra == ("id",)
    with pytest.raises(DataError, match="none of the 2 columns is called 'text'"):
        match(["id", "review"], spec)
    assert Feature("f0", "string", examples=("a",)) == Feature("f0", "string")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_texts_are_read_from_any_file(suffix: str, tmp_path: Path) -> None:
    frame, path = pd.DataFrame({"review": [*TEXTS, "only, once", "new\nline"]}), tmp_path / f"rows.{suffix}"
    if suffix == "json":
        frame.to_json(path, orient="records")
    else:
        getattr(frame, f"to_{suffix}")(path, index=False)
    assert Dataset.open(str(path)).head(100).columns["review"].tolist() == frame.review.tolist()


def test_bench_profile_and_validate_take_text(tmp_path: Path) -> None:
    path = str(saved(tmp_path, MODELS["pipeline"].fit(TEXTS, LABELS)))
    pd.DataFrame({"text": TEXTS, "id": range(len(TEXTS))}).to_csv(tmp_path / "rows.csv", index=False)
    rows: dict[str, Any] = {"data": str(tmp_path / "rows.csv"), "allow_pickle": True}
    report = bench(path, candidates=["sklearn:feed=ndarray"], rounds=1, processes=1, **rows)
    assert [result.failed for result in report.results] == [None]
    assert any("it was fed 'text' of rows.csv" in notice.message for notice in report.notices)
    np.save(tmp_path / "expected.npy", MODELS["pipeline"].predict_proba(TEXTS))
    (result,) = validate(str(tmp_path / "expected.npy"), path, **rows).results
    assert not result.different
    (steps,) = profile(path, requests=8, **rows).results
    assert steps.request is not None
    assert steps.request.samples
