"""Rows of numbers, one a character or a word: some left out, spaces squeezed, words set apart."""

import numpy as np

from infer_bench.converters.onnx.graph import Graph
from infer_bench.converters.sklearn.text.characters import write_category


def compact(g: Graph, numbers: str, kept: str) -> str:
    """The numbers (rows, n) that are `kept` (bool), in their order, as (rows, n + 1) with zeros behind them."""
    counted = g.op("Cast", kept, to=7)
    place = g.op("Sub", g.op("CumSum", counted, g.const(np.int64(1), np.int64)), g.ints(1))
    columns = g.op("Shape", numbers, start=1, end=2)
    shape = g.op("Concat", g.op("Shape", numbers, start=0, end=1), g.op("Add", columns, g.ints(1)), axis=0)
    blank = g.op("Expand", g.const([[0]], np.int64), shape)
    # What is left out goes behind all others, and a zero is what stands there.
    target = g.op("Where", kept, place, columns)
    return g.op("ScatterElements", blank, target, g.op("Where", kept, numbers, g.const([[0]], np.int64)), axis=1)


def _is_space(g: Graph, characters: str) -> str:
    return g.op("RegexFullMatch", characters, pattern=write_category(r"\s"))


def _shift(g: Graph, marks: str, *, back: bool) -> str:
    """Each column's neighbour before it, or after it where `back`; False beyond the ends. Bool (rows, n)."""
    rows = g.op("Concat", g.op("Shape", marks, start=0, end=1), g.ints(1), axis=0)
    edge = g.op("Expand", g.const([[False]], np.bool_), rows)
    if back:
        return g.op("Slice", g.op("Concat", marks, edge, axis=1), g.ints(1), g.ints(np.iinfo(np.int64).max), g.ints(1))
    return g.op("Slice", g.op("Concat", edge, marks, axis=1), g.ints(0), g.ints(-1), g.ints(1))


def _exists(g: Graph, characters: str) -> str:
    """Where a character stands: the end of a shorter text is filled with empty strings."""
    return g.op("Not", g.op("Equal", characters, g.const([[""]], str)))


def squeeze_spaces(g: Graph, characters: str, numbers: str, space: int) -> str:
    """Two white spaces and more become one space; a single one stays what it is."""
    white = _is_space(g, characters)
    before, after = _shift(g, white, back=False), _shift(g, white, back=True)
    first = g.op("And", white, g.op("And", after, g.op("Not", before)))
    numbers = g.op("Where", first, g.const([[space]], np.int64), numbers)
    repeated = g.op("And", white, before)
    return compact(g, numbers, g.op("And", _exists(g, characters), g.op("Not", repeated)))


def separate_words(g: Graph, characters: str, numbers: str, space: int) -> str:
    """Words alone, each with a space before and one behind it."""
    inside = g.op("And", _exists(g, characters), g.op("Not", _is_space(g, characters)))
    starts = g.op("And", inside, g.op("Not", _shift(g, inside, back=False)))
    ends = g.op("And", inside, g.op("Not", _shift(g, inside, back=True)))
    mask = _interleave(g, [starts, inside, ends])
    spaces = g.op("Expand", g.const([[space]], np.int64), g.op("Shape", numbers))
    return compact(g, _interleave(g, [spaces, numbers, spaces]), mask)


def _interleave(g: Graph, tensors: list[str]) -> str:
    """(rows, n) tensors as one (rows, n · tensors): the first column of each, then the second of each, …"""
    stacked = g.op("Concat", *(g.op("Unsqueeze", tensor, g.ints(2)) for tensor in tensors), axis=2)
    return g.op("Reshape", stacked, g.ints(0, -1))
