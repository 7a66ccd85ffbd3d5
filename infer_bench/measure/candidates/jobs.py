"""What the worker of a candidate is told to be."""

from infer_bench.machine.environment import thread_environment
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.settings import Settings
from infer_bench.workers.job import Job


def build_job(candidate: Candidate, settings: Settings) -> Job:
    """The worker that `candidate` needs."""
    threads = int(candidate.options.get("threads", settings.threads))
    return Job(
        engine=candidate.target,
        model=candidate.artefact,
        options=candidate.options,
        allow_pickle=settings.allow_pickle,
        lean=tuple(candidate.engine.lean(candidate.artefact, candidate.options)),
        environment=thread_environment(threads),
        affinity=settings.affinity,
        interpreter=candidate.interpreter,
        **({"folder": candidate.folder} if candidate.folder else {}),
    )
