"""The library's steps inside a phase, each with its own time: a separate run with probes on them."""

import statistics
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from infer_bench.model import PHASES, Phase
from infer_bench.workers.profiling.instrument import ESTIMATOR_CALLS, Target, estimator_calls, installed, model_calls
from infer_bench.workers.profiling.requests import StepTime
from infer_bench.workers.timing.loop import Clock, Stages

Call = Callable[..., Any]
CALIBRATION = 501

_FRAME = "pandas.core.frame"
_LIGHTGBM_C = ("Mat", "MatSingleRow", "MatSingleRowFast", "Mats", "CSR", "CSRSingleRow", "CSC", "Arrow")
_XGBOOST_C = ("Dense", "DMatrix", "CSR", "Columnar")
_IMAGES = (
    Target("PIL.Image", "open", "image decoding"),
    Target("PIL.Image", "Image.load", "image decoding"),
    Target("PIL.Image", "Image.resize", "image resize"),
    Target("PIL.Image", "Image.thumbnail", "image resize"),
    Target("PIL.Image", "Image.convert", "color conversion"),
    Target("PIL.Image", "Image.crop", "image crop"),
    Target("PIL.Image", "Image.__array_interface__", "image to array"),
    Target("cv2", "imdecode", "image decoding"),
    Target("cv2", "imread", "image decoding"),
    Target("cv2", "resize", "image resize"),
    Target("cv2", "cvtColor", "color conversion"),
    Target("cv2", "copyMakeBorder", "image padding"),
    Target("cv2", "warpAffine", "image warp"),
    Target("cv2", "dnn.blobFromImage", "image to array"),
    Target("skimage.transform", "resize", "image resize"),
    Target("scipy.ndimage", "zoom", "image resize"),
    Target("torchvision.transforms.functional", "resize", "image resize"),
    Target("torchvision.transforms.functional", "normalize", "normalization"),
    Target("torchvision.transforms.functional", "to_tensor", "image to array"),
    Target("torch.nn.functional", "interpolate", "image resize"),
)
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
    Target(_FRAME, "DataFrame.__array__", "frame to array"),
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
    *_IMAGES,
    Target("transformers.tokenization_utils_base", "PreTrainedTokenizerBase.__call__", "tokenizer"),
)


class StepTimer:
    """Own times by phase and step: what a step takes without the steps that it calls, corrected for the probes.

    A request is cut into segments: at its stages, or of a user's function at its outermost model calls. Every second
    segment is `predict`, the last one `postprocess`, the others `preprocess`.
    """

    def __init__(self, clock: Clock, *, function: bool = False) -> None:
        self._own: dict[tuple[Phase, str], list[int]] = defaultdict(lambda: [0, 0])
        self.phases: dict[Phase, int] = dict.fromkeys(PHASES, 0)
        self._clock, self._function = clock, function
        self._stack: list[int] = []
        self._events: list[tuple[int, str, int]] = []
        self._lengths: list[int] = [0]
        self._since = self._thread = self._inside_ns = self._outside_ns = 0
        self._in_model = False
        self._calibrate()

    @property
    def steps(self) -> tuple[StepTime, ...]:
        """The steps so far."""
        return tuple(StepTime(phase, name, calls, own) for (phase, name), (calls, own) in self._own.items())

    def wrap(self, call: Call, name: str) -> Call:
        """`call`, timed; calls on other threads pass through."""
        stack, clock, ident = self._stack, self._clock, threading.get_ident

        def time_call(*arguments: Any, **keywords: Any) -> Any:
            if ident() != self._thread:
                return call(*arguments, **keywords)
            stack.append(0)
            start = clock()
            try:
                return call(*arguments, **keywords)
            finally:
                self._leave(name, clock() - start)

        return time_call

    def _leave(self, name: str, duration_ns: int) -> None:
        own = duration_ns - self._stack.pop() - self._inside_ns
        self._events.append((len(self._lengths), name, own))
        if self._stack:
            self._stack[-1] += duration_ns + self._outside_ns
        self._lengths[-1] -= self._inside_ns + self._outside_ns

    def _divide(self, call: Call, _: str) -> Call:
        """`call`, a segment of its own unless it is inside one."""

        def divide(*arguments: Any, **keywords: Any) -> Any:
            if self._in_model or threading.get_ident() != self._thread:
                return call(*arguments, **keywords)
            self._in_model = True
            self._mark()
            try:
                return call(*arguments, **keywords)
            finally:
                self._mark()
                self._in_model = False

        return divide

    def _mark(self) -> None:
        now = self._clock()
        self._lengths[-1] += now - self._since
        self._lengths.append(0)
        self._since = self._clock()

    def time_requests(self, stages: Stages, requests: Sequence[Any]) -> int:
        """Answer the requests; returns the time taken by all of them, in ns."""
        targets = [target for target in STEPS if target.module in sys.modules]
        targets += estimator_calls((*ESTIMATOR_CALLS, "transform"))
        self._thread = threading.get_ident()
        with installed(targets, self.wrap), installed(model_calls() if self._function else [], self._divide):
            start = self._clock()
            for request in requests:
                self._time_request(stages, request)
            return self._clock() - start

    def _time_request(self, stages: Stages, request: Any) -> None:
        self._events, self._lengths = [], [0]
        self._since = self._clock()
        value = stages.preprocess(request)
        if not self._function:
            self._mark()
        value = stages.predict(value)
        if not self._function:
            self._mark()
        stages.postprocess(value)
        self._lengths[-1] += self._clock() - self._since
        self._add_up()

    def _add_up(self) -> None:
        last = len(self._lengths)
        for segment, length in enumerate(self._lengths, 1):
            self.phases[_phase(segment, last)] += length
        for segment, name, own in self._events:
            entry = self._own[_phase(segment, last), name]
            entry[0] += 1
            entry[1] += own

    def _calibrate(self) -> None:
        """What a probe reads of a call that does nothing (inside), and what it costs beside that (outside)."""
        self._thread = threading.get_ident()
        call, cost = self.wrap(_nothing, ""), []
        for _ in range(CALIBRATION):
            start = self._clock()
            call()
            cost.append(self._clock() - start)
        self._inside_ns = round(statistics.median(own for _, _, own in self._events))
        self._outside_ns = max(0, round(statistics.median(cost)) - self._inside_ns)


def _phase(segment: int, last: int) -> Phase:
    """The phase of a segment, counted from 1; a request in one piece is a model call as a whole."""
    if segment % 2 == 0 or last == 1:
        return "predict"
    return "postprocess" if segment == last else "preprocess"


def _nothing() -> None:
    return None
