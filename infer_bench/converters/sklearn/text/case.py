"""Lower case and accents, character by character, as Python and scikit-learn change them."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Graph
from infer_bench.converters.sklearn.text.characters import (
    SIGMA,
    SIGMA_FINAL,
    all_characters,
    class_of_cased,
    class_of_ignored,
    map_characters,
    write_class,
)

Change = Callable[[str], str]
_UNCHANGED = "\ufffe"
"""What the map gives for a character that stays; it is none that a text holds."""
_MOST_ENTRIES = 100_000
_RADIX = 8
"""So many characters are joined in one turn."""


def find_change(vectorizer: Any) -> Change | None:
    """What a vectorizer makes of a character before it looks for words; None where it changes nothing."""
    from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

    strip: Change | None = {"ascii": strip_accents_ascii, "unicode": strip_accents_unicode}.get(
        vectorizer.strip_accents
    )
    if not vectorizer.lowercase:
        return strip
    return _lower_and(strip) if strip else str.lower


@functools.cache
def _lower_and(strip: Change) -> Change:
    return lambda character: strip(character.lower())


def change_characters(g: Graph, texts: str, change: Change, *, lowers: bool) -> str:
    """The texts (rows,) with every character changed; the last row must hold a character that is."""
    table = map_characters(change)
    changes = g.op("RegexFullMatch", texts, pattern=f"(?s).*{write_class(table)}.*")
    rows = g.op("Reshape", g.op("NonZero", changes), g.ints(-1))
    characters = split_characters(g, g.op("Gather", texts, rows, axis=0))
    changed = _look_up(g, characters, table)
    if lowers:
        changed = _end_words_in_final_sigma(g, characters, changed, change(SIGMA_FINAL))
    return g.op("ScatterElements", texts, rows, _join(g, changed), axis=0)


def split_characters(g: Graph, texts: str) -> str:
    """Each text's characters (rows, longest), "" behind the end of a shorter one."""
    g.domains["com.microsoft"] = 1
    return g.op("Tokenizer", texts, domain="com.microsoft", mark=0, mincharnum=1, pad_value="", separators=[""])


def _look_up(g: Graph, characters: str, table: dict[str, str]) -> str:
    """What each character becomes; of a table that drops nearly all (all that is not ASCII), the rest is listed."""
    g.domains["ai.onnx.ml"] = g.opset_ml
    if len(table) > _MOST_ENTRIES:
        others = {c: table.get(c, c) for c in all_characters() if table.get(c, c)}
        return g.op(
            "LabelEncoder",
            characters,
            domain="ai.onnx.ml",
            keys_strings=list(others),
            values_strings=list(others.values()),
            default_string="",
        )
    changed = g.op(
        "LabelEncoder",
        characters,
        domain="ai.onnx.ml",
        keys_strings=list(table),
        values_strings=list(table.values()),
        default_string=_UNCHANGED,
    )
    same = g.op("Equal", changed, g.const([[_UNCHANGED]], str))
    return g.op("Where", same, characters, changed)


def _end_words_in_final_sigma(g: Graph, characters: str, changed: str, final: str) -> str:
    """A capital sigma has another lower case behind a letter with case and before none, passing over what has none."""
    sigma = g.op("Equal", characters, g.const([[SIGMA]], str))
    any_sigma = g.op(
        "Greater", g.op("ReduceMax", g.op("Cast", sigma, to=6), keepdims=0), g.const(np.int32(0), np.int32)
    )
    same, other = g.branch(), g.branch()
    as_it_is = same.op("Identity", changed)
    cased = other.op("RegexFullMatch", characters, pattern=class_of_cased())
    passed = other.op("RegexFullMatch", characters, pattern=class_of_ignored())
    counted = other.op("Cast", other.op("Not", passed), to=7)
    place = other.op("CumSum", counted, other.const(np.int64(1), np.int64))  # from 1 on; 0 is before the text
    columns = other.op("Shape", characters, start=1, end=2)
    trash = other.op("Add", columns, other.ints(2))
    target = other.op("Where", passed, trash, place)
    shape = other.op(
        "Concat", other.op("Shape", characters, start=0, end=1), other.op("Add", columns, other.ints(3)), axis=0
    )
    blank = other.op("Expand", other.const([[0]], np.int64), shape)
    letters = other.op("ScatterElements", blank, target, other.op("Cast", cased, to=7), axis=1)
    before = other.op("GatherElements", letters, other.op("Sub", place, other.ints(1)), axis=1)
    after = other.op("GatherElements", letters, other.op("Add", place, other.ints(1)), axis=1)
    ends = other.op("And", other.op("Cast", before, to=9), other.op("Not", other.op("Cast", after, to=9)))
    result = other.op("Where", other.op("And", sigma, ends), other.const([[final]], str), changed)
    return g.either(any_sigma, other, result, same, as_it_is, element=8)


def _join(g: Graph, characters: str) -> str:
    """Each row's strings in one (rows,), eight to one in every turn of a loop."""
    body = g.branch()
    turn, going, strings = body.name("turn"), body.name("going"), body.name("strings")
    rows = body.op("Shape", strings, start=0, end=1)
    groups = body.op(
        "Div", body.op("Add", body.op("Shape", strings, start=1, end=2), body.ints(_RADIX - 1)), body.ints(_RADIX)
    )
    blank = body.op("Expand", body.const([[""]], str), body.op("Concat", rows, body.ints(_RADIX - 1), axis=0))
    padded = body.op("Concat", strings, blank, axis=1)
    whole = body.op("Slice", padded, body.ints(0), body.op("Mul", groups, body.ints(_RADIX)), body.ints(1))
    parts = body.op("Reshape", whole, body.op("Concat", rows, groups, body.ints(_RADIX), axis=0))
    size = _RADIX
    while size > 1:
        evens = body.op("Gather", parts, body.ints(*range(0, size, 2)), axis=2)
        odds = body.op("Gather", parts, body.ints(*range(1, size, 2)), axis=2)
        parts, size = body.op("StringConcat", evens, odds), size // 2
    joined = body.op("Reshape", parts, body.op("Concat", rows, groups, axis=0))
    several = body.op("Squeeze", body.op("Greater", groups, body.ints(1)), body.ints(0))
    return g.op("Reshape", g.repeat(body, (turn, going, strings), several, joined, characters, element=8), g.ints(-1))
