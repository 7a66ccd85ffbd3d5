"""The steps from raw scores to answers: as numpy functions, and as nodes of a graph (double, as numpy computes them)."""

from typing import Any

import numpy as np

from infer_bench.converters.ensemble import Floats, Link
from infer_bench.converters.graph import Graph
from infer_bench.errors import NotConvertible


def apply(link: Link, x: Floats) -> Floats:
    """One step on scores (rows, outputs)."""
    with np.errstate(over="ignore", invalid="ignore"):
        answer: Floats = np.asarray(_APPLY[link.kind](x, link), dtype=np.float64)
    return answer


def _softmax(x: Floats, _: Link) -> Any:
    powers = np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)


def _probit(x: Floats, _: Link) -> Any:
    from statistics import NormalDist

    return np.vectorize(NormalDist().cdf, otypes=[float])(x)


_APPLY: dict[str, Any] = {
    "sigmoid": lambda x, link: 1 / (1 + np.exp(-link.a * x)),
    "softmax": _softmax,
    "exp": lambda x, _: np.exp(x),
    "softplus": lambda x, _: np.log1p(np.exp(x)),
    "signed-square": lambda x, _: x * np.abs(x),
    "normalise": lambda x, _: x / x.sum(axis=1, keepdims=True),
    "clip": lambda x, link: np.clip(x, link.a, link.b),
    "affine": lambda x, link: link.a * x + link.b,
    "step": lambda x, link: (x > link.a).astype(np.float64),
    "probit": _probit,
}


def add_link(g: Graph, link: Link, x: str) -> str:
    """Add one step to the graph; `x` is double (batch, outputs). Raises `NotConvertible` for one with no exact node."""
    if link.kind not in _ADD:
        raise NotConvertible(
            f"the link function {link.kind!r} has no exact ONNX form", "convert the raw scores instead"
        )
    added: str = _ADD[link.kind](g, x, link)
    return added


def _add_softplus(g: Graph, x: str, _: Link) -> str:
    """log(1 + exp(x)) without overflow, in double."""
    tail = g.op("Exp", g.op("Neg", g.op("Abs", x)))
    return g.op("Add", g.op("Max", x, g.const(0.0)), g.op("Log", g.op("Add", g.const(1.0), tail)))


_ADD: dict[str, Any] = {
    "sigmoid": lambda g, x, link: g.op("Sigmoid", x if link.a == 1 else g.op("Mul", x, g.const(link.a))),
    "softmax": lambda g, x, _: g.op("Softmax", x, axis=1),
    "exp": lambda g, x, _: g.op("Exp", x),
    "softplus": _add_softplus,
    "signed-square": lambda g, x, _: g.op("Mul", x, g.op("Abs", x)),
    "normalise": lambda g, x, _: g.op("Div", x, g.op("ReduceSum", x, g.ints(1), keepdims=1)),
    "clip": lambda g, x, link: g.op("Min", g.op("Max", x, g.const(link.a)), g.const(link.b)),
    "affine": lambda g, x, link: g.op("Add", g.op("Mul", x, g.const(link.a)), g.const(link.b)),
    "step": lambda g, x, link: g.double(g.op("Greater", x, g.const(link.a))),
}
