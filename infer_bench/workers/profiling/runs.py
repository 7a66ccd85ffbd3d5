"""One candidate's profile inside its worker: rounds of timed phases, and runs under a profiler, each on its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.base import Request, Session
from infer_bench.errors import EngineError
from infer_bench.workers.profiling import profilers as recorders
from infer_bench.workers.profiling.model_boundary import Boundary
from infer_bench.workers.profiling.profilers import Recorder
from infer_bench.workers.profiling.steps import Steps
from infer_bench.workers.protocol import Message
from infer_bench.workers.timing.loop import Clock, Cycle, Stages, Stamps, floor, plain, stamped
from infer_bench.workers.timing.runner import requests_of, warm_up

Fields = Mapping[str, Any]
CALIBRATION = 501


def requests_from(records: Sequence[Request], columns: Mapping[str, npt.NDArray[Any]], batch: int) -> list[Request]:
    """The user's records as they are, or the rows cut into requests."""
    return list(records) if records else requests_of(columns, batch)


class Profiling:
    """The runs of a profile. `function`: the session is a user's function, divided at its model calls."""

    def __init__(self, session: Session, requests: Sequence[Request], *, function: bool, clock: Clock) -> None:
        self._session = session
        self._stages = Stages(session.preprocess, session.predict, session.postprocess)
        self._cycle = Cycle(requests)
        self._boundary = Boundary(clock) if function else None
        self._clock = clock
        self._recorder: Recorder | None = None
        self._answered = 0

    def answer(self, fields: Fields) -> Message:
        """Do the run that `fields["what"]` names."""
        run: Callable[[Fields], Message] = getattr(self, f"run_{fields['what']}")
        return run(fields)

    def run_first(self, fields: Fields) -> Message:
        """One request; of a fresh worker, the first. `done_ns` is the clock when it was answered."""
        taken = int(plain(self._stages, self._cycle.take(1), self._clock)[0])
        return Message("first", {"request_ns": taken, "done_ns": self._clock()})

    def run_warm(self, fields: Fields) -> Message:
        """Warm up until steady."""
        warmth = warm_up(self._stages, self._cycle, int(fields["limit_ns"]), self._clock)
        return Message("warm", {**asdict(warmth)})

    def run_phases(self, fields: Fields) -> Message:
        """One round: the same requests without probes and with them, the order given by `probed_first`."""
        chosen = self._cycle.take(int(fields["samples"]))
        if self._boundary is not None:
            self._boundary.install()
        stamps = self._probed(chosen) if fields["probed_first"] else None
        processor, start = time.process_time_ns(), self._clock()
        request = plain(self._stages, chosen, self._clock)
        spent = {"wall_ns": self._clock() - start, "cpu_ns": time.process_time_ns() - processor}
        stamps = stamps or self._probed(chosen)
        arrays = {"preprocess": stamps.preprocess, "predict": stamps.predict, "postprocess": stamps.postprocess}
        return Message("phases", {**spent, "model_calls": self._names()}, {"request": request, **arrays})

    def _probed(self, requests: Sequence[Request]) -> Stamps:
        if self._boundary is None:
            return stamped(self._stages, requests, self._clock)
        return self._boundary.stamps(self._stages, requests)

    def _names(self) -> dict[str, int]:
        return dict(self._boundary.names) if self._boundary else {}

    def run_probe(self, fields: Fields) -> Message:
        """What the probes of the phases add to a request, by phase, and what is added to one without stamps; ns."""
        if self._boundary is not None:
            *parts, passing = self._boundary.cost()
        else:
            empty, call = Stages(_same, _same, _same), self._bare_call()
            stamps = stamped(empty, [None] * CALIBRATION, self._clock)
            medians = (float(np.median(part)) for part in (stamps.preprocess, stamps.predict, stamps.postprocess))
            parts, passing = [max(0, round(median - call)) for median in medians], 0
        return Message("probe", {"parts_ns": parts, "request_ns": floor(self._clock) + passing})

    def _bare_call(self) -> float:
        """What calling a function that does nothing takes, which is the request's own."""
        bare = plain(Stages(_same, _same, _same), [None] * CALIBRATION, self._clock)
        return max(0.0, float(np.median(bare)) - floor(self._clock, CALIBRATION)) / 3

    def run_steps(self, fields: Fields) -> Message:
        """The library's steps over `samples` requests, with how long these took with the probes and without."""
        count = int(fields["samples"])
        self._without_probes()
        chosen = self._cycle.take(count)
        bare = self._time(chosen)
        steps = Steps(self._clock, function=self._boundary is not None)
        taken = steps.run(self._stages, chosen)
        rows = [[phase, name, calls, own] for (phase, name), (calls, own) in steps.own.items()]
        return Message(
            "steps", {"rows": rows, "phases": steps.phases, "requests": count, "bare_ns": bare, "probed_ns": taken}
        )

    def run_record(self, fields: Fields) -> Message:
        """A chunk of requests without the profiler and under it, in alternating order; both times in ns."""
        count = int(fields["samples"])
        self._without_probes()
        if self._recorder is None:
            self._recorder = recorders.make(str(fields["profiler"]), float(fields.get("interval_s", 0.001)))
        chosen, recorder = self._cycle.take(count), self._recorder
        if fields["profiled_first"]:
            taken = recorder.run(self._stages, chosen, self._clock)
            bare = self._time(chosen)
        else:
            bare = self._time(chosen)
            taken = recorder.run(self._stages, chosen, self._clock)
        self._answered += count
        return Message("recorded", {"bare_ns": bare, "profiled_ns": taken, "requests": self._answered})

    def _without_probes(self) -> None:
        if self._boundary is not None:
            self._boundary.remove()

    def _time(self, requests: Sequence[Request]) -> int:
        preprocess, predict, postprocess = self._stages.preprocess, self._stages.predict, self._stages.postprocess
        start = self._clock()
        for request in requests:
            postprocess(predict(preprocess(request)))
        return self._clock() - start

    def run_gathered(self, fields: Fields) -> Message:
        """What the profiler has gathered."""
        if self._recorder is None:
            raise EngineError("nothing was profiled")
        return Message("gathered", {"requests": self._answered, **self._recorder.gathered(str(fields["form"]))})

    def run_memory(self, fields: Fields) -> Message:
        """What requests allocate through Python."""
        from infer_bench.workers.profiling.allocations import allocations

        return Message("allocations", allocations(self._stages, self._cycle.take(int(fields["samples"]))))

    def run_operators(self, fields: Fields) -> Message:
        """Answer `samples` requests, end the session's own profiling and tell each operator's time."""
        from infer_bench.workers.profiling.operators import operators

        count = int(fields["samples"])
        self._time(self._cycle.take(count))
        end = getattr(self._session, "end_profiling", None)
        if end is None:
            raise EngineError("this session has no operators to time")
        return Message("operators", {"rows": operators(end()), "requests": count})


def _same(value: Any) -> Any:
    return value
