"""Layouts of forked processes: a template imports the libraries once, and each session is loaded in a fork of it."""

import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.schedule.fresh_processes import FreshProcesses
from infer_bench.measure.schedule.layouts import Announce, InjectedDelay, Layout, OpenSession
from infer_bench.measure.settings import Settings
from infer_bench.typing import Columns
from infer_bench.workers.job import Job
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import LoadedModel, LoadModel
from infer_bench.workers.template.process import ForkedWorker, Template, can_fork_workers
from infer_bench.workers.template.requests import ListLibraries

MOST_TEMPLATES = 3
"""So many are tried, each without one more package that starts threads."""


class ForkedProcesses(FreshProcesses):
    """Forks a process a candidate and layout from one template, where libraries lie alike for all of them.

    The template learns from processes that are not measured which libraries they use, later also from those that are,
    and imports them for the next ones; but not those that start threads when they are imported: these are left to each
    process. `obstacle` says why processes are started afresh instead, where they are.
    """

    owns_memory = False

    def __init__(
        self, columns: Mapping[Key, Columns], settings: Settings, delays: Mapping[Key, InjectedDelay] | None = None
    ) -> None:
        super().__init__(columns, settings, delays, overlap=True)
        self.obstacle = ""
        self._job: Job | None = None
        self._template: Template | None = None
        self._modules: dict[str, None] = {}
        self._unsafe = set[str]()

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Start the template, fork a process a candidate that answers a request, and import what those did."""
        if not candidates:
            return {}
        self._job = build_job(candidates[0], self._settings)
        self._import(())
        with self.layout(0, candidates, lambda _: None) as layout:
            return layout.failures

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> Iterator[Layout]:
        """Fork the processes, and let the template import what they were the first to need."""
        with super().layout(index, candidates, announce) as layout:
            yield layout
            modules = self._list_new_modules(layout, candidates) if self._template is not None else []
        if self.obstacle:
            self.close()
        elif modules:
            self._import(modules)

    def _start(self, candidate: Candidate) -> Worker:
        if self._template is None:
            return super()._start(candidate)
        job = build_job(candidate, self._settings)
        return ForkedWorker(self._template, job, timeout_s=self._settings.timeout_s)

    def _load(self, index: int, candidate: Candidate, worker: Worker) -> LoadedModel:
        """Load it after allocations of random sizes: a fork begins with the same memory as all the others."""
        seed = random.Random(f"{self._settings.seed} {index} {candidate.key}").getrandbits(31)
        return worker.ask(LoadModel(worker.job, seed))

    def _list_new_modules(self, layout: Layout, candidates: Sequence[Candidate]) -> list[str]:
        """Those that the template has not imported yet."""
        modules: dict[str, None] = {}
        for candidate in candidates:
            session = layout.sessions.get(candidate.key)
            if session is not None:
                modules |= dict.fromkeys(self._list_modules(candidate, session))
        return [name for name in modules if name not in self._modules]

    def _list_modules(self, candidate: Candidate, session: OpenSession) -> Sequence[str]:
        """The libraries' modules in a process; none where it cannot tell, which shows when it is measured."""
        own = _package((candidate.spec.target or candidate.model.path).partition(":")[0])
        with contextlib.suppress(InferBenchError):
            libraries = session.worker.ask(ListLibraries(own))
            if libraries.variables and self._modules:
                self.obstacle = f"{candidate.label} changes {', '.join(libraries.variables)}, which libraries may read"
            return libraries.modules
        return ()

    def _import(self, modules: Sequence[str]) -> None:
        """Have the template import modules; a new one without the package that started a thread, if one did."""
        self._modules |= dict.fromkeys(modules)
        for _ in range(MOST_TEMPLATES):
            names = [name for name in self._modules if _package(name) not in self._unsafe]
            if (module := self._open_template().import_libraries(names)) == "":
                return
            self.close()
            self._unsafe.add(_package(module))
        self.obstacle = f"{', '.join(sorted(self._unsafe))} start threads when they are imported"

    def _open_template(self) -> Template:
        if self._template is None:
            assert self._job is not None
            self._template = Template(self._job, timeout_s=self._settings.timeout_s)
        return self._template

    def close(self) -> None:
        """End the template."""
        if self._template is not None:
            self._template.close()
            self._template = None


def _package(module: str) -> str:
    return module.partition(".")[0]


def fit_one_template(candidates: Sequence[Candidate], settings: Settings) -> bool:
    """Whether one template can be forked for all: functions, or one engine, in one interpreter and folder.

    Of engines with libraries of their own the places of those would not cancel in a ratio.
    """
    jobs = [build_job(candidate, settings) for candidate in candidates]
    kinds = {
        (job.engine, job.interpreter, job.folder, job.lean, tuple(sorted(job.environment.items()))) for job in jobs
    }
    return len(kinds) == 1 and can_fork_workers()
