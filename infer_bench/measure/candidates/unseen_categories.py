"""A notice where all that a column holds is new to a model that keeps only hashes of its categories."""

from collections.abc import Sequence
from pathlib import Path

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.report.common import Notice
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.unseen_categories import FindUnseenColumns

_FIRST_ROWS = 64
_MOST_NAMES = 3


def find_unseen(
    candidates: Sequence[Candidate], spec: ModelSpec, columns: Columns, settings: Settings, *, drawn: bool
) -> tuple[Notice, ...]:
    """The notice, asked of a worker where the model has such columns; none where it cannot be opened here."""
    if not any(feature.hashed for feature in spec.features) or not columns:
        return ()
    first = {name: column[:_FIRST_ROWS] for name, column in columns.items()}
    candidate = candidates[0]
    try:
        with Worker(build_job(candidate, settings), timeout_s=settings.timeout_s) as worker:
            worker.open()
            names = worker.ask(FindUnseenColumns(first)).names
    except InferBenchError:  # said where the candidate is measured
        return ()
    return (_notice(Path(candidate.model.path).name, names, drawn=drawn),) if names else ()


def _notice(model: str, names: Sequence[str], *, drawn: bool) -> Notice:
    listing = ", ".join(map(repr, names[:_MOST_NAMES])) + (", …" if len(names) > _MOST_NAMES else "")
    if drawn:
        text = f"{model}: the categories drawn for {listing} are new to it, and it answers for them as for any other"
        return Notice("unseen-categories", text, "give rows with --data", level="note")
    text = f"{model} has never seen any of the categories in {listing}, and answers for all of them alike"
    return Notice("unseen-categories", text, "01, 1.0 and True are other categories as text than as numbers")
