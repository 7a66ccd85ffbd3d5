"""Whether a candidate remembers its answers, looked at when all else was timed."""

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.schedule.layouts import OpenSession
from infer_bench.workers.timing.requests import ChangedRowTimes, TimeChangedRows

REQUESTS = 21
LIMIT_NS = 300_000_000
ENGINES = ("callable", "http")
"""What nobody knows from within; a library's models remember nothing of rows that are handed over anew."""


def measure_changed_rows(candidate: Candidate, session: OpenSession) -> ChangedRowTimes | None:
    """Requests that were answered before, beside such as nobody asked; None of models, and where it is refused."""
    if candidate.engine.name not in ENGINES:
        return None
    try:
        return session.ask(TimeChangedRows(REQUESTS, LIMIT_NS))
    except InferBenchError:
        return None
