"""What the steps of a pipeline make of rows, as they are and in float32."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError
from infer_bench.typing import Array, Columns, Floats
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.timing.requests import check_predictions


@dataclass(frozen=True, slots=True, eq=False)
class Float32Predictions:
    """Predictions (rows, outputs) of a pipeline whose steps work in float32."""

    predictions: Floats


@dataclass(frozen=True, slots=True, eq=False)
class PredictInFloat32(SessionRequest[Float32Predictions]):
    """Predict a table with a pipeline's steps in float32."""

    title = "single"
    columns: Columns

    def check(self, response: Float32Predictions) -> None:
        """See `Request.check`."""
        check_predictions(response.predictions)


@dataclass(frozen=True, slots=True, eq=False)
class StepOutputs:
    """What a pipeline's last step is handed (rows, columns): as ever, with its steps in float32, and which elements are
    missing to it because a sparse matrix does not store them.
    """

    double: Array
    single: Array
    unstored: Array


@dataclass(frozen=True, slots=True, eq=False)
class RunSteps(SessionRequest[StepOutputs]):
    """Run a pipeline's steps before the last on a table."""

    title = "prepared"
    columns: Columns


def predict_in_float32(session: Session, request: PredictInFloat32) -> Float32Predictions:
    """Raises `EngineError` where the session has no steps, or one refuses the rows."""
    own = getattr(session, "in_float32", None)
    if own is None:
        raise EngineError("this engine has no steps to round")
    return Float32Predictions(np.asarray(_run(own, session, request.columns), dtype=np.float64))


def run_steps(session: Session, request: RunSteps) -> StepOutputs:
    """Raises `EngineError` where the session has no steps, or one refuses the rows."""
    own = getattr(session, "prepared", None)
    if own is None:
        raise EngineError("this engine has no steps")
    return StepOutputs(*_run(own, session, request.columns))


def _run(steps: Callable[[Any], Any], session: Session, columns: Columns) -> Any:
    try:
        return steps(session.preprocess(columns))
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a strange row
        raise EngineError(first_line(error)) from None
