"""The library's steps inside a phase, each with its own time: a separate run with probes on them."""

import statistics
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from infer_bench.workers.loop import Clock, Stages
from infer_bench.workers.probes import ESTIMATOR_CALLS, Target, estimator_calls, installed

Call = Callable[..., Any]
PHASES = ("preprocess", "predict", "postprocess")
CALIBRATION = 501

_FRAME = "pandas.core.frame"
_LIGHTGBM_C = ("Mat", "MatSingleRow", "MatSingleRowFast", "Mats", "CSR", "CSRSingleRow", "CSC", "Arrow")
_XGBOOST_C = ("Dense", "DMatrix", "CSR", "Columnar")
STEPS = (
    Target(_FRAME, "DataFrame.__init__", "DataFrame build"),
    Target(_FRAME, "DataFrame.reindex", "reindex"),
    Target(_FRAME, "DataFrame.astype", "dtype cast"),
    Target(_FRAME, "DataFrame.assign", "column assignment"),
    Target(_FRAME, "DataFrame.__setitem__", "column assignment"),
    Target(_FRAME, "DataFrame.__getitem__", "column selection"),
    Target(_FRAME, "DataFrame.fillna", "fillna"),
    Target(_FRAME, "DataFrame.replace", "replace"),
    Target(_FRAME, "DataFrame.apply", "apply"),
    Target(_FRAME, "DataFrame.merge", "merge"),
    Target(_FRAME, "DataFrame.to_numpy", "frame to array"),
    Target(_FRAME, "DataFrame.values", "frame to array"),
    Target("pandas", "concat", "concat"),
    Target("pandas", "get_dummies", "get_dummies"),
    Target("lightgbm.basic", "_data_from_pandas", "frame to array"),
    Target("lightgbm.basic", "Booster.predict", "Booster.predict, in Python"),
    *(Target("lightgbm.basic", f"_LIB.LGBM_BoosterPredictFor{kind}", "C call") for kind in _LIGHTGBM_C),
    Target("xgboost.core", "DMatrix.__init__", "DMatrix build"),
    Target("xgboost.data", "_transform_pandas_df", "frame to array"),
    Target("xgboost.core", "Booster.predict", "Booster.predict, in Python"),
    Target("xgboost.core", "Booster.inplace_predict", "inplace_predict, in Python"),
    *(Target("xgboost.core", f"_LIB.XGBoosterPredictFrom{kind}", "C call") for kind in _XGBOOST_C),
    Target("xgboost.core", "_prediction_output", "output conversion"),
    Target("onnxruntime.capi.onnxruntime_inference_collection", "Session.run", "InferenceSession.run, in Python"),
    Target("onnxruntime.capi.onnxruntime_pybind11_state", "InferenceSession.run", "C call"),
    Target("onnxruntime.capi.onnxruntime_pybind11_state", "InferenceSession.run_with_iobinding", "C call"),
    Target("torch.nn.modules.module", "Module.__call__", "torch modules"),
)


class Steps:
    """Own times by phase and step: what a step takes without the steps that it calls, corrected for the probes."""

    def __init__(self, clock: Clock) -> None:
        self.own: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self.phases: dict[str, int] = dict.fromkeys(PHASES, 0)
        self._clock = clock
        self._stack: list[int] = []
        self._phase = PHASES[0]
        self._thread = 0
        self._inside_ns = self._outside_ns = 0
        self._calibrate()

    def wrap(self, call: Call, name: str) -> Call:
        """`call`, timed; calls on other threads pass through."""
        stack, clock, ident = self._stack, self._clock, threading.get_ident

        def timed(*arguments: Any, **keywords: Any) -> Any:
            if ident() != self._thread:
                return call(*arguments, **keywords)
            stack.append(0)
            start = clock()
            try:
                return call(*arguments, **keywords)
            finally:
                taken = clock() - start
                self._leave(name, taken)

        return timed

    def _leave(self, name: str, taken: int) -> None:
        inner = self._stack.pop()
        entry = self.own[self._phase, name]
        entry[0] += 1
        entry[1] += taken - inner - self._inside_ns
        if self._stack:
            self._stack[-1] += taken + self._outside_ns
        else:
            self.phases[self._phase] -= self._outside_ns + self._inside_ns

    def run(self, stages: Stages, requests: Sequence[Any]) -> int:
        """Answer the requests; returns the time taken by all of them, in ns."""
        targets = [target for target in STEPS if target.module in sys.modules]
        targets += estimator_calls((*ESTIMATOR_CALLS, "transform"))
        self._thread = threading.get_ident()
        start = self._clock()
        with installed(targets, self.wrap):
            begun = self._clock()
            for request in requests:
                self._answer(stages, request)
            return self._clock() - begun if begun >= start else 0

    def _answer(self, stages: Stages, value: Any) -> None:
        for phase in PHASES:
            self._phase = phase
            start = self._clock()
            value = getattr(stages, phase)(value)
            self.phases[phase] += self._clock() - start

    def _calibrate(self) -> None:
        """What a probe reads of a call that does nothing (inside), and what it costs beside that (outside)."""
        self._thread = threading.get_ident()
        call, read, cost = self.wrap(_nothing, ""), [], []
        for _ in range(CALIBRATION):
            before = self.own["preprocess", ""][1]
            start = self._clock()
            call()
            cost.append(self._clock() - start)
            read.append(self.own["preprocess", ""][1] - before)
        self._inside_ns = round(statistics.median(read))
        self._outside_ns = max(0, round(statistics.median(cost)) - self._inside_ns)
        self.own.clear()
        self.phases.update(dict.fromkeys(PHASES, 0))


def _nothing() -> None:
    return None
