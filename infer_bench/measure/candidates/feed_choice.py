"""A candidate that names no feed is fed in a way that works: as its engine does by default, else as is usual."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from infer_bench.errors import EngineError, MissingDependency
from infer_bench.libraries import of_engine
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.settings import Settings
from infer_bench.report.common import Notice
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import SetRows
from infer_bench.workers.timing.requests import TimeFirstRequest

_TITLES = {"dataframe": "a DataFrame", "ndarray": "arrays"}


def list_variants(candidate: Candidate) -> list[Candidate]:
    """The candidate, and the same with its library's usual feed where it names none and has another by default."""
    library = of_engine(candidate.engine.name)
    usual = library.feed if library is not None else ""
    if "feed" in candidate.spec.options or not usual or candidate.options.get("feed", usual) == usual:
        return [candidate]
    return [candidate, replace(candidate, options={**candidate.options, "feed": usual})]


def choose_feeds(
    candidates: Sequence[Candidate], columns: Mapping[Key, Columns], settings: Settings
) -> tuple[list[Candidate], list[Notice]]:
    """The candidates with a feed that their model takes, and a notice on each that has not its default one.

    Only those are tried, on one request of their `columns`, that name no feed and have more than one in question. One
    that no feed suits stays as it is.
    """
    chosen, notices = [], []
    for candidate in candidates:
        variants = list_variants(candidate) if candidate.key in columns else [candidate]
        error = _try(variants[0], columns[candidate.key], settings) if len(variants) > 1 else None
        if error is None or _try(variants[1], columns[candidate.key], settings) is not None:
            chosen.append(candidate)
            continue
        chosen.append(variants[1])
        notices.append(_note(variants[1], error))
    return chosen, notices


def _try(candidate: Candidate, columns: Columns, settings: Settings) -> EngineError | None:
    """What the library says against one request; None where it answers, or where the feed is not the reason."""
    try:
        with Worker(build_job(candidate, settings), timeout_s=settings.timeout_s) as worker:
            worker.open()
            worker.ask(SetRows({name: column[:1] for name, column in columns.items()}))
            worker.ask(TimeFirstRequest(1))
    except MissingDependency:
        return None
    except EngineError as error:
        return error
    return None


def _note(candidate: Candidate, error: EngineError) -> Notice:
    feed = candidate.options["feed"]
    text = f"{candidate.label} is fed {_TITLES.get(feed, feed)}: {error.message}"
    return Notice("feed-chosen", text, f"-e {candidate.spec.engine}:feed={feed} says so", None, candidate.model.path)
