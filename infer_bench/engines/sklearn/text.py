"""Estimators that read raw text: a vectorizer at the beginning, which takes a sequence of strings and no table."""

from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.engines.sklearn.openings import find_openings
from infer_bench.model import Feature

_EXAMPLES, _WORDS, _KNOWN_WORDS = 64, 8, 4_096
"""So many example texts are made, of up to so many words, of the first so many that a vectorizer knows."""


def is_vectorizer(step: Any) -> bool:
    """Whether a step turns texts into counts: scikit-learn's vectorizers of text, and classes made of them."""
    return hasattr(step, "build_analyzer")


def find_vectorizers(estimator: Any) -> list[Any]:
    """The vectorizers that are handed the estimator's own input; none where it takes a table."""
    return [opening for opening in find_openings(estimator) if is_vectorizer(opening)]


def text_feature(column: Feature, vectorizers: list[Any]) -> Feature:
    """The column as one of text, with examples made of the words that the vectorizers know."""
    return replace(column, kind="string", examples=make_examples(vectorizers))


def make_examples(vectorizers: list[Any]) -> tuple[str, ...]:
    """Texts of words that the vectorizers know; none where they keep no words."""
    words: list[str] = []
    for vectorizer in vectorizers:
        words += sorted(map(str, getattr(vectorizer, "vocabulary_", ())))[:_KNOWN_WORDS]
    if not words:
        return ()
    random = np.random.default_rng(0)
    counts = random.integers(1, _WORDS + 1, _EXAMPLES)
    return tuple(" ".join(words[i] for i in random.integers(0, len(words), count)) for count in counts)
