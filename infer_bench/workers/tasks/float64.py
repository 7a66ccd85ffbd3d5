"""Predictions of a network in float64, which say what it rounds."""

from dataclasses import dataclass, field

import numpy as np

from infer_bench.engines import float64
from infer_bench.engines.base import Session
from infer_bench.engines.session import first_line
from infer_bench.engines.training_mode import VARYING
from infer_bench.errors import EngineError
from infer_bench.stats.agreement.rounding import MOST_ROUNDING
from infer_bench.typing import Columns, Floats
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.shared import SharedColumns, read_columns
from infer_bench.workers.tasks.fixed_batch import make_requests
from infer_bench.workers.timing.requests import check_predictions


@dataclass(frozen=True, slots=True, eq=False)
class Float64Predictions:
    """As `stats.agreement.rounding.Float64Run`: `values` and `nudged` (rows, outputs), `sizes` (rows,)."""

    values: Floats
    nudged: Floats
    sizes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class PredictInFloat64(SessionRequest[Float64Predictions]):
    """Predict a table in float64: its `columns`, or with `shared` those of them that do not lie in shared memory."""

    title = "float64"
    columns: Columns = field(default_factory=dict)
    shared: SharedColumns | None = None

    def check(self, response: Float64Predictions) -> None:
        """See `Request.check`."""
        check_predictions(response.values, response.nudged, response.sizes)


@dataclass(frozen=True, slots=True)
class Float64Support:
    """Whether the model can be computed in float64; where it is a network that cannot, `obstacle` says why.

    `is_own`: it computes in float64 itself.
    """

    works: bool
    obstacle: str = ""
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class CheckFloat64(SessionRequest[Float64Support]):
    """Whether the session's model is a network that can be computed in float64."""

    title = "float64 support"


def predict_in_float64(session: Session, request: PredictInFloat64) -> Float64Predictions:
    """See `PredictInFloat64`. Raises `EngineError` where the model has no such form or refuses the table."""
    shared = request.shared
    return _predict(session, request.columns if shared is None else read_columns(shared, request.columns))


def check_float64(session: Session, request: CheckFloat64) -> Float64Support:
    """Tried on zeros, where both forms have to agree but for rounding."""
    if not hasattr(session, "predict_in_float64") or not getattr(session, "is_network", True):
        return Float64Support(False)
    if any(remark.code in VARYING for remark in session.spec.remarks):
        return Float64Support(False, "no two of its answers need be alike")
    try:
        columns = {feature.name: np.zeros(session.spec.batch or 1) for feature in session.spec.features}
        double, single = _predict(session, columns).values, _in_float32(session, columns)
    except EngineError as error:
        return Float64Support(False, "" if getattr(session, "is_float64", False) else error.message)
    size = np.maximum(1.0, np.abs(double).max(initial=0.0))
    agree = double.shape == single.shape and bool(np.all(np.abs(double - single) <= MOST_ROUNDING * size))
    is_own = bool(getattr(session, "is_float64", False))
    return Float64Support(True, is_own=is_own) if agree else Float64Support(False, "in float64 it answers otherwise")


def _in_float32(session: Session, columns: Columns) -> Floats:
    return np.array(session.postprocess(session.predict(session.preprocess(columns))), dtype=np.float64)


def _predict(session: Session, columns: Columns) -> Float64Predictions:
    network = float64.require_float64(session)
    parts = [_predict_request(network, *request) for request in make_requests(columns, session.spec.batch)]
    if not parts:
        raise EngineError("there are no rows")
    return Float64Predictions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _predict_request(network: float64.Float64Session, columns: Columns, rows: int) -> tuple[Floats, Floats, Floats]:
    """Values, those for nudged numbers, and sizes, of the first `rows` rows."""
    try:
        inputs = network.preprocess(columns)
        values = network.predict_in_float64(float64.widen(inputs))
        predict_nudged = getattr(network, "predict_nudged", network.predict_in_float64)
        nudged = predict_nudged(float64.nudge(inputs))
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
        raise EngineError(first_line(error)) from None
    return values[:rows], nudged[:rows], float64.sizes(inputs, len(values))[:rows]
