"""Texts to draw where the reference takes any: those that a candidate knows, or that stand in the user's rows."""

from collections.abc import Sequence
from dataclasses import replace

from infer_bench.data import Table
from infer_bench.model import Feature, ModelSpec

_MOST = 1_024


def with_known_texts(spec: ModelSpec, pairs: Sequence[tuple[str, Feature]], rows: Table | None) -> ModelSpec:
    """`spec` with examples for its columns of text that have none.

    `pairs` are its columns with the features of candidates that they feed. A text that nobody knows is refused by many
    models, so that rows of such texts would compare nothing.
    """
    return replace(spec, features=tuple(_with_examples(feature, pairs, rows) for feature in spec.features))


def _with_examples(feature: Feature, pairs: Sequence[tuple[str, Feature]], rows: Table | None) -> Feature:
    if feature.kind != "string" or feature.examples or feature.categories:
        return feature
    texts_of_candidates = [
        value for name, other in pairs if name == feature.name for value in (*other.categories, *other.examples)
    ]
    column = () if rows is None or feature.name not in rows.columns else rows.columns[feature.name].tolist()
    texts = dict.fromkeys(value for value in texts_of_candidates or column if isinstance(value, str))
    return replace(feature, examples=tuple(texts)[:_MOST])
