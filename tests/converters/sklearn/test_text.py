"""Vectorizers of text: words, letters, case and accents as Python tells them, on texts that are hard to take apart."""
# mypy: disable-error-code="misc,no-untyped-call"

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier

from infer_bench import convert
from infer_bench.converters.onnx.assembly import assemble
from infer_bench.converters.onnx.graph import OPSET, Graph
from infer_bench.converters.sklearn.convert import convert_sklearn
from infer_bench.converters.sklearn.text.case import change_characters
from infer_bench.converters.sklearn.text.hostile import HOSTILE, LONG
from infer_bench.converters.sklearn.text.patterns import TokenPattern, translate_pattern
from infer_bench.errors import NotConvertible
from tests.converters.running import open_session

pytestmark = pytest.mark.filterwarnings("ignore")

draw = np.random.default_rng(0)
WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "Good",
    "day",
    "BAD",
    "İyi",
    "günler",
    "été",
    "ÉTÉ",
    "straße",
    "ΟΔΟΣ",
    "x1",
]
TEXTS = [*(" ".join(draw.choice(WORDS, draw.integers(1, 9))) for _ in range(60)), *HOSTILE]
LABELS = np.arange(len(TEXTS)) % 3 == 0


def run(model: bytes, texts: list[str]) -> Any:
    return open_session(model).run(None, {"f0": np.array(texts, dtype=object)[:, None]})


VECTORIZERS = {
    "words": TfidfVectorizer(),
    "pairs of words": TfidfVectorizer(ngram_range=(1, 2), max_features=40),
    "pairs without stop words": CountVectorizer(ngram_range=(2, 2), stop_words=["the", "on", "iyi"]),
    "words without stop words": CountVectorizer(stop_words="english"),
    "case kept": CountVectorizer(lowercase=False),
    "whether there": TfidfVectorizer(binary=True, norm="l1"),
    "logarithms": TfidfVectorizer(sublinear_tf=True, use_idf=False, norm=None),
    "single letters are words": CountVectorizer(token_pattern=r"(?u)\b\w+\b"),
    "words of ASCII": CountVectorizer(token_pattern=r"[a-z0-9]{2,}"),
    "whole words of letters": CountVectorizer(token_pattern=r"\b[^\d\W]+\b", ngram_range=(1, 2)),
    "whole words of some length": CountVectorizer(
        token_pattern=r"(?u)\b\w{2,4}\b", ngram_range=(1, 2), stop_words=["the"]
    ),
    "what stands between spaces": CountVectorizer(token_pattern=r"\S+", ngram_range=(1, 2)),
    "without accents": CountVectorizer(strip_accents="unicode"),
    "ASCII alone": CountVectorizer(strip_accents="ascii"),
    "letters": CountVectorizer(analyzer="char", ngram_range=(1, 3)),
    "letters of words": TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3)),
    "long letters of words": CountVectorizer(analyzer="char_wb", ngram_range=(4, 5)),
    "words given": CountVectorizer(vocabulary=["the", "The", "cat sat", "zzz", " ", "a"]),
    "pairs given": CountVectorizer(vocabulary=["the cat", "cat", "THE", "x  y", "ab"], ngram_range=(1, 2)),
    "letters given": CountVectorizer(vocabulary=["  ", " a", "\n", "\na", " "], analyzer="char", ngram_range=(1, 2)),
    "edges given": CountVectorizer(vocabulary=["  ", " a", " a ", "t ", "a b"], analyzer="char_wb", ngram_range=(2, 3)),
}


@pytest.mark.parametrize("name", VECTORIZERS)
def test_every_text_is_counted_as_scikit_learn_counts_it(name: str) -> None:
    vectorizer = VECTORIZERS[name].fit(TEXTS)
    model = convert_sklearn(vectorizer, precision="exact")
    texts = [*TEXTS, *LONG]
    np.testing.assert_allclose(run(model, texts)[0], vectorizer.transform(texts).toarray(), rtol=1e-12, atol=1e-12)
    for few in ([""], ["!"], ["", " "], ["the cat"]):  # where no word stands, and where all rows are short
        np.testing.assert_allclose(run(model, few)[0], vectorizer.transform(few).toarray(), rtol=1e-12)
    assert run(model, [])[0].shape == (0, len(vectorizer.vocabulary_))


def test_lower_case_is_that_of_python() -> None:
    """Above all that of the sigma, which hangs on the letters around it, over whatever has no case."""
    g = Graph()
    g.domains[""] = 20
    texts = g.op("Concat", "texts", g.const(["A"], str), axis=0)
    changed = g.op("Identity", change_characters(g, texts, str.lower, lowers=True))
    value = {name: helper.make_tensor_value_info(name, TensorProto.STRING, [None]) for name in ("texts", changed)}
    opsets = {"": OPSET, **g.domains}
    data = assemble(g, "g", [value["texts"]], [value[changed]], opsets=opsets, ir_version=10, metadata={})
    alphabet = list("ΣΣΣαΑa .',:·ʰʼ1_-\u0301\u00adⒶİẞǅ😀\n")
    lengths = draw.integers(0, 9, 3_000)
    rows = [*("".join(draw.choice(alphabet, length)) for length in lengths), *HOSTILE]
    output = open_session(data).run(None, {"texts": np.array(rows, dtype=object)})[0]
    assert output[:-1].tolist() == [row.lower() for row in rows]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[a-z]+", r"[\x{61}-\x{7A}]+"),
        (r"a[bc]{2,3}?"[:-1], r"[\x{61}-\x{61}][\x{62}-\x{63}]{2,3}"),
        ("[0-9]{3}", r"[\x{30}-\x{39}]{3,3}"),
        (".", r"[\x{0}-\x{9}\x{B}-\x{D7FF}\x{E000}-\x{10FFFF}]"),
    ],
)
def test_patterns_are_written_out(pattern: str, expected: str) -> None:
    assert translate_pattern(pattern) == TokenPattern(expected)


def test_between_word_boundaries_whole_words_are_kept_or_left_out() -> None:
    pattern = translate_pattern(r"\b[a-z]{3,}\b")
    assert pattern.search == translate_pattern(r"\w+").search
    assert pattern.whole == r"[\x{61}-\x{7A}]{3,}"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(?i)[a-z]+", "it has flags"),
        (r"\b[a-z-]+\b", "word boundaries"),
        (r"\b[a-z]+", "word boundaries"),
        (r"\w*", "without a character"),
        (r"(\w+)ing", "a subpattern"),
        (r"\w+?", "a min_repeat"),
        (r"cat|doge", "a branch"),
        (r"^\w+", "word boundaries"),
        (r"\w{900}", "repeats are repeated"),
    ],
)
def test_a_pattern_without_an_exact_form_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(NotConvertible, match=f"token_pattern .* has no exact form .*{why}"):
        translate_pattern(pattern)


def own_function(text: str) -> Any:
    return text


@pytest.mark.parametrize(
    ("vectorizer", "why"),
    [
        (CountVectorizer(analyzer=str.split), r"CountVectorizer\(analyzer\): a Python function"),
        (TfidfVectorizer(preprocessor=own_function), r"TfidfVectorizer\(preprocessor\): a Python function"),
        (TfidfVectorizer(tokenizer=str.split), r"TfidfVectorizer\(tokenizer\): a Python function"),
        (TfidfVectorizer(strip_accents=own_function), r"TfidfVectorizer\(strip_accents\): a Python function"),
        (TfidfVectorizer(dtype=np.float32), "dtype=float32"),
        (TfidfVectorizer(token_pattern=r".+", ngram_range=(1, 2)), "may hold the space"),
        (HashingVectorizer(n_features=8), "HashingVectorizer: ONNX has no MurmurHash3"),
    ],
)
def test_what_cannot_be_written_is_refused_by_the_name_of_the_parameter(vectorizer: Any, why: str) -> None:
    model = make_pipeline(vectorizer, LogisticRegression()).fit(TEXTS[:50], LABELS[:50])
    with pytest.raises(NotConvertible, match=why):
        convert_sklearn(model)


def test_files_are_no_texts() -> None:
    vectorizer = CountVectorizer(input="file", vocabulary=["the"])
    with pytest.raises(NotConvertible, match=r"CountVectorizer\(input='file'\)"):
        convert_sklearn(vectorizer)


def test_a_pipeline_is_written_and_checked_on_hostile_texts(tmp_path: Path) -> None:
    model = make_pipeline(CountVectorizer(), TfidfTransformer(sublinear_tf=True), MultinomialNB()).fit(TEXTS, LABELS)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    (result,) = convert(str(tmp_path / "model.pkl"), str(tmp_path / "out.onnx"), allow_pickle=True).results
    assert result.failed is None
    rows = {group.name: group.rows for group in result.groups}
    assert rows["text"] == len(HOSTILE) + len(LONG)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(CountVectorizer(), XGBClassifier(n_estimators=4, n_jobs=1)),
        make_pipeline(
            FeatureUnion([("words", TfidfVectorizer()), ("letters", TfidfVectorizer(analyzer="char_wb"))]),
            LogisticRegression(),
        ),
        VotingClassifier(
            [
                ("words", make_pipeline(TfidfVectorizer(), LogisticRegression())),
                ("letters", make_pipeline(CountVectorizer(analyzer="char"), MultinomialNB())),
            ],
            voting="soft",
        ),
        make_pipeline(FunctionTransformer(), TfidfVectorizer(), LogisticRegression()),
    ],
    ids=["zeros are not stored", "a union", "a vote", "a step that changes nothing"],
)
def test_what_follows_sees_the_matrix_of_scikit_learn(model: Any) -> None:
    output = run(convert_sklearn(model.fit(TEXTS, LABELS)), TEXTS)[1]
    np.testing.assert_allclose(output, model.predict_proba(TEXTS), rtol=1e-6)


def test_a_column_of_text_stands_beside_numbers() -> None:
    frame = pd.DataFrame({"review": TEXTS, "stars": np.arange(len(TEXTS)) * 1.0})
    steps = ColumnTransformer([("words", TfidfVectorizer(), "review"), ("scaled", StandardScaler(), ["stars"])])
    model = make_pipeline(steps, LogisticRegression()).fit(frame, LABELS)
    session = open_session(convert_sklearn(model, precision="exact"))
    feeds = {"review": frame[["review"]].to_numpy(), "stars": frame[["stars"]].to_numpy()}
    np.testing.assert_allclose(session.run(["probabilities"], feeds)[0], model.predict_proba(frame), rtol=1e-12)
