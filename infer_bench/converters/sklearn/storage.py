"""Sparse matrices between the steps of a pipeline: where scikit-learn makes them, and which zeros they store.

An element that a sparse matrix does not store is zero to every library but XGBoost, to which it is missing. Steps that
work on the stored elements alone keep which these are, whatever becomes of their values; what is stacked from arrays
stores no zero.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph, Storage
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name

_STORED_ALONE: dict[str, Storage | None] = {
    "StandardScaler": "csr",
    "RobustScaler": "csc",
    "MaxAbsScaler": None,
    "Normalizer": "csr",
    "QuantileTransformer": "csc",
    "FunctionTransformer": None,
}
"""Steps that change stored elements alone, with the format of what they put out; None for that of their input."""


def keep_stored(g: Graph, step: Any, frame: Frame, out: Frame) -> Frame:
    """`out`, the columns that `step` makes of `frame`, in a sparse matrix where scikit-learn makes one."""
    name = get_class_name(step)
    if frame.storage == "dense" or out is frame or name not in _STORED_ALONE or len(out.blocks) != 1:
        return out
    block = replace(out.blocks[0], support=frame.support(g))
    return replace(out, blocks=(block,), storage=_STORED_ALONE[name] or frame.storage)


def stack_storage(sparse: bool) -> Storage:
    """What columns are stacked into."""
    return "csr" if sparse else "dense"


def encoder_storage(encoder: Any) -> Storage:
    """What OneHotEncoder, or KBinsDiscretizer, puts its columns into."""
    name = get_class_name(encoder)
    return stack_storage(encoder.encode == "onehot" if name == "KBinsDiscretizer" else encoder.sparse_output)


def refuse_matrix_product(step: Any, frame: Frame) -> None:
    """Raise `NotConvertible` for numpy's `square` of a sparse matrix: it may be the matrix's product with itself."""
    if frame.storage != "dense" and getattr(step.func, "__name__", "") == "square":
        raise NotConvertible(
            "FunctionTransformer(numpy.square) on a sparse matrix may multiply it with itself",
            "make the step before it dense (sparse_output=False, or sparse_threshold=0)",
        )


def mark_unstored(g: Graph, frame: Frame, zero: str) -> str:
    """Bool (batch, width): the elements that a sparse matrix does not store; `zero` is a constant of their dtype."""
    return g.op("Equal", frame.support(g), zero)


def read_as_xgboost(g: Graph, frame: Frame, who: str) -> str:
    """All columns as one double tensor, NaN where XGBoost finds no element."""
    x = frame.numbers(g, who)
    if frame.storage == "dense":
        return x
    return g.op("Where", mark_unstored(g, frame, g.const(0.0)), g.const(np.float64(np.nan)), x)


def support_products(g: Graph, frame: Frame, products: str, degrees: Sequence[int], expand: Any) -> Frame:
    """The products of a sparse matrix's columns, (batch, products), as PolynomialFeatures stores them.

    Up to degree 3 it multiplies what is stored and stores what comes out, zeros too; beyond, scipy drops the zeros of
    products. `expand` makes the products of the columns of another tensor.
    """
    stored = expand(g.double(g.op("Not", mark_unstored(g, frame, g.const(0.0)))))
    if max(degrees, default=0) > 3:
        alone = g.const(np.array(degrees)[None, :] <= 1, np.bool_)
        stored = g.op("Where", alone, stored, products)
    out = Frame.of(products, len(degrees))
    return replace(out, blocks=(replace(out.blocks[0], support=stored),), storage=frame.storage)
