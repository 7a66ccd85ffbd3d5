"""Profilers inside a worker, behind one shape: run requests, then give what was recorded as plain data."""

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from infer_bench.engines.base import Request
from infer_bench.errors import MissingDependency
from infer_bench.workers.profiling.requests import Caller, FunctionProfile, ProfilerOutput
from infer_bench.workers.profiling.resumptions import count_calls, find_coroutines, measure_starts
from infer_bench.workers.timing.loop import Clock, Stages

_FONTS = re.compile(r"https?://fonts\.[^\"'`)\s]*")
_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline' data:; img-src data:; font-src data:\">"
)
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_FOLDING = 'collapseMode:"non-application",collapseCustomHide:"",collapseCustomShow:""'
"""What the page folds unless its reader says otherwise."""


class Profiler(Protocol):
    """A profiler that can be switched on and off many times.

    `was_ended`: the requests have set another one in its place, or none, so that it has not seen all of them.
    """

    was_ended: bool

    def profile(self, stages: Stages, requests: Sequence[Request], clock: Clock) -> int:
        """Answer the requests under the profiler; returns the time they took, in ns."""

    def collect(self, form: str) -> ProfilerOutput:
        """All that was recorded, and in `form` (`html`, `speedscope`) the text of a file."""


def create_profiler(profiler: str, interval_s: float) -> Profiler:
    """The profiler called `profiler`. Raises `MissingDependency`."""
    return PyInstrument(interval_s) if profiler == "pyinstrument" else CProfile()


def _was_replaced(own: object) -> bool:
    """Whether another profile function is set than `own`. From Python 3.12 on cProfile sets none, so none is missed."""
    return own is not None and sys.getprofile() is not own


def _predict_all(stages: Stages, requests: Sequence[Request], clock: Clock) -> int:
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    start = clock()
    for request in requests:
        postprocess(predict(preprocess(request)))
    return clock() - start


class CProfile:
    """The standard library's deterministic profiler: counts are exact, and every Python call is made slower."""

    def __init__(self) -> None:
        import cProfile

        self.was_ended = False
        self._profile = cProfile.Profile()
        self._again: Callable[[], object] = int

    def profile(self, stages: Stages, requests: Sequence[Request], clock: Clock) -> int:
        """Answer the requests under the profiler. Only what runs on this thread is seen."""
        preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
        self._again = partial(_predict_all, stages, requests, clock)

        def request(value: Request) -> None:
            """A root for viewers, which draw what one function calls."""
            postprocess(predict(preprocess(value)))

        start = clock()
        self._profile.enable()
        own = sys.getprofile()
        try:
            for value in requests:
                request(value)
        finally:
            self.was_ended |= _was_replaced(own)
            self._profile.disable()
        return clock() - start

    def collect(self, form: str) -> ProfilerOutput:
        """The functions with their calls and callers. Those of coroutines are counted in a run of their own."""
        self._profile.create_stats()
        starts = measure_starts(self._again) if find_coroutines(self._profile.getstats()) else {}
        stats: dict[Any, Any] = getattr(self._profile, "stats", {})
        functions = []
        for (file, line, name), (primitive, calls, own, cumulative, callers) in stats.items():
            if not _ours(file, name):
                others = tuple(Caller(*key, *values) for key, values in callers.items() if not _ours(key[0], key[2]))
                function = FunctionProfile(file, line, name, own, cumulative, primitive, calls, others)
                functions.append(count_calls(function, starts))
        return ProfilerOutput(tuple(functions))


def _ours(file: str, name: str) -> bool:
    """The profiler's own switch, and what is asked before it."""
    is_switch = "_lsprof.Profiler" in name or "sys.getprofile" in name
    return is_switch or (file == __file__ and name in ("profile", "_predict_all", "_was_replaced"))


class PyInstrument:
    """A sampling profiler, which looks at the stack every `interval_s` seconds."""

    def __init__(self, interval_s: float) -> None:
        try:
            import pyinstrument
        except ImportError:
            raise MissingDependency("pyinstrument", "profile") from None
        self.was_ended = False
        self._profiler = pyinstrument.Profiler(interval=interval_s, async_mode="disabled")

    def profile(self, stages: Stages, requests: Sequence[Request], clock: Clock) -> int:
        """Answer the requests under the profiler; its sessions are joined."""
        self._profiler.start(target_description="requests profiled by infer-bench")
        own = sys.getprofile()
        try:
            return _predict_all(stages, requests, clock)
        finally:
            self.was_ended |= _was_replaced(own)
            self._profiler.stop()

    def collect(self, form: str) -> ProfilerOutput:
        """The functions; the text of a page that needs no network, or of speedscope."""
        session = self._profiler.last_session
        text = ""
        if form == "pyinstrument":
            text = _offline(_unfold(self._profiler.output_html()))
        elif form == "speedscope":
            from pyinstrument.renderers import SpeedscopeRenderer

            text = self._profiler.output(SpeedscopeRenderer())
        return ProfilerOutput(_sum_samples(session.frame_records), text)


def _sum_samples(records: Sequence[Any]) -> tuple[FunctionProfile, ...]:
    """Each sample's time belongs to the innermost frame, and once to every function on the stack."""
    times: dict[tuple[str, int, str], list[float]] = {}
    for stack, seconds in records:
        frames = [_frame(text) for text in stack]
        request = frames[_first_of_request(frames) :]
        if request and "pyinstrument" in request[0][0]:
            continue  # it was being switched on or off
        for key in dict.fromkeys(request):
            times.setdefault(key, [0.0, 0.0])[1] += seconds
        if request:
            times[request[-1]][0] += seconds
    return tuple(FunctionProfile(*key, own, cumulative) for key, (own, cumulative) in times.items())


def _first_of_request(frames: Sequence[tuple[str, int, str]]) -> int:
    """Where the request begins: below this file's frames, which belong to the worker."""
    own = [i for i, (file, _, _) in enumerate(frames) if file == __file__]
    return own[-1] + 1 if own else 0


def _frame(text: str) -> tuple[str, int, str]:
    """pyinstrument writes a frame as name, file and first line of the function, then attributes after an SOH."""
    name, file, line = (*text.split("\x01")[0].split("\x00"), "", "0")[:3]
    return file, int(line or 0), name


def _unfold(page: str) -> str:
    """The page with the frames of the user and of libraries open, and ours folded.

    pyinstrument folds all that is installed, which may be all that there is. A page of another version stays as it is.
    """
    ours = f"^(?:{re.escape(_PACKAGE)}/|<frozen runpy>)"
    hide, show = json.dumps(ours), json.dumps(f"^(?!{ours[1:]})")
    return page.replace(_FOLDING, f'collapseMode:"custom",collapseCustomHide:{hide},collapseCustomShow:{show}', 1)


def _offline(page: str) -> str:
    """The page without its web fonts, and forbidden to fetch anything."""
    page = _FONTS.sub("data:text/css,", page)
    return page.replace("<head>", f"<head>{_POLICY}", 1) if "<head>" in page else _POLICY + page
