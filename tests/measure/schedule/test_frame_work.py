"""Which part of a request is work on DataFrames."""

import pytest

from infer_bench.measure.schedule.frame_work import share_frames
from infer_bench.workers.profiling.requests import StepTime, StepTimes
from infer_bench.workers.profiling.steps import StepTimer
from infer_bench.workers.timing.loop import Stages


def test_frames_are_counted_in_every_phase_over_all_chunks() -> None:
    steps = (
        StepTime("preprocess", "DataFrame build", 10, 600),
        StepTime("preprocess", "reindex", 10, 200),
        StepTime("predict", "frame to array", 10, 100),
        StepTime("predict", "C call", 10, 800),
        StepTime("postprocess", "output conversion", 10, 5),
    )
    chunk = StepTimes(steps, {"preprocess": 1000, "predict": 1000, "postprocess": 10}, 10, 2000, 2100)
    shares = share_frames([chunk, StepTimes((), {"predict": 1000}, 10, 1000, 1000)])

    assert shares == {"preprocess": 0.8, "predict": 0.05, "postprocess": 0.0}
    assert share_frames([]) == {}


def test_numpy_taking_a_frame_is_a_step() -> None:
    pandas, numpy = pytest.importorskip("pandas"), pytest.importorskip("numpy")
    ticks = iter(range(10**9))
    timer = StepTimer(lambda: next(ticks) * 100)
    frame = pandas.DataFrame({"a": [1.0], "b": [2.0]})
    timer.time_requests(Stages(lambda _: frame, numpy.asarray, lambda value: value), [None])

    assert ("predict", "frame to array") in {(step.phase, step.name) for step in timer.steps}
