"""Every output of a network for each request of a table, and what its own rounding makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from infer_bench.data.table import stack
from infer_bench.data.tensors.stacking import cut_requests
from infer_bench.engines.base import Session
from infer_bench.engines.rounding_runs import Method, NamedArrays, RoundingRuns
from infer_bench.engines.training_mode import VARYING
from infer_bench.errors import EngineError
from infer_bench.stats.agreement.rounding import MOST_ROUNDING
from infer_bench.typing import Array, Bools, Columns, Floats
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.shared import SharedColumns, read_columns

EMPTY = np.zeros(0)
"""An output that a request lacks."""
_RUNS: "WeakKeyDictionary[Any, RoundingRuns]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class RequestOutputs:
    """The outputs by name as the columns of a `data.Table`; where `refusals` (requests,) an empty array stands.

    `complaint` is the library's message on the first refused request.
    """

    outputs: Columns
    refusals: Bools
    complaint: str


@dataclass(frozen=True, slots=True, eq=False)
class OutputVariants:
    """The same outputs in float64 (`exact`, empty for the method `noise`), and a table a draw of moved numbers.

    `is_coarse` and `precisions` as in `RoundingRuns`. `sizes` (requests,) are the largest magnitudes in each request.
    """

    method: Method
    is_coarse: bool
    exact: Columns
    shaken: tuple[Columns, ...]
    sizes: Floats
    precisions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class PredictOutputs(SessionRequest[RequestOutputs]):
    """Predict a table's requests one at a time; `shared` columns lie in shared memory, the others in `columns`."""

    title = "outputs"
    columns: Columns = field(default_factory=dict)
    shared: SharedColumns | None = None

    def check(self, response: RequestOutputs) -> None:
        """See `Request.check`."""
        if any(len(column) != len(response.refusals) for column in response.outputs.values()):
            raise ValueError("outputs of another number of requests")


@dataclass(frozen=True, slots=True, eq=False)
class PredictVariants(SessionRequest[OutputVariants]):
    """What rounding makes of the outputs for a table; its columns as in `PredictOutputs`."""

    title = "rounding"
    columns: Columns = field(default_factory=dict)
    shared: SharedColumns | None = None


def predict_outputs(session: Session, request: PredictOutputs) -> RequestOutputs:
    """Raises `EngineError` when every request is refused: then it is the table that does not fit."""
    complaint, outputs = "", list[NamedArrays]()
    for arrays in _requests(session, request.columns, request.shared):
        try:
            outputs.append(_run(session, arrays))
        except EngineError as error:
            complaint = complaint or error.message
            outputs.append({})
    if not any(outputs):
        raise EngineError(complaint or "there are no requests")
    return RequestOutputs(_columns(outputs), np.array([not named for named in outputs], dtype=np.bool_), complaint)


def predict_variants(session: Session, request: PredictVariants) -> OutputVariants:
    """Raises `EngineError` where it cannot be known what the network rounds."""
    requests = _requests(session, request.columns, request.shared)
    runs = _runs_of(session, requests)
    exact, shaken, sizes = [], [], []
    for arrays in requests:
        try:
            inputs = session.preprocess(arrays)
            one, draws = runs.exact(inputs), runs.shaken(inputs)
        except EngineError:
            inputs, one, draws = {}, None, ()
        exact.append({} if one is None else one)
        shaken.append(draws)
        sizes.append(_size(inputs))
    count = max(map(len, shaken), default=0)
    tables = ([draws[i] if i < len(draws) else {} for draws in shaken] for i in range(count))
    return OutputVariants(
        runs.method,
        runs.is_coarse,
        _columns(exact),
        tuple(map(_columns, tables)),
        np.array(sizes),
        runs.precisions,
    )


def _requests(session: Session, columns: Columns, shared: SharedColumns | None) -> Sequence[dict[str, Array]]:
    return cut_requests(columns if shared is None else read_columns(shared, columns), session.spec.inputs, 1)


def _run(session: Any, arrays: Mapping[str, Array]) -> NamedArrays:
    """Outputs that later requests leave as they are: a library may hand out memory of its own."""
    outputs = session.named_outputs(session.predict(session.preprocess(arrays)))
    return {name: np.array(values) for name, values in outputs.items()}


def _size(inputs: NamedArrays) -> float:
    """The largest finite magnitude among the floats of a request; ids and lengths say nothing of rounding."""
    floats = (np.abs(values[np.isfinite(values)]) for values in inputs.values() if values.dtype.kind == "f")
    return max((float(values.max(initial=0.0)) for values in floats), default=0.0)


def _columns(requests: Sequence[NamedArrays]) -> dict[str, Array]:
    """Named arrays of each request as columns."""
    names = dict.fromkeys(name for named in requests for name in named)
    return {name: stack([named.get(name, EMPTY) for named in requests]) for name in names}


def _runs_of(session: Any, requests: Sequence[Mapping[str, Array]]) -> RoundingRuns:
    """The session's runs in float64, where they agree with its own on the first request; else those with noise."""
    if session not in _RUNS:
        _RUNS[session] = _choose_runs(session, requests[0])
    return _RUNS[session]


def _choose_runs(session: Any, arrays: Mapping[str, Array]) -> RoundingRuns:
    if not hasattr(session, "rounding_runs"):
        raise EngineError("the engine has no float64 form of the model")
    if any(remark.code in VARYING for remark in session.spec.remarks):
        raise EngineError("no two of its answers need be alike")
    runs = _runs_in_float64(session, arrays)
    return session.rounding_runs("noise") if runs is None else runs


def _runs_in_float64(session: Any, arrays: Mapping[str, Array]) -> RoundingRuns | None:
    """None where the engine cannot run the network in float64, for want of a kernel, or predicts otherwise then."""
    try:
        runs: RoundingRuns = session.rounding_runs("float64")
        exact = runs.exact(session.preprocess(arrays)) or {}
    except EngineError:
        return None
    return runs if _agree(_run(session, arrays), exact) else None


def _agree(outputs: NamedArrays, exact: NamedArrays) -> bool:
    """Whether both are the same but for rounding."""
    return all(_is_near(values, exact.get(name, EMPTY)) for name, values in outputs.items())


def _is_near(values: Array, exact: Array) -> bool:
    if values.dtype.kind != "f":
        return values.shape == exact.shape
    if values.shape != exact.shape:
        return False
    both = np.isfinite(values) & np.isfinite(exact)
    ours, theirs = values[both].astype(np.float64), exact[both].astype(np.float64)
    off, size = np.sqrt(np.mean((ours - theirs) ** 2)) if ours.size else 0.0, np.abs(theirs).max(initial=0.0)
    return bool(off <= MOST_ROUNDING * size)
