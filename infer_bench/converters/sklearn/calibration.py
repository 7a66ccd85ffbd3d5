"""scikit-learn's interpolations: calibrated classifiers, isotonic regression, quantiles."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.sklearn.meta_estimators import write_response
from infer_bench.converters.sklearn.registry import (
    Predictions,
    normalise,
    pair_with_complement,
    predict_most_probable,
    refuse_rows,
    register_predictor,
    register_transformer,
)
from infer_bench.converters.sklearn.storage import mark_unstored
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name
from infer_bench.typing import Array


def interpolate(g: Graph, x: str, at: Array, values: Array) -> str:
    """Piecewise linear in a (batch, 1) tensor, as numpy.interp: slope · (x - x_j) + y_j with x_j <= x < x_(j+1)."""
    at, values = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(at) == 1:
        return g.op("Add", g.op("Mul", x, g.const([[0.0]])), g.const([[float(values[0])]]))
    low, high = g.const([[at[0]]]), g.const([[at[-1]]])
    below = g.op("Less", x, low)  # several points may lie at the lowest: beneath it the first one's value holds
    x = g.op("Where", below, low, g.op("Where", g.op("Greater", x, high), high, x))
    beyond = g.op("Cast", g.op("GreaterOrEqual", x, g.const(at[None, 1:-1])), to=7) if len(at) > 2 else None
    segment = g.op("ReduceSum", beyond, g.ints(1), keepdims=0) if beyond else g.op("Cast", _write_zeros(g, x), to=7)
    with np.errstate(divide="ignore", invalid="ignore"):  # between equal points, where no value lies
        slope = np.diff(values) / np.diff(at)
    line = [g.op("Gather", g.const(t[:, None]), segment, axis=0) for t in (slope, at[:-1], values[:-1])]
    inner = g.op("Add", g.op("Mul", line[0], g.op("Sub", x, line[1])), line[2])
    inner = g.op("Where", g.op("Equal", x, high), g.const([[values[-1]]]), inner)
    return g.op("Where", below, g.const([[values[0]]]), inner)


def _write_zeros(g: Graph, x: str) -> str:
    return g.flat(g.op("Cast", g.op("Less", x, x), to=11))


@register_transformer("QuantileTransformer")
def _write_quantiles(g: Graph, step: Any, frame: Frame) -> Frame:
    """The mean of interpolating from below and from above, which differ where quantiles are equal."""
    if step.output_distribution != "uniform":
        raise NotConvertible(
            "QuantileTransformer to a normal distribution: ONNX has no inverse of its integral",
            "use output_distribution='uniform' or PowerTransformer",
        )
    columns, shares = frame.numbers(g, "QuantileTransformer"), step.references_
    parts = []
    for i, at in enumerate(step.quantiles_.T):
        x = g.take(columns, [i])
        above = interpolate(g, g.op("Neg", x), -at[::-1], -shares[::-1])
        inner = g.op("Mul", g.op("Sub", interpolate(g, x, at, shares), above), g.const(0.5))
        inner = g.op("Where", g.op("Equal", x, g.const([[float(at[-1])]])), g.const([[1.0]]), inner)
        parts.append(g.op("Where", g.op("Equal", x, g.const([[float(at[0])]])), g.const([[0.0]]), inner))
    out = g.concat(parts)
    if frame.storage != "dense":  # of a sparse matrix only what is stored is mapped
        zero = g.const(0.0)
        out = g.op("Where", mark_unstored(g, frame, zero), zero, out)
        if not step.ignore_implicit_zeros:
            refuse_rows(g, g.op("Less", columns, zero))
    return Frame.of(out, frame.width)


def interpolate_isotonic(g: Graph, model: Any, x: str) -> str:
    """IsotonicRegression.predict of a (batch, 1) tensor."""
    if model.out_of_bounds == "raise":
        raise NotConvertible("IsotonicRegression raises outside the range it was fitted on", "set out_of_bounds='clip'")
    at, values = model.X_thresholds_, model.y_thresholds_
    if at.dtype != np.float64:
        raise NotConvertible("IsotonicRegression was fitted on float32", "fit it on float64")
    inner = interpolate(g, x, at, values)
    if model.out_of_bounds == "clip" or len(at) == 1:
        return inner
    outside = g.op("Or", g.op("Less", x, g.const([[at[0]]])), g.op("Greater", x, g.const([[at[-1]]])))
    return g.op("Where", outside, g.const(np.float64(np.nan)), inner)


@register_predictor("IsotonicRegression")
def _write_isotonic(g: Graph, model: Any, frame: Frame) -> Predictions:
    if frame.width != 1:
        raise NotConvertible("IsotonicRegression takes one column")
    return Predictions(1, interpolate_isotonic(g, model, frame.numbers(g, get_class_name(model))))


@register_predictor("CalibratedClassifierCV", guards=False)
def _write_calibrated(g: Graph, model: Any, frame: Frame) -> Predictions:
    total = ""
    for part in model.calibrated_classifiers_:
        proba = _write_fold(g, part, frame)
        total = g.op("Add", total, proba) if total else proba
    return predict_most_probable(g, model, g.op("Div", total, g.const(float(len(model.calibrated_classifiers_)))))


def _write_fold(g: Graph, part: Any, frame: Frame) -> str:
    if part.method not in ("sigmoid", "isotonic"):
        raise NotConvertible(f"calibration by {part.method!r} has no exact ONNX form here", "use 'sigmoid'")
    classes = len(part.classes)
    if len(part.estimator.classes_) != classes:
        raise NotConvertible("a fold of CalibratedClassifierCV did not see every class", "fit it on more rows")
    scores = write_response(g, part.estimator, frame)
    single = classes == 2
    columns = [
        _write_curve(g, calibrator, scores if single else g.take(scores, [i]))
        for i, calibrator in enumerate(part.calibrators)
    ]
    proba = pair_with_complement(g, columns[0]) if single else normalise(g, g.concat(columns), classes)
    over = g.op("And", g.op("Greater", proba, g.const(1.0)), g.op("LessOrEqual", proba, g.const(1.0 + 1e-5)))
    return g.op("Where", over, g.const(1.0), proba)


def _write_curve(g: Graph, calibrator: Any, score: str) -> str:
    if get_class_name(calibrator) == "IsotonicRegression":
        return interpolate_isotonic(g, calibrator, score)
    line = g.op("Add", g.op("Mul", score, g.const(float(calibrator.a_))), g.const(float(calibrator.b_)))
    return g.expit(g.op("Neg", line))
