"""Where networks that are compared are fed requests of other sizes, of which times say nothing about each other."""

from dataclasses import replace

import numpy as np

from infer_bench.measure.candidates.rows import Rows
from infer_bench.measure.outputs.names import pair_names
from infer_bench.model import ModelSpec
from infer_bench.report.common import Notice
from infer_bench.typing import Columns

Sizes = tuple[tuple[int, ...], ...]


def describe_unlike(first: Rows, rows: Rows) -> tuple[str, str]:
    """The first input of which the requests have other sizes than that of the first network: theirs, and the first's.

    Such as `x:50x3x8x8` and `input:1x3x8x8`; empty where there is none.
    """
    pairs = pair_names([t.name for t in first.spec.inputs], [t.name for t in rows.spec.inputs])
    for name, theirs in pairs.items():
        if name in rows.columns and theirs in first.columns:
            own, others = _list_sizes(rows.columns, name), _list_sizes(first.columns, theirs)
            if own != others:
                return _text(name, own), _text(theirs, others)
    return "", ""


def suggest_shape(first: ModelSpec, spec: ModelSpec, own: str, others: str) -> str:
    """What tells the requests of both apart in the same way. `own` and `others` as in `describe_unlike`."""
    for inputs, text, model in ((spec.inputs, own, others), (first.inputs, others, own)):
        name, sizes = text.rpartition(":")[0], model.rpartition(":")[2]
        if any(tensor.name == name and tensor.shape is None for tensor in inputs):
            return f"--shape {name}:{sizes} says what one request is"
    return f"--shape {own} --shape {others} in place of --data, with one size for both, draws the same"


def mark_unlike(first: Rows, rows: Rows, first_name: str, name: str) -> Rows:
    """The rows, with what is to be said of a network's requests that have other sizes than the first network's."""
    own, others = describe_unlike(first, rows)
    if not own:
        return rows
    text = f"{name} answers {own} where {first_name} answers {others}: no speed-up is shown"
    notice = Notice("unlike-requests", text, suggest_shape(first.spec, rows.spec, own, others))
    return replace(rows, unlike=own, notices=(*rows.notices, notice))


def _list_sizes(columns: Columns, name: str) -> Sizes:
    return tuple(sorted({np.shape(entry) for entry in columns[name]}))


def _text(name: str, sizes: Sizes) -> str:
    return f"{name}:{'x'.join(map(str, sizes[0] if sizes else ()))}"
