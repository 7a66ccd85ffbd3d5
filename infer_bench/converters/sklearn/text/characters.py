"""What Python's own Unicode tables say of characters, as classes of regular expressions and as maps.

ONNX Runtime's regular expressions know letters and words by ASCII, and its change of case goes by the locale of the
machine: neither is Python's. So every class is written out as ranges of code points.
"""

import functools
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable

_SURROGATES = range(0xD800, 0xE000)
"""No text that can be encoded holds these."""
_UNASSIGNED = "\u0378"
SIGMA, SIGMA_WITHIN, SIGMA_FINAL = "Σ", "σ", "ς"
"""The one letter whose lower case hangs on its neighbours."""


def all_characters() -> Iterable[str]:
    """Every character that a text can hold."""
    return (chr(code) for code in range(sys.maxunicode + 1) if code not in _SURROGATES)


def write_class(characters: Iterable[str]) -> str:
    """A character class of RE2 that holds these characters, given in order; of none a class that matches nothing."""
    ranges: list[list[int]] = []
    for code in map(ord, characters):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    if not ranges:
        return r"[^\x00-\x{10FFFF}]"
    return "[" + "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in ranges) + "]"


@functools.cache
def write_category(pattern: str) -> str:
    """The class of the characters that a pattern of Python for one character matches."""
    matches = re.compile(pattern).fullmatch
    return write_class(character for character in all_characters() if matches(character))


@functools.cache
def is_within(pattern: str, other: str) -> bool:
    """Whether all characters that a pattern of Python matches are among those that the other one does."""
    inner, outer = re.compile(pattern).fullmatch, re.compile(other).fullmatch
    return all(outer(character) for character in all_characters() if inner(character))


@functools.cache
def class_of_cased() -> str:
    """Letters with case that count as neighbours of a sigma, told by how Python lowers one before them."""
    return write_class(c for c in all_characters() if f"AΣ{c}".lower()[1] == SIGMA_WITHIN)


@functools.cache
def class_of_ignored() -> str:
    """Characters that are passed over in the search for a sigma's neighbours."""
    return write_class(
        c for c in all_characters() if f"AΣ{c}".lower()[1] == SIGMA_FINAL and f"AΣ{c}A".lower()[1] == SIGMA_WITHIN
    )


@functools.cache
def map_characters(change: Callable[[str], str]) -> dict[str, str]:
    """The characters that `change`, which takes each by itself, makes another text of."""
    changed = {}
    rest = change(_UNASSIGNED)
    for character in all_characters():
        if unicodedata.category(character) in ("Cn", "Co"):  # most, and all alike
            text = character if rest == _UNASSIGNED else rest
        else:
            text = change(character)
        if text != character:
            changed[character] = text
    return changed
