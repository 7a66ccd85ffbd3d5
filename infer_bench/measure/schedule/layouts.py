"""Layouts: the sessions that are open at the same time, and where they come from."""

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from infer_bench.errors import InferBenchError, WorkerError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.report.bench import Process
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.protocol import R, SessionRequest
from infer_bench.workers.timing.requests import InjectDelay

Announce = Callable[[Candidate], None]


@dataclass(frozen=True, slots=True)
class InjectedDelay:
    """Work added to a candidate, to see whether a gate notices: turns of an empty loop in every `every`-th request."""

    turns: int = 0
    every: int = 1


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is ready: the worker and its number there, and how it started.

    With `owns_memory` the worker has done nothing else, so that its memory may be the candidate's.
    """

    worker: Worker
    number: int
    process: Process
    owns_memory: bool = True

    def ask(self, request: SessionRequest[R], *, timeout_s: float | None = None) -> R:
        """As `Worker.ask`, of this session."""
        return self.worker.ask(replace(request, session=self.number), timeout_s=timeout_s)

    def post(self, request: SessionRequest[R], *, timeout_s: float | None = None) -> Callable[[], R]:
        """As `Worker.post`, of this session."""
        return self.worker.post(replace(request, session=self.number), timeout_s=timeout_s)


@dataclass(frozen=True, slots=True)
class Layout:
    """The sessions of one layout, what their models say of themselves, and those that could not be opened with why."""

    sessions: dict[Key, OpenSession] = field(default_factory=dict)
    specs: dict[Key, ModelSpec] = field(default_factory=dict)
    failures: dict[Key, InferBenchError] = field(default_factory=dict)

    @contextlib.contextmanager
    def noting_failure(self, key: Key) -> Iterator[None]:
        """Let what fails in here be why a session could not be opened."""
        try:
            yield
        except InferBenchError as error:
            self.failures[key] = error


class LayoutSource(Protocol):
    """Opens the sessions of one layout after the other."""

    restarts: bool
    """Whether each layout starts processes; neither that nor loading is counted as measuring."""
    owns_memory: bool
    """Whether a process holds one candidate and no more than it needs, so that its memory is the candidate's."""

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Do once what is no part of measuring; returns those that cannot be opened, and why."""

    def layout(
        self, index: int, candidates: Sequence[Candidate], announce: Announce
    ) -> contextlib.AbstractContextManager[Layout]:
        """The sessions of a layout, for as long as it lasts; `announce` is called before each is opened."""

    def running_session(self) -> int | None:
        """The number of the session whose block it was when rounds were broken off; None where that is not known."""

    def close(self) -> None:
        """End what still runs."""


class ActiveLayout:
    """A layout while it is measured, at `batch` once that is set: who takes part, and what a failure costs.

    Whoever fails is out. The others lose no more than this layout, and that only when they share a worker which ended.
    """

    def __init__(self, layout: Layout, measurements: Measurements, *, restarts: bool) -> None:
        self._layout = layout
        self._measurements = measurements
        self.restarts = restarts
        self.batch: int | None = None

    @property
    def sessions(self) -> dict[Key, OpenSession]:
        """Those of candidates that have not failed, at this batch size where one is being measured."""
        sessions, failures = self._layout.sessions, self._measurements.failures
        if self.batch is None:
            return {key: session for key, session in sessions.items() if key not in failures}
        return {k: session for k, session in sessions.items() if self._measurements.failure(k, self.batch) is None}

    @property
    def is_lost(self) -> bool:
        """Whether the worker that held all sessions has ended."""
        return not self._layout.sessions

    @property
    def shared_worker(self) -> Worker | None:
        """The worker that holds all sessions, if one does."""
        workers = {id(session.worker): session.worker for session in self.sessions.values()}
        return next(iter(workers.values())) if len(workers) == 1 and not self.restarts else None

    @contextlib.contextmanager
    def charge(self, key: Key) -> Iterator[None]:
        """Let a failure in here cost the candidate its row."""
        try:
            yield
        except InferBenchError as error:
            self.fail([key], error)

    def fail(self, keys: Sequence[Key], error: InferBenchError) -> None:
        """Take these out, unless the worker had ended before."""
        if self._layout.sessions:
            for key in keys:
                self._measurements.fail(key, error, self.batch)
        if isinstance(error, WorkerError) and not self.restarts:
            self._measurements.drop_layout(self._measurements.layout_count)
            self._layout.sessions.clear()


class SessionOpener:
    """What every source of layouts has: rows and settings, and `delays` of the candidates that are to have one.

    `inputs` are those of the network whose requests the rows are, for functions that cannot say it.
    """

    def __init__(
        self,
        columns: Mapping[Key, Columns],
        settings: Settings,
        delays: Mapping[Key, InjectedDelay] | None = None,
        inputs: tuple[TensorInput, ...] = (),
    ) -> None:
        self._inputs = inputs
        self._columns = columns
        self._settings = settings
        self._delays = delays or {}

    def _shuffle(self, index: int, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The order in which the sessions of a layout are opened: the same one for the same seed."""
        return random.Random(f"{self._settings.seed} {index}").sample(list(candidates), len(candidates))

    def _inject_delay(self, candidate: Candidate, session: OpenSession) -> None:
        delay = self._delays.get(candidate.key)
        if delay is not None:
            session.ask(InjectDelay(delay.turns, delay.every))


def repeat_rows(columns: Columns, count: int) -> Columns:
    """The first `count` rows, starting over where there are fewer."""
    return {name: column[np.arange(count) % len(column)] for name, column in columns.items()}


def fits_one_worker(candidates: Sequence[Candidate]) -> bool:
    """Whether one worker can hold them all, side by side: the same engine, options, modules and interpreter."""
    kinds = {
        (e.engine.name, tuple(sorted(e.options.items())), tuple(e.engine.lean(e.artefact, e.options)), e.interpreter)
        for e in candidates
    }
    return len(kinds) == 1 and all(e.spec.target is None and e.model.family != "callable" for e in candidates)
