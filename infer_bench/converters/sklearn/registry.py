"""Which function writes which scikit-learn class, and the checks that surround every one of them.

A writer of a transformer maps a `Frame` to a `Frame`, a writer of a predictor maps it to an `Answer`. Where
scikit-learn raises on a row (NaN or infinity where it takes none), the written graph answers NaN, never a number.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from infer_bench.converters.onnx.graph import Checked, Frame, Graph
from infer_bench.converters.sklearn.refusals import REFUSED
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import (
    allows_nan,
    get_class_name,
    get_classes,
    get_family,
    refuse_foreign,
)


@dataclass(frozen=True, slots=True)
class Answer:
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


Transformer = Callable[[Graph, Any, Frame], Frame]
Predictor = Callable[[Graph, Any, Frame], Answer]
W = TypeVar("W", Transformer, Predictor)


@dataclass(frozen=True, slots=True)
class Route:
    """One class's writer. `guards`: its input is checked as scikit-learn does; `keeps`: finite in, finite out."""

    write: Callable[[Graph, Any, Frame], Any]
    guards: bool = True
    keeps: bool = True


TRANSFORMERS: dict[str, Route] = {}
PREDICTORS: dict[str, Route] = {}


def transformer(*names: str, guards: bool = True, keeps: bool = True) -> Callable[[Transformer], Transformer]:
    """Register a writer of the scikit-learn transformers `names`."""

    def register(write: Transformer) -> Transformer:
        TRANSFORMERS.update({name: Route(write, guards, keeps) for name in names})
        return write

    return register


def predictor(*names: str, guards: bool = True) -> Callable[[Predictor], Predictor]:
    """Register a writer of the predictors `names`."""

    def register(write: Predictor) -> Predictor:
        PREDICTORS.update({name: Route(write, guards) for name in names})
        return write

    return register


def require(g: Graph, frame: Frame, *, nan: bool) -> Frame:
    """Have the rows refused that hold infinities, and NaN unless `nan`, as scikit-learn's input checks do."""
    needed = Checked.NO_INFINITY if nan else Checked.FINITE
    numbers = [block.tensor for block in frame.blocks if not block.text]
    if frame.checked >= needed or not numbers:
        return frame
    x = g.concat(numbers)
    refuse_rows(g, g.op("IsInf", x) if nan else g.op("IsNaN", g.op("Sub", x, x)))
    return replace(frame, checked=needed)


def refuse_rows(g: Graph, marked: str) -> None:
    """Answer NaN for the rows in which any of `marked` (bool, (batch, width)) holds."""
    g.refused.append(g.op("ReduceMax", g.op("Cast", marked, to=6), g.ints(1), keepdims=1))


def _prepare(g: Graph, route: Route, estimator: Any, frame: Frame) -> Frame:
    return require(g, frame, nan=allows_nan(estimator)) if route.guards else frame


def transform(g: Graph, estimator: Any, frame: Frame) -> Frame:
    """Write a fitted transformer; raises `NotConvertible`."""
    refuse_foreign(estimator)
    route = TRANSFORMERS.get(get_class_name(estimator))
    if route is None:
        raise _refusal(estimator)
    frame = _prepare(g, route, estimator, frame)
    out: Frame = route.write(g, estimator, frame)
    return out if out.checked or not route.keeps else replace(out, checked=frame.checked)


def answer(g: Graph, estimator: Any, frame: Frame) -> Answer:
    """Write a fitted predictor; raises `NotConvertible`."""
    name = get_class_name(estimator)
    route = PREDICTORS.get(name)
    if route is None or get_family(estimator) not in ("sklearn", "lightgbm", "xgboost"):
        refuse_foreign(estimator)
    if route is None:
        raise _refusal(estimator)
    out: Answer = route.write(g, estimator, _prepare(g, route, estimator, frame))
    return out


def _refusal(estimator: Any) -> NotConvertible:
    """The reason that is known for a class without a writer, or that there is none."""
    name = get_class_name(estimator)
    why, instead = REFUSED.get(name, ("no exact ONNX form of it is known here", "serve it with scikit-learn itself"))
    return NotConvertible(f"{name}: {why}", instead)


def two_columns(g: Graph, positive: str) -> str:
    """(1 - p, p) from p (batch, 1)."""
    return g.concat([g.op("Sub", g.const([[1.0]]), positive), positive])


def above(g: Graph, scores: str, threshold: float = 0.0) -> str:
    """1 where a (batch, 1) score exceeds the threshold, int64 (batch,)."""
    return g.flat(g.op("Cast", g.op("Greater", scores, g.const([[threshold]])), to=7))


def by_probability(g: Graph, estimator: Any, probabilities: str, scores: str | None = None) -> Answer:
    """A classifier that answers the first most probable class."""
    classes = get_classes(estimator)
    return Answer(len(classes), None, classes, g.argmax(probabilities), probabilities, scores)


def normalised(g: Graph, values: str, classes: int) -> str:
    """Rows divided by their sums; rows of zeros become uniform."""
    total = g.total(values)
    zero = g.op("Equal", total, g.const([[0.0]]))
    safe = g.op("Where", zero, g.const([[1.0]]), total)
    return g.op("Where", zero, g.const([[1.0 / classes]]), g.op("Div", values, safe))


def shares(g: Graph, values: str) -> str:
    """Rows divided by their sums; rows of zeros stay zero."""
    total = g.total(values)
    zero = g.op("Equal", total, g.const([[0.0]]))
    return g.op("Div", values, g.op("Where", zero, g.const([[1.0]]), total))
