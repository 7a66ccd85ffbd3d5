"""`fleet`: the jobs of a file on all its models."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infer_bench.errors import CannotRun, OutputError
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.fleet.keys import FileHashes, list_conditions, machine_class, make_key
from infer_bench.measure.fleet.plan import FleetPlan, Task, list_tasks
from infer_bench.measure.fleet.report import report_on
from infer_bench.measure.fleet.task import Place, fail_job, find_result, refuse_changed, run_task
from infer_bench.measure.validate.partial_reports import PartialReports
from infer_bench.progress import Progress, Silent
from infer_bench.report.common import Environment
from infer_bench.report.fleet import FleetReport, FleetResult

Save = Callable[[FleetReport], None]
KeyedTask = tuple[Task, str]
RunAll = Callable[[Sequence[KeyedTask], Place], Iterable[FleetResult]]
"""Runs tasks somewhere, in any order."""


def run_here(tasks: Sequence[KeyedTask], place: Place) -> Iterator[FleetResult]:
    """One after the other, in this machine."""
    return (run_task(task, key, place) for task, key in tasks)


def run(
    plan: FleetPlan,
    *,
    run_all: RunAll = run_here,
    again: bool = False,
    progress: Progress | None = None,
    save: Save | None = None,
) -> FleetReport:
    """Every job on its models, job by job, since one may read what another has written.

    What is there already under the same key is not run, unless `again`. `save` gets what is known every few seconds.
    Raises `CannotRun` and `UsageError` for a plan that cannot be carried out, before anything is run.
    """
    return _Run(plan, again, progress or Silent(), save).run(run_all)


def _count_tasks(plan: FleetPlan) -> int:
    """How many tasks there are so far. Raises `CannotRun` for a pattern that nothing can come to match."""
    count, may_come = 0, False
    for job in plan.jobs:
        try:
            count += len(list_tasks(job, plan.folder))
        except CannotRun:
            if not may_come:
                raise
        may_come |= job.command == "convert"
    return count


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of tasks at one place."""

    place: Place
    conditions: Mapping[str, str]
    hashes: FileHashes

    def of(self, task: Task) -> str:
        """With the files as they are now."""
        machine = machine_class(self.place.environment)
        return make_key(task, self.place.folder, self.conditions, machine, self.hashes)


def make_folder(path: str) -> None:
    """Raises `OutputError` where reports cannot be kept."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OutputError(f"results cannot be kept in {path}: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise OutputError(f"results cannot be kept in {path}: it may not be written to")


@dataclass(eq=False)
class _Run:
    plan: FleetPlan
    again: bool
    progress: Progress
    save: Save | None
    hashes: FileHashes = field(default_factory=FileHashes)
    results: list[FleetResult] = field(default_factory=list)
    planned: int = 0

    def run(self, run_all: RunAll) -> FleetReport:
        plan, environment = self.plan, describe(PACKAGES)
        self.progress = PartialReports(self.progress, lambda: self._save(environment))
        place = Place(plan.folder, os.path.join(plan.folder, plan.results), environment)
        conditions = list_conditions(environment, plan.folder)
        self.planned = _count_tasks(plan)
        make_folder(place.results)
        for job in plan.jobs:
            try:
                tasks = list_tasks(job, plan.folder)  # anew: what a job before has written is there by now
            except CannotRun as error:
                self._keep(fail_job(job, str(error), environment))
                continue
            keys = _Keys(place, conditions, self.hashes)
            by_key = {keys.of(task): task for task in tasks}
            for result in run_all(self._look_up(by_key, place), place):
                is_changed = result.key in by_key and keys.of(by_key[result.key]) != result.key
                self._keep(refuse_changed(result, place) if is_changed else result)
            self._sort()
        return report_on(plan, self.results, environment, self.planned, complete=True)

    def _look_up(self, tasks: Mapping[str, Task], place: Place) -> list[KeyedTask]:
        """The tasks that are to be run, with their keys; the results of the others are there."""
        to_run = []
        for key, task in tasks.items():
            is_new = self.again or not task.is_repeatable
            result = None if is_new else find_result(task, key, place)
            if result is None:
                to_run.append((task, key))
            else:
                self._keep(result)
        return to_run

    def _keep(self, result: FleetResult) -> None:
        self.results.append(result)
        count = len(self.results)
        text = f"{count:,} of {max(count, self.planned):,}: {result.model}, {result.job}: {result.verdict.status}"
        self.progress.update(min(1.0, count / max(1, self.planned)), text)

    def _save(self, environment: Environment) -> None:
        if self.save is not None:
            self.save(report_on(self.plan, self.results, environment, self.planned, complete=False))

    def _sort(self) -> None:
        places = {job.name: place for place, job in enumerate(self.plan.jobs)}
        self.results.sort(key=lambda result: (places[result.job], result.model))
