"""ONNX's own backend suite: its outputs pass as a reference, and with one value off they are another model's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from infer_bench.data.tensors.files import name_by_place, read_sets
from infer_bench.data.tensors.requests import read_requests
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.measure.outputs.group import NetworkGroup, named_predictions
from infer_bench.measure.validate.networks.saved_outputs import divide_outputs
from infer_bench.stats.agreement.limits import Limits
from infer_bench.typing import Array
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session
from infer_bench.workers.tasks.network_outputs import (
    PredictOutputs,
    PredictVariants,
    predict_outputs,
    predict_variants,
)
from tests.engines.zoo import open_session, ref

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
CASES = sorted(path.parent for kind in ("simple", "pytorch-*") for path in DATA.glob(f"{kind}/*/model.onnx"))
LIMITS = Limits(1e-4, 1e-5, by_rounding=True)
FEWEST = 80


@pytest.fixture(scope="module")
def sessions() -> dict[str, Any]:
    """The networks that this version of ONNX Runtime runs, by the case's name."""
    onnxruntime.set_default_logger_severity(4)
    opened: dict[str, Any] = {}
    for case in CASES:
        try:
            opened[case.name] = open_session("onnxruntime", ref(case / "model.onnx", "onnx", "onnx"))
        except InferBenchError:
            continue
    return {name: session for name, session in opened.items() if session.spec.inputs}


def _expected(case: Path, session: Any) -> Mapping[str, Array]:
    return name_by_place(read_sets(case, "output")[0], session.spec.output_names)


def _one_off(array: Array) -> Array:
    changed, place = array.copy(), array.size // 2
    flat = changed.reshape(-1)
    if array.dtype.kind == "O":
        flat[place] = f"{flat[place]}!"
    else:
        flat[place] = not flat[place] if array.dtype.kind == "b" else flat[place] + array.dtype.type(1)
    return changed


def test_its_outputs_pass_and_one_value_off_differs(sessions: dict[str, Any], tmp_path: Path) -> None:
    wrong: list[str] = []
    for case in (case for case in CASES if case.name in sessions):
        session, expected = sessions[case.name], _expected(case, sessions[case.name])
        inputs = name_by_place(read_sets(case, "input")[0], [tensor.name for tensor in session.spec.inputs])
        arrays = {name: array.astype(str) if array.dtype == object else array for name, array in inputs.items()}
        np.savez(tmp_path / "inputs.npz", allow_pickle=False, **arrays)
        table = read_requests(tmp_path / "inputs.npz", session.spec.inputs)
        group = _compare(session, table.columns, expected, table.rows)
        wrong += [f"{case.name} differs"] if group.failing else []
        for name, array in expected.items():
            if array.size:
                changed = _compare(session, table.columns, {**expected, name: _one_off(array)}, table.rows)
                wrong += [] if changed.failing else [f"{case.name}: {name} passes"]
    assert wrong == []
    assert len(sessions) >= FEWEST


def _compare(session: Any, columns: Any, expected: Mapping[str, Array], requests: int) -> NetworkGroup:
    outputs = predict_outputs(session, PredictOutputs(columns))
    try:
        variants = predict_variants(session, PredictVariants(columns))
    except EngineError:
        variants = None
    sample = {name: np.asarray(column[0]) for name, column in outputs.outputs.items()}
    saved = divide_outputs("expected.npz", expected, requests, sample)
    group = NetworkGroup("data", LIMITS)
    group.add(saved.predictions(0, requests), named_predictions(outputs, outputs.outputs, variants))
    return group


def test_requests_can_be_drawn(sessions: dict[str, Any]) -> None:
    refused = []
    for name, session in sessions.items():
        try:
            drawn = draw_for_session(session, DrawRequests(2, 0))
            predict_outputs(session, PredictOutputs(drawn.columns))
        except InferBenchError as error:
            refused.append(f"{name}: {error.message}")
    assert refused == []
