"""scikit-learn's vectorizers of text: from a column of strings to counts of words or letters, and their weights."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Block, Finiteness, Frame, Graph
from infer_bench.converters.sklearn.registry import register_transformer
from infer_bench.converters.sklearn.text.case import change_characters, find_change, split_characters
from infer_bench.converters.sklearn.text.letters import compact, separate_words, squeeze_spaces
from infer_bench.converters.sklearn.text.patterns import holds_space, translate_pattern
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name

_OPSET = 20
"""The first with regular expressions and with strings that are joined."""
_SPACE = " "
Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms that can occur, each as its parts (words or characters), with its column; of `width` columns."""

    terms: Mapping[Parts, int]
    width: int

    @property
    def parts(self) -> list[str]:
        """The distinct parts; a part's number is its place, from 1 on."""
        return list(dict.fromkeys(part for term in self.terms for part in term))


@register_transformer("CountVectorizer", guards=False, keeps=False)
def _write_counts(g: Graph, vectorizer: Any, frame: Frame) -> Frame:
    return _make_frame(*_count(g, vectorizer, frame))


@register_transformer("TfidfVectorizer", guards=False, keeps=False)
def _write_tfidf(g: Graph, vectorizer: Any, frame: Frame) -> Frame:
    _require_double(vectorizer)
    counts, width = _count(g, vectorizer, frame)
    return _make_frame(_weigh(g, vectorizer._tfidf, counts, counts), width, counts)


@register_transformer("TfidfTransformer")
def _write_weights(g: Graph, step: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, "TfidfTransformer")
    stored = x if frame.storage == "dense" else frame.support(g)
    return _make_frame(_weigh(g, step, x, stored), frame.width, stored)


def _make_frame(tensor: str, width: int, support: str | None = None) -> Frame:
    return Frame((Block(tensor, width, support=support),), (), Finiteness.FINITE, "csr")


def _require_double(vectorizer: Any) -> None:
    if np.dtype(vectorizer.dtype) != np.float64:
        raise _refuse(vectorizer, f"dtype={np.dtype(vectorizer.dtype).name}", "it weighs in another dtype than double")


def _weigh(g: Graph, step: Any, counts: str, stored: str) -> str:
    """Counts to weights: their logarithm, the inverse frequencies of terms, and the rows' norm; zeros stay."""
    x = counts
    if step.sublinear_tf:
        zero = g.const(0.0)
        log = g.op("Add", g.op("Log", x), g.const(1.0))
        x = g.op("Where", g.op("Equal", stored, zero), zero, log)
    if step.use_idf:
        x = g.op("Mul", x, g.const(np.asarray(step.idf_, dtype=np.float64)[None, :]))
    if step.norm is None:
        return x
    norm = g.op("Sqrt", g.total(g.op("Mul", x, x))) if step.norm == "l2" else g.total(g.op("Abs", x))
    empty = g.op("Equal", norm, g.const([[0.0]]))
    return g.op("Div", x, g.op("Where", empty, g.const([[1.0]]), norm))


def _count(g: Graph, vectorizer: Any, frame: Frame) -> tuple[str, int]:
    """How often each term stands in each text, double (batch, terms)."""
    _refuse_functions(vectorizer)
    if not hasattr(vectorizer, "vocabulary_"):
        raise NotConvertible(f"{get_class_name(vectorizer)} is not fitted", "fit it")
    if frame.width != 1 or not frame.text:
        raise NotConvertible(f"{get_class_name(vectorizer)} is given another thing than one column of text")
    words = vectorizer.analyzer == "word"
    vocabulary = _read_words(vectorizer) if words else _read_letters(vectorizer)
    if not vocabulary.terms:
        raise NotConvertible(f"no term of the vocabulary of {get_class_name(vectorizer)} can occur", "fit it anew")
    g.domains[""] = _OPSET
    texts = _change(g, vectorizer, frame.blocks[0].tensor)
    numbers = (
        _number_words(g, vectorizer, vocabulary, texts) if words else _number_letters(g, vectorizer, vocabulary, texts)
    )
    counts = _slice_off_last(g, _count_terms(g, vocabulary, numbers))
    if vectorizer.binary:
        counts = g.double(g.op("Cast", counts, to=9))
    return g.double(counts), vocabulary.width


def _refuse_functions(vectorizer: Any) -> None:
    for name in ("preprocessor", "tokenizer", "analyzer", "strip_accents"):
        if callable(getattr(vectorizer, name)):
            raise _refuse(vectorizer, name, "a Python function cannot be read")
    if vectorizer.input != "content":
        raise _refuse(vectorizer, f"input={vectorizer.input!r}", "it reads files")


def _refuse(vectorizer: Any, parameter: str, why: str) -> NotConvertible:
    hint = f"leave {parameter.partition('=')[0]} at its default and fit again, or vectorize outside of the file"
    return NotConvertible(f"{get_class_name(vectorizer)}({parameter}): {why}", hint)


def _read_words(vectorizer: Any) -> Vocabulary:
    """The terms of words that can occur: n words, none of them a stop word."""
    low, high = vectorizer.ngram_range
    stops = vectorizer.get_stop_words() or frozenset()
    if high > 1 and holds_space(vectorizer.token_pattern):
        raise _refuse(vectorizer, "token_pattern", "its words may hold the space that joins words")
    split = {term: (term,) if high == 1 else tuple(term.split(_SPACE)) for term in vectorizer.vocabulary_}
    terms = {
        parts: int(vectorizer.vocabulary_[term])
        for term, parts in split.items()
        if low <= len(parts) <= high and stops.isdisjoint(parts) and all(parts)
    }
    return Vocabulary(terms, len(vectorizer.vocabulary_))


def _read_letters(vectorizer: Any) -> Vocabulary:
    """The terms of characters that can occur: n of them, within words at most their edges a space (`char_wb`)."""
    low, high = vectorizer.ngram_range
    within = vectorizer.analyzer == "char_wb"
    occurs = _is_within_word if within else _is_squeezed
    terms = {
        tuple(term): int(column)
        for term, column in vectorizer.vocabulary_.items()
        if occurs(term) and (low <= len(term) <= high or (within and len(term) < low and _is_word(term)))
    }
    return Vocabulary(terms, len(vectorizer.vocabulary_))


def _is_squeezed(term: str) -> bool:
    """Whether no two white spaces stand side by side."""
    return not any(a.isspace() and b.isspace() for a, b in itertools.pairwise(term))


def _is_within_word(term: str) -> bool:
    inner = term.removeprefix(_SPACE).removesuffix(_SPACE)
    return term == _SPACE or (inner != "" and not any(map(str.isspace, inner)))


def _is_word(term: str) -> bool:
    """Whether a term is a word with the spaces around it, which is counted once where n is greater."""
    return len(term) > 2 and term[0] == term[-1] == _SPACE


def _change(g: Graph, vectorizer: Any, column: str) -> str:
    """The texts (batch + 1,) in lower case and without accents, as the vectorizer asks; one is added behind the last.

    That one sees to it that no tensor is without rows, and that there is something to change.
    """
    key = ("texts", column, str(vectorizer.lowercase), str(vectorizer.strip_accents))
    if key not in g.shared:
        change = find_change(vectorizer)
        texts = g.op("Concat", g.op("Reshape", column, g.ints(-1)), g.const(["À"], str), axis=0)
        g.shared[key] = texts if change is None else change_characters(g, texts, change, lowers=vectorizer.lowercase)
    return g.shared[key]


def _number_words(g: Graph, vectorizer: Any, vocabulary: Vocabulary, texts: str) -> str:
    """The words' numbers (rows, longest + 1), 0 for one that is in no term and behind the end."""
    g.domains["com.microsoft"] = 1
    pattern = translate_pattern(vectorizer.token_pattern)
    words = g.op(
        "Tokenizer", texts, domain="com.microsoft", mark=0, mincharnum=1, pad_value="", tokenexp=pattern.search
    )
    stops = sorted(vectorizer.get_stop_words() or ()) if vectorizer.ngram_range[1] > 1 else []
    numbers = number_parts(g, words, vocabulary.parts, dict.fromkeys(stops, -1))
    if pattern.whole:
        is_token = g.op("RegexFullMatch", words, pattern=pattern.whole)
        numbers = g.op("Where", is_token, numbers, g.const([[-1]], np.int64))
    if not stops and not pattern.whole:
        return _pad(g, numbers)
    return compact(g, numbers, g.op("GreaterOrEqual", numbers, g.const(np.int64(0), np.int64)))


def _number_letters(g: Graph, vectorizer: Any, vocabulary: Vocabulary, texts: str) -> str:
    """The characters' numbers (rows, longest), 0 for one that is in no term and behind the end."""
    characters = split_characters(g, texts)
    numbers = number_parts(g, characters, vocabulary.parts)
    space = vocabulary.parts.index(_SPACE) + 1 if _SPACE in vocabulary.parts else 0
    arrange = separate_words if vectorizer.analyzer == "char_wb" else squeeze_spaces
    return arrange(g, characters, numbers, space)


def number_parts(g: Graph, strings: str, parts: Iterable[str], more: Mapping[str, int] | None = None) -> str:
    """The number of each string, int64: its place among `parts`, from 1 on, or that in `more`; 0 for any other."""
    table = {part: number for number, part in enumerate(parts, 1)} | dict(more or {})
    g.domains["ai.onnx.ml"] = g.opset_ml
    return g.op(
        "LabelEncoder",
        strings,
        domain="ai.onnx.ml",
        keys_strings=list(table),
        values_int64s=list(table.values()),
        default_int64=0,
    )


def _count_terms(g: Graph, vocabulary: Vocabulary, numbers: str) -> str:
    """How often each term's parts stand in a row, one after the other, float32 (rows, terms)."""
    place = {part: number for number, part in enumerate(vocabulary.parts, 1)}
    by_size: dict[int, list[tuple[Parts, int]]] = {}
    for term, column in vocabulary.terms.items():
        by_size.setdefault(len(term), []).append((term, column))
    pool: list[int] = []
    starts, columns = [], []
    for size in range(1, max(by_size) + 1):
        starts.append(len(pool))
        for term, column in by_size.get(size, ()):
            pool += [place[part] for part in term]
            columns.append(column)
    counts = g.op(
        "TfIdfVectorizer",
        numbers,
        max_gram_length=max(by_size),
        min_gram_length=1,
        max_skip_count=0,
        mode="TF",
        ngram_counts=starts,
        ngram_indexes=columns,
        pool_int64s=pool,
    )
    missing = vocabulary.width - 1 - max(columns)
    return g.op("Pad", counts, g.ints(0, 0, 0, missing)) if missing else counts


def _slice_off_last(g: Graph, rows: str) -> str:
    return g.op("Slice", rows, g.ints(0), g.ints(-1), g.ints(0))


def _pad(g: Graph, numbers: str) -> str:
    """One more column of zeros, so that there is one."""
    rows = g.op("Concat", g.op("Shape", numbers, start=0, end=1), g.ints(1), axis=0)
    return g.op("Concat", numbers, g.op("Expand", g.const([[0]], np.int64), rows), axis=1)
