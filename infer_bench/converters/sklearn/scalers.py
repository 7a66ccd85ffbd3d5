"""scikit-learn's numeric transformers: scalers, selectors, projections, binners and element-wise functions."""

from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.sklearn.registry import register_transformer, require_finite
from infer_bench.converters.sklearn.storage import (
    encoder_storage,
    refuse_matrix_product,
    stack_storage,
    support_products,
)
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import allows_nan, get_class_name


def _shift_and_divide(g: Graph, x: str, subtract: Any = None, divide: Any = None) -> str:
    """(x - subtract) / divide, column by column."""
    if subtract is not None:
        x = g.op("Sub", x, g.const(np.atleast_2d(subtract)))
    return x if divide is None else g.op("Div", x, g.const(np.atleast_2d(divide)))


def _scale(g: Graph, step: Any, frame: Frame, subtract: Any, divide: Any) -> str:
    """(x - subtract) / divide, or of a sparse matrix x · (1 / divide), as scikit-learn computes it."""
    x = frame.numbers(g, get_class_name(step))
    if frame.storage == "dense" or subtract is not None or divide is None:
        return _shift_and_divide(g, x, subtract, divide)
    return g.op("Mul", x, g.const(1.0 / np.atleast_2d(divide)))


@register_transformer("StandardScaler")
def _write_standard(g: Graph, scaler: Any, frame: Frame) -> Frame:
    mean = scaler.mean_ if scaler.with_mean else None
    return Frame.of(_scale(g, scaler, frame, mean, scaler.scale_ if scaler.with_std else None), frame.width)


@register_transformer("RobustScaler")
def _write_robust(g: Graph, scaler: Any, frame: Frame) -> Frame:
    centre = scaler.center_ if scaler.with_centering else None
    return Frame.of(_scale(g, scaler, frame, centre, scaler.scale_ if scaler.with_scaling else None), frame.width)


@register_transformer("MaxAbsScaler")
def _write_max_abs(g: Graph, scaler: Any, frame: Frame) -> Frame:
    x = _scale(g, scaler, frame, None, scaler.scale_)
    return Frame.of(_clip(g, x, -1.0, 1.0) if getattr(scaler, "clip", False) else x, frame.width)


@register_transformer("MinMaxScaler")
def _write_min_max(g: Graph, scaler: Any, frame: Frame) -> Frame:
    x = g.op("Mul", frame.numbers(g, "MinMaxScaler"), g.const(np.atleast_2d(scaler.scale_)))
    x = g.op("Add", x, g.const(np.atleast_2d(scaler.min_)))
    return Frame.of(_clip(g, x, *scaler.feature_range) if scaler.clip else x, frame.width)


def _clip(g: Graph, x: str, low: float, high: float) -> str:
    """Limit x, keeping NaN (ONNX Runtime's Clip may drop it)."""
    low_name, high_name = g.const([[low]]), g.const([[high]])
    x = g.op("Where", g.op("Less", x, low_name), low_name, x)
    return g.op("Where", g.op("Greater", x, high_name), high_name, x)


@register_transformer("Normalizer")
def _write_normalizer(g: Graph, scaler: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, "Normalizer")
    size = g.op("Abs", x)
    if scaler.norm == "l2":
        norm = g.op("Sqrt", g.total(g.op("Mul", x, x)))
    else:
        norm = g.total(size) if scaler.norm == "l1" else g.op("ReduceMax", size, g.ints(1), keepdims=1)
    least = 10 * np.finfo(float).eps if frame.storage == "dense" else np.nextafter(0.0, 1.0)
    norm = g.op("Where", g.op("Less", norm, g.const([[least]])), g.const([[1.0]]), norm)
    return Frame.of(g.op("Div", x, norm), frame.width)


@register_transformer("Binarizer")
def _write_binarizer(g: Graph, step: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, "Binarizer")
    marks = Frame.of(g.double(g.op("Greater", x, g.const([[float(step.threshold)]]))), frame.width)
    return replace(marks, storage=frame.storage)


@register_transformer(
    "SelectKBest",
    "SelectPercentile",
    "SelectFpr",
    "SelectFdr",
    "SelectFwe",
    "GenericUnivariateSelect",
    "SelectFromModel",
    "RFE",
    "RFECV",
    "SequentialFeatureSelector",
    "VarianceThreshold",
    guards=False,
)
def _write_select(g: Graph, step: Any, frame: Frame) -> Frame:
    if not allows_nan(step):  # with NaN allowed, scikit-learn does not look for infinities here either
        frame = require_finite(g, frame, nan=False)
    out = frame.select(g, [int(i) for i in np.flatnonzero(step.get_support())])
    return replace(out, storage=stack_storage(frame.storage != "dense"))


@register_transformer("FastICA")
def _write_independent(g: Graph, step: Any, frame: Frame) -> Frame:
    x = _shift_and_divide(g, frame.numbers(g, "FastICA"), step.mean_ if step.whiten else None)
    return Frame.of(g.matmul(x, step.components_.T), len(step.components_))


@register_transformer("PCA", "IncrementalPCA")
def _write_pca(g: Graph, step: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, get_class_name(step))
    components = step.components_
    if step.whiten:
        scale = np.sqrt(step.explained_variance_)
        tiny = np.finfo(scale.dtype).eps
        components = components / np.where(scale < tiny, tiny, scale)[:, None]
    x = _shift_and_divide(g, x, step.mean_)
    return Frame.of(g.matmul(x, components.T), len(components))


@register_transformer("FactorAnalysis")
def _write_factors(g: Graph, step: Any, frame: Frame) -> Frame:
    weights = step.components_ / step.noise_variance_
    count = len(weights)
    x = g.matmul(_shift_and_divide(g, frame.numbers(g, get_class_name(step)), step.mean_), weights.T)
    return Frame.of(g.matmul(x, np.linalg.inv(np.eye(count) + weights @ step.components_.T)), count)


@register_transformer(
    "TruncatedSVD", "GaussianRandomProjection", "SparseRandomProjection", "NeighborhoodComponentsAnalysis"
)
def _write_project(g: Graph, step: Any, frame: Frame) -> Frame:
    components = step.components_
    sparse_components = hasattr(components, "toarray")
    components = components.toarray() if sparse_components else components
    x = frame.numbers(g, get_class_name(step))
    sparse = frame.storage != "dense" and sparse_components and not getattr(step, "dense_output", True)
    return replace(Frame.of(g.matmul(x, components.T), len(components)), storage=stack_storage(sparse))


@register_transformer("PolynomialFeatures")
def _write_polynomial(g: Graph, step: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, "PolynomialFeatures")
    powers = step.powers_
    if powers.size > 2_000_000:
        raise NotConvertible("PolynomialFeatures makes too many columns", "lower its degree")
    if frame.storage == "dense":
        return Frame.of(_multiply_out(g, x, powers, last_first=True), len(powers))
    products = _multiply_out(g, x, powers)
    return support_products(g, frame, products, powers.sum(axis=1).tolist(), lambda t: _multiply_out(g, t, powers))


def _multiply_out(g: Graph, x: str, powers: Any, *, last_first: bool = False) -> str:
    """The products of the columns of x to the `powers` (products, columns), from the first factor on or the last."""
    # a product of `degree` gathered columns; column `width` holds ones
    width = powers.shape[1]
    with_ones = g.concat([x, g.op("Add", g.op("Mul", g.take(x, [0]), g.const([[0.0]])), g.const([[1.0]]))])
    degree = int(powers.sum(axis=1).max(initial=0))
    factors = np.full((len(powers), max(degree, 1)), width)
    for row, power in enumerate(powers):
        columns = np.repeat(np.arange(width), power)
        factors[row, : len(columns)] = columns
    ordered = factors.T[::-1] if last_first else factors.T
    out = g.take(with_ones, ordered[0])
    for column in ordered[1:]:
        out = g.op("Mul", out, g.take(with_ones, column))
    return out


@register_transformer("PowerTransformer", keeps=False)
def _write_power(g: Graph, step: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, "PowerTransformer")
    curve = _write_yeo_johnson if step.method == "yeo-johnson" else _write_box_cox
    parts = [curve(g, g.take(x, [i]), float(power)) for i, power in enumerate(step.lambdas_)]
    out = g.concat(parts)
    if step.standardize:
        scaler = step._scaler
        out = _shift_and_divide(g, out, scaler.mean_, scaler.scale_)
    return Frame.of(out, frame.width)


def _write_box_cox(g: Graph, x: str, power: float) -> str:
    nan = g.const(np.float64(np.nan))
    x = g.op("Where", g.op("Greater", x, g.const(0.0)), x, nan)
    return _raise_to_power(g, x, power)


def _raise_to_power(g: Graph, x: str, power: float) -> str:
    """(x**power - 1) / power, or log x where the power is as good as zero, without cancellation."""
    log = g.op("Log", x)
    if abs(power) < np.spacing(1.0):
        return log
    power_of_x = g.op("Exp", g.op("Mul", log, g.const(power))) if abs(power) > 50 else g.op("Pow", x, g.const(power))
    return g.op("Div", g.op("Sub", power_of_x, g.const(1.0)), g.const(power))


def _write_yeo_johnson(g: Graph, x: str, power: float) -> str:
    one, zero = g.const(1.0), g.const(0.0)
    high = _raise_to_power(g, g.op("Add", g.op("Max", x, zero), one), power)
    low = g.op("Neg", _raise_to_power(g, g.op("Sub", one, g.op("Min", x, zero)), 2.0 - power))
    out = g.op("Where", g.op("GreaterOrEqual", x, zero), high, low)
    return g.op("Where", g.op("IsNaN", x), x, out)


@register_transformer("KBinsDiscretizer")
def _write_bins(g: Graph, step: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, "KBinsDiscretizer")
    parts = []
    for i, edges in enumerate(step.bin_edges_):
        inner, column = edges[1:-1], g.take(x, [i])
        code = g.total(g.double(g.op("GreaterOrEqual", column, g.const(inner[None, :])))) if len(inner) else None
        code = code or g.op("Mul", g.double(g.op("IsNaN", column)), g.const([[0.0]]))
        hot = np.arange(len(edges) - 1, dtype=np.float64)[None, :]
        parts.append(code if step.encode == "ordinal" else g.double(g.op("Equal", code, g.const(hot))))
    width = frame.width if step.encode == "ordinal" else sum(len(edges) - 1 for edges in step.bin_edges_)
    return replace(Frame.of(g.concat(parts), width), storage=encoder_storage(step))


ELEMENTWISE: dict[str, tuple[str, ...]] = {
    "absolute": ("Abs",),
    "log": ("Log",),
    "exp": ("Exp",),
    "sqrt": ("Sqrt",),
    "negative": ("Neg",),
    "reciprocal": ("Reciprocal",),
    "floor": ("Floor",),
    "ceil": ("Ceil",),
    "tanh": ("Tanh",),
    "sin": ("Sin",),
    "cos": ("Cos",),
    "rint": ("Round",),
}
_LOGARITHMS = {"log2": np.log(2.0), "log10": np.log(10.0)}


def write_elementwise(g: Graph, x: str, function: Any) -> str:
    """A numpy ufunc of one argument; raises `NotConvertible` for any other function (it could do anything)."""
    if function is None:
        return x
    name = function.__name__ if isinstance(function, np.ufunc) else ""
    if name in _LOGARITHMS:
        return g.op("Div", g.op("Log", x), g.const(_LOGARITHMS[name]))
    if name == "sign":
        return g.op("Where", g.op("IsNaN", x), x, g.op("Sign", x))
    if name == "log1p":
        return _write_log1p(g, x)
    if name == "expm1":
        return _write_expm1(g, x)
    if name == "square":
        return g.op("Mul", x, x)
    if name not in ELEMENTWISE:
        raise _make_refusal(function, name)
    for node in ELEMENTWISE[name]:
        x = g.op(node, x)
    return x


def _make_refusal(function: Any, ufunc: str) -> NotConvertible:
    """The refusal of a function, or of one of numpy's `ufunc`s, that is not written here."""
    names = ", ".join(sorted({*ELEMENTWISE, *_LOGARITHMS, "expm1", "log1p", "sign", "square"}))
    if ufunc:
        return NotConvertible(f"numpy's function {ufunc} is not written here", f"use one of {names}")
    name = getattr(function, "__name__", repr(function))
    return NotConvertible(
        f"the Python function {name} cannot be read", "use one of numpy's ufuncs such as log1p, or a built-in step"
    )


def _write_log1p(g: Graph, x: str) -> str:
    """log(1 + x) without losing digits for small x: log(u) · x / (u - 1), u = 1 + x (Goldberg 1991, theorem 4)."""
    one = g.const(1.0)
    u = g.op("Add", x, one)
    gap = g.op("Sub", u, one)
    same = g.op("Equal", gap, g.const(0.0))
    out = g.op("Div", g.op("Mul", g.op("Log", u), x), g.op("Where", same, one, gap))
    out = g.op("Where", same, x, out)
    return g.op("Where", g.op("IsInf", x), g.op("Log", u), out)


def _write_expm1(g: Graph, x: str) -> str:
    """exp(x) - 1 as tanh(x / 2) · (exp(x) + 1), which loses no digits for small x."""
    half = g.op("Tanh", g.op("Mul", x, g.const(0.5)))
    return g.op("Mul", half, g.op("Add", g.op("Exp", x), g.const(1.0)))


@register_transformer("FunctionTransformer", guards=False, keeps=False)
def _write_function(g: Graph, step: Any, frame: Frame) -> Frame:
    if step.kw_args:
        raise NotConvertible("FunctionTransformer with kw_args cannot be read", "use a built-in step")
    if step.func is None:
        return frame
    refuse_matrix_product(step, frame)
    return Frame.of(write_elementwise(g, frame.numbers(g, "FunctionTransformer"), step.func), frame.width)
