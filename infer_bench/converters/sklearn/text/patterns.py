"""Token patterns of Python as patterns of RE2 that find the same tokens, or a refusal.

What is written is a row of greedily repeated classes of characters, each written out as ranges. Python's word boundary
is no part of it: where a pattern has one, it is left out if it cannot change what is found.
"""

import re
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

from infer_bench.converters.sklearn.text.characters import is_within, write_category
from infer_bench.errors import NotConvertible

_WORD = r"\w"
_MOST_REPEATS = 20
"""Each is a copy of its class, and RE2 takes only so large patterns."""
_CATEGORIES = {
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
}


@dataclass(frozen=True, slots=True)
class TokenPattern:
    """Patterns of RE2: the tokens are what `search` finds, if `whole` (where there is one) matches all of it."""

    search: str
    whole: str | None = None


def translate_pattern(pattern: str) -> TokenPattern:
    """What finds the tokens of `pattern`. Raises `NotConvertible` for what has no exact form."""
    parsed = sre_parser.parse(pattern)
    if parsed.state.flags & ~re.UNICODE:
        raise _refuse(pattern, "it has flags")
    items = list(parsed)
    bounded = [i for i, (kind, value) in enumerate(items) if kind is sre.AT]
    parts = [_read_part(pattern, item) for item in items if item[0] is not sre.AT]
    if not parts or not any(low for _, low, _ in parts):
        raise _refuse(pattern, "it finds tokens without a character")
    written = "".join(f"{write_category(atom)}{_write_repeat(low, high)}" for atom, low, high in parts)
    if not bounded or _is_redundant(items, parts):
        return TokenPattern(written)
    # Between word boundaries, what is made of word characters alone is a whole word or nothing.
    if not _is_enclosed(items) or not all(is_within(atom, _WORD) for atom, _, _ in parts):
        raise _refuse(pattern, "its word boundaries are read by ASCII rules")
    return TokenPattern(f"{write_category(_WORD)}+", written)


def holds_space(pattern: str) -> bool:
    """Whether a token may hold a space, so that words joined by spaces could be told in several ways."""
    items = [item for item in sre_parser.parse(pattern) if item[0] is not sre.AT]
    return any(re.fullmatch(_read_part(pattern, item)[0], " ") for item in items)


def _is_redundant(items: list[Any], parts: list[tuple[str, int, int | None]]) -> bool:
    """Word boundaries change nothing where all that lies between them is word characters, as many as there are."""
    at = [i for i, (kind, _) in enumerate(items) if kind is sre.AT]
    outer = set(at) <= {0, len(items) - 1} and all(items[i][1] is sre.AT_BOUNDARY for i in at)
    return outer and all(atom == _WORD for atom, _, _ in parts) and parts[-1][2] is None


def _is_enclosed(items: list[Any]) -> bool:
    """Whether word boundaries stand at both ends, and nowhere else."""
    return [i for i, item in enumerate(items) if item == (sre.AT, sre.AT_BOUNDARY)] == [0, len(items) - 1] and not any(
        kind is sre.AT for kind, _ in items[1:-1]
    )


def _read_part(pattern: str, item: Any) -> tuple[str, int, int | None]:
    """(pattern of one character, least and most times) of a part; None for without end."""
    kind, value = item
    if kind is sre.MAX_REPEAT:
        low, high, inner = value
        if len(inner) != 1:
            raise _refuse(pattern, "a group is repeated")
        atom, once, most = _read_part(pattern, inner[0])
        if (once, most) != (1, 1) or low > _MOST_REPEATS or (high is not sre.MAXREPEAT and high > _MOST_REPEATS):
            raise _refuse(pattern, "repeats are repeated")
        return atom, int(low), None if high is sre.MAXREPEAT else int(high)
    if kind is sre.LITERAL:
        return re.escape(chr(value)), 1, 1
    if kind is sre.NOT_LITERAL:
        return f"[^{re.escape(chr(value))}]", 1, 1
    if kind is sre.ANY:
        return ".", 1, 1
    if kind is sre.IN:
        return _read_class(pattern, value), 1, 1
    raise _refuse(pattern, f"it holds a {str(kind).lower()}")


def _read_class(pattern: str, entries: Any) -> str:
    negated, parts = "", []
    for kind, value in entries:
        if kind is sre.NEGATE:
            negated = "^"
        elif kind is sre.LITERAL:
            parts.append(re.escape(chr(value)))
        elif kind is sre.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif kind is sre.CATEGORY and str(value) in _CATEGORIES:
            parts.append(_CATEGORIES[str(value)])
        else:
            raise _refuse(pattern, f"it holds a {str(kind).lower()}")
    return parts[0] if parts == [_WORD] and not negated else f"[{negated}{''.join(parts)}]"


def _write_repeat(low: int, high: int | None) -> str:
    if (low, high) == (1, 1):
        return ""
    if high is None:
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    return f"{{{low},{high}}}"


def _refuse(pattern: str, why: str) -> NotConvertible:
    return NotConvertible(
        f"the token_pattern {pattern!r} has no exact form in ONNX Runtime's regular expressions: {why}",
        r"use one of classes of characters alone, such as '(?u)\b\w\w+\b' or '[a-z]+'",
    )
