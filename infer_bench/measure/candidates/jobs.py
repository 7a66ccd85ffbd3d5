"""The one place that says what a worker is to be: threads, modules, interpreter, folder."""

from collections.abc import Mapping
from dataclasses import replace

from infer_bench.engines import registry
from infer_bench.engines.base import Engine
from infer_bench.machine.environment import thread_environment
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.workers.job import Job


def build_job(candidate: Candidate, settings: Settings) -> Job:
    """The worker that times `candidate`: with the run's affinity, in the candidate's own interpreter and folder."""
    job = build_opening_job(candidate, threads=settings.threads, allow_pickle=settings.allow_pickle)
    folder = candidate.folder or job.folder
    return replace(job, affinity=settings.affinity, interpreter=candidate.interpreter, folder=folder)


def build_opening_job(candidate: Candidate, *, threads: int, allow_pickle: bool) -> Job:
    """The worker that opens `candidate` in this environment, on all CPUs; `threads` where its options name none."""
    threads = int(candidate.options.get("threads", threads))
    return _build(candidate.target, candidate.engine, candidate.artefact, candidate.options, threads, allow_pickle)


def build_engine_job(engine: str, model: ModelRef, options: Mapping[str, str], *, allow_pickle: bool = False) -> Job:
    """The worker that opens `model` in the engine of that name, on one thread; `options` are complete and checked."""
    return _build(registry.target(engine), registry.get(engine), model, options, 1, allow_pickle)


def build_task_job(model: ModelRef) -> Job:
    """The worker that opens nothing: it converts `model`, or reads its trees."""
    return Job("", model, environment=thread_environment(1))


def _build(
    target: str, engine: Engine, model: ModelRef, options: Mapping[str, str], threads: int, allow_pickle: bool
) -> Job:
    lean = tuple(engine.lean(model, options))
    return Job(target, model, options, allow_pickle, lean, thread_environment(threads))
