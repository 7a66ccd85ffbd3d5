"""Which function writes which scikit-learn class, and the checks that surround every one of them.

A writer of a transformer maps a `Frame` to a `Frame`, a writer of a predictor maps it to `Predictions`. Where
scikit-learn raises on a row (NaN or infinity where it takes none), the written graph gives NaN, never a number.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from infer_bench.converters.onnx.graph import Finiteness, Frame, Graph
from infer_bench.converters.sklearn.refusals import REFUSALS
from infer_bench.converters.sklearn.storage import keep_stored
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import (
    allows_nan,
    get_class_name,
    get_classes,
    get_family,
    refuse_foreign,
)


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a predictor computes, as tensors of the graph.

    A regressor has `values` (batch, width). A classifier has `classes`, `choice` (int64 (batch,), an index into them),
    and `probabilities` (batch, classes) or `scores` (its decision function: (batch, 1) for two classes, else
    (batch, width)) or both; `score_width` is given where that rule does not hold.
    """

    width: int = 1
    values: str | None = None
    classes: tuple[Any, ...] = ()
    choice: str | None = None
    probabilities: str | None = None
    scores: str | None = None
    score_width: int | None = None


TransformerWriter = Callable[[Graph, Any, Frame], Frame]
PredictorWriter = Callable[[Graph, Any, Frame], Predictions]


@dataclass(frozen=True, slots=True)
class Route:
    """One class's writer. `guards`: its input is checked as scikit-learn does; `keeps`: finite in, finite out."""

    write: Callable[[Graph, Any, Frame], Any]
    guards: bool = True
    keeps: bool = True


_COMPARES = frozenset(
    {"HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "KBinsDiscretizer", "QuantileTransformer"}
    | {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"}
)
"""Steps that compare numbers in double with such as training rows held, so that the last bit of one may decide."""
_ROUNDS = frozenset(
    {"PowerTransformer", "Normalizer", "PCA", "IncrementalPCA", "FastICA", "FactorAnalysis", "TruncatedSVD"}
    | {"GaussianRandomProjection", "SparseRandomProjection", "NeighborhoodComponentsAnalysis"}
    | {"LinearDiscriminantAnalysis"}
)
_MADE_OF_STEPS = ("steps", "transformer_list", "transformers", "best_estimator_")
_ROUNDING_FUNCTIONS = frozenset({"log", "log2", "log10", "log1p", "exp", "expm1", "tanh", "sin", "cos"})
"""Sums and curves whose last bit hangs on the library that computes them."""

TRANSFORMERS: dict[str, Route] = {}
PREDICTORS: dict[str, Route] = {}


def register_transformer(
    *names: str, guards: bool = True, keeps: bool = True
) -> Callable[[TransformerWriter], TransformerWriter]:
    """Register a writer of the scikit-learn transformers `names`."""

    def register(write: TransformerWriter) -> TransformerWriter:
        TRANSFORMERS.update({name: Route(write, guards, keeps) for name in names})
        return write

    return register


def register_predictor(*names: str, guards: bool = True) -> Callable[[PredictorWriter], PredictorWriter]:
    """Register a writer of the predictors `names`."""

    def register(write: PredictorWriter) -> PredictorWriter:
        PREDICTORS.update({name: Route(write, guards) for name in names})
        return write

    return register


def require_finite(g: Graph, frame: Frame, *, nan: bool) -> Frame:
    """Have the rows refused that hold infinities, and NaN unless `nan`, as scikit-learn's input checks do."""
    level = Finiteness.NO_INFINITY if nan else Finiteness.FINITE
    numbers = [block.tensor for block in frame.blocks if not block.text]
    if frame.finiteness >= level or not numbers:
        return frame
    x = g.concat(numbers)
    refuse_rows(g, g.op("IsInf", x) if nan else g.op("IsNaN", g.op("Sub", x, x)))
    return replace(frame, finiteness=level)


def refuse_rows(g: Graph, marks: str) -> None:
    """Predict NaN for the rows in which any of `marks` (bool, (batch, width)) holds."""
    g.refusal_masks.append(g.op("ReduceMax", g.op("Cast", marks, to=6), g.ints(1), keepdims=1))


def _refuse_rounded(estimator: Any, frame: Frame) -> None:
    """Raise `NotConvertible` where a decision would hang on the last bit of a number that is rounded otherwise here."""
    name, step = get_class_name(estimator), frame.rounded_by
    if name in _COMPARES and step:
        raise NotConvertible(
            f"{name} compares what {step} makes with what it made of the training rows, and ONNX Runtime rounds that "
            "otherwise in the last bit",
            f"leave {step} out, or use a forest, LightGBM or XGBoost",
        )


def _rounds(estimator: Any) -> bool:
    """Whether the last bit of what a transformer makes hangs on the library that computes it."""
    name = get_class_name(estimator)
    if name == "FunctionTransformer":
        return getattr(estimator.func, "__name__", "") in _ROUNDING_FUNCTIONS
    return name in _ROUNDS


def _mark_rounded(estimator: Any, frame: Frame, out: Frame) -> Frame:
    """`out`, what a single step makes of `frame`, with the step named that rounds it, be that this one or another."""
    step = get_class_name(estimator) if _rounds(estimator) else frame.rounded_by
    if not step or any(hasattr(estimator, parts) for parts in _MADE_OF_STEPS):
        return out
    return replace(out, blocks=tuple(replace(block, rounded_by=block.rounded_by or step) for block in out.blocks))


def _prepare(g: Graph, route: Route, estimator: Any, frame: Frame) -> Frame:
    _refuse_rounded(estimator, frame)
    return require_finite(g, frame, nan=allows_nan(estimator)) if route.guards else frame


def write_transformer(g: Graph, estimator: Any, frame: Frame) -> Frame:
    """Write a fitted transformer; raises `NotConvertible`."""
    refuse_foreign(estimator)
    route = TRANSFORMERS.get(get_class_name(estimator))
    if route is None:
        raise _make_refusal(estimator)
    frame = _prepare(g, route, estimator, frame)
    out: Frame = keep_stored(g, estimator, frame, route.write(g, estimator, frame))
    out = _mark_rounded(estimator, frame, out)
    return out if out.finiteness or not route.keeps else replace(out, finiteness=frame.finiteness)


def write_predictor(g: Graph, estimator: Any, frame: Frame) -> Predictions:
    """Write a fitted predictor; raises `NotConvertible`."""
    name = get_class_name(estimator)
    route = PREDICTORS.get(name)
    if route is None or get_family(estimator) not in ("sklearn", "lightgbm", "xgboost"):
        refuse_foreign(estimator)
    if route is None:
        raise _make_refusal(estimator)
    out: Predictions = route.write(g, estimator, _prepare(g, route, estimator, frame))
    return out


def _make_refusal(estimator: Any) -> NotConvertible:
    """The reason that is known for a class without a writer, or that there is none."""
    name = get_class_name(estimator)
    why, instead = REFUSALS.get(name, ("no exact ONNX form of it is known here", "serve it with scikit-learn itself"))
    return NotConvertible(f"{name}: {why}", instead)


def pair_with_complement(g: Graph, positive: str) -> str:
    """(1 - p, p) from p (batch, 1)."""
    return g.concat([g.op("Sub", g.const([[1.0]]), positive), positive])


def choose_by_threshold(g: Graph, scores: str, threshold: float = 0.0) -> str:
    """1 where a (batch, 1) score exceeds the threshold, int64 (batch,)."""
    return g.flat(g.op("Cast", g.op("Greater", scores, g.const([[threshold]])), to=7))


def predict_most_probable(g: Graph, estimator: Any, probabilities: str, scores: str | None = None) -> Predictions:
    """A classifier that predicts the first most probable class."""
    classes = get_classes(estimator)
    return Predictions(len(classes), None, classes, g.argmax(probabilities), probabilities, scores)


def normalise(g: Graph, values: str, classes: int) -> str:
    """Rows divided by their sums; rows of zeros become uniform."""
    total = g.total(values)
    zero = g.op("Equal", total, g.const([[0.0]]))
    safe = g.op("Where", zero, g.const([[1.0]]), total)
    return g.op("Where", zero, g.const([[1.0 / classes]]), g.op("Div", values, safe))


def divide_by_totals(g: Graph, values: str) -> str:
    """Rows divided by their sums; rows of zeros stay zero."""
    total = g.total(values)
    zero = g.op("Equal", total, g.const([[0.0]]))
    return g.op("Div", values, g.op("Where", zero, g.const([[1.0]]), total))
