"""A profile of a network: its phases, its operators, and where a function around it spends the rest."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from infer_bench.measure.profile.run import profile
from infer_bench.workers.profiling.steps import StepTimer
from infer_bench.workers.timing.loop import Stages
from tests.fakes import FakeClock

onnx = pytest.importorskip("onnx")
parser = pytest.importorskip("onnx.parser")
GRAPH = """
net (float[N, 2, 3] x) => (float[N, 2, 3] y, float[N, 2] z) {
    y = Relu(x)
    axis = Constant<value = int64[1] {2}>()
    z = ReduceSum<keepdims = 0>(y, axis)
}
"""


def test_phases_and_operators_of_a_network(tmp_path: Path) -> None:
    onnx.save(parser.parse_model(f'<ir_version: 9, opset_import: ["" : 18]> {GRAPH}'), tmp_path / "m.onnx")
    np.savez(tmp_path / "x.npz", x=np.ones((5, 2, 3), np.float32))
    report = profile(
        str(tmp_path / "m.onnx"), data=str(tmp_path / "x.npz"), profiler="none", requests=20, batch=2, threads=1
    )
    (row,) = report.results
    assert row.failed is None
    assert row.does == {
        "preprocess": "check the arrays",
        "predict": "InferenceSession.run",
        "postprocess": "name the outputs",
    }
    assert {(cost.op_type, cost.shape) for cost in row.operators} == {("Relu", "2x2x3"), ("ReduceSum", "2x2")}
    assert row.model is not None
    assert row.model.inputs == 1


def test_a_function_s_work_on_images_is_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    images: Any = ModuleType("cv2")
    clock = FakeClock(0)

    def resize(image: Any, size: Any) -> Any:
        clock.spend(3_000)
        return image

    images.resize = resize
    monkeypatch.setitem(sys.modules, "cv2", images)
    timer = StepTimer(clock)
    timer.time_requests(Stages(lambda request: images.resize(request, (2, 2)), _same, _same), [1, 2])
    (step,) = timer.steps
    assert (step.phase, step.name, step.calls, step.own_ns) == ("preprocess", "image resize", 2, 6_000)
    assert images.resize is resize


def _same(value: Any) -> Any:
    return value
