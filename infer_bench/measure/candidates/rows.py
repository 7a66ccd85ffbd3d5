"""The rows that every candidate answers: the user's, or drawn from the model itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from infer_bench import data
from infer_bench.data.labels import read_labels
from infer_bench.data.tensors.stacking import MOST_BYTES, take_first
from infer_bench.errors import CannotRun, DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import (
    SERVICE,
    Candidate,
    order_by_start,
    plan_candidates,
    usual_candidate,
)
from infer_bench.measure.candidates.column_mapping import NO_ORDER, ColumnOrder, note_match
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.candidates.feed_choice import list_variants
from infer_bench.measure.candidates.request_file import RequestFile
from infer_bench.measure.candidates.request_ranks import settle_ranks
from infer_bench.measure.candidates.unseen_categories import find_unseen
from infer_bench.measure.settings import DEFAULT_ROWS, Settings
from infer_bench.model import ModelRef, ModelSpec, TensorInput
from infer_bench.report.common import DrawnInput, Notice
from infer_bench.request_choices import RequestChoices
from infer_bench.typing import Array, Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import ReadDomain
from infer_bench.workers.tasks.draw_requests import DrawnRequests, DrawRequests

DRAWN = "drawn from the model"
"""The source of rows of which the user gave none."""
_MOST_SHAPES = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one model: `columns` are the model's own, `records` all that the user's file holds.

    `source` says where they are from, in words for the reader. Models of which `drawn_for`, a path, is the same answer
    the same rows; it is empty for those of a file. `inputs` say how the requests of a network were drawn. `unlike` are
    the sizes of requests that are others than those of the networks beside it; empty where they are the same.
    """

    columns: Columns
    records: Columns
    source: str
    spec: ModelSpec
    notices: tuple[Notice, ...] = ()
    drawn_for: str = ""
    inputs: tuple[DrawnInput, ...] = ()
    requests: int = 0
    unlike: str = ""


@dataclass(frozen=True, slots=True)
class RequestDomain:
    """What a model eats. Where rows are to be drawn: the thresholds of its features, or the requests of a network."""

    spec: ModelSpec
    thresholds: Mapping[str, Sequence[float]] = field(default_factory=dict)
    requests: DrawnRequests | None = None


def count_rows(settings: Settings) -> int:
    """How many rows are cycled: 1,024, or as many as the largest batch takes, or one."""
    if settings.rows_mode == "same":
        return 1
    return max(DEFAULT_ROWS, *settings.batches)


def open_labels(path: str | None, file: RequestFile | None) -> Array | None:
    """The true classes of the file's rows, None without them. Raises `DataError`, `UsageError` without rows.

    How many requests a file of arrays holds is known with the model: see `check_labels`.
    """
    if path is None:
        return None
    if file is None:
        raise UsageError("--labels are the classes of rows", "give the rows with --data")
    return read_labels(path, file.rows.rows if file.has_rows else None)


def check_labels(truth: Array | None, rows: Mapping[str, Rows]) -> None:
    """Raise `DataError` where the classes are not as many as a network's requests."""
    for part in rows.values():
        if truth is not None and part.requests and len(truth) != part.requests:
            raise DataError(
                f"there are {len(truth):,} labels for {part.requests:,} requests", "one label for each request"
            )


def load_rows(
    candidates: Sequence[Candidate],
    source: RequestFile | None,
    settings: Settings,
    order: ColumnOrder = NO_ORDER,
    openings: EarlyOpenings | None = None,
) -> Rows:
    """The rows for one model, whose candidates are `candidates`: of the file, or drawn from the model.

    `order` says in which order a file's columns belong to a model that does not name them. A worker is started that
    only tells what the model eats; it is none of those that are measured, unless `openings` keep it. Raises what the
    first candidate's worker raised when none of them could open the model.
    """
    domain = describe_domain(candidates, settings, draws=source is None, openings=openings)
    if source is None:
        return note_unseen(draw_rows(domain, candidates[0].model.path, settings), candidates, settings)
    return read_rows_for(candidates, domain.spec, source, settings, order)


def read_rows_for(
    candidates: Sequence[Candidate],
    spec: ModelSpec,
    source: RequestFile,
    settings: Settings,
    order: ColumnOrder = NO_ORDER,
    beside: Sequence[ModelSpec] = (),
) -> Rows:
    """The first rows of a file for one model, of which the `spec` is known, and its candidates; see `read_rows`."""
    whole = any(candidate.spec.target for candidate in candidates)
    return note_unseen(read_rows(spec, source, settings, order, whole=whole, beside=beside), candidates, settings)


def note_unseen(rows: Rows, candidates: Sequence[Candidate], settings: Settings) -> Rows:
    """The rows, with a notice where they hold only categories that the model has never seen."""
    notices = find_unseen(candidates, rows.spec, rows.columns, settings, drawn=bool(rows.drawn_for))
    return replace(rows, notices=(*rows.notices, *notices)) if notices else rows


def describe_domain(
    candidates: Sequence[Candidate], settings: Settings, *, draws: bool, openings: EarlyOpenings | None = None
) -> RequestDomain:
    """What one model eats, asked of the candidate that starts soonest; its thresholds where rows are drawn.

    `openings` may have one open already, and may keep it. Raises what the first candidate's worker raised when none of
    them could open the model.
    """
    first: InferBenchError | None = None
    openings = openings or EarlyOpenings(settings)
    for variant in (variant for candidate in order_by_start(candidates) for variant in list_variants(candidate)):
        try:
            with openings.open(variant, draws=draws) as (worker, spec):
                if not draws:
                    return RequestDomain(spec)
                own = _draw_from_file(variant.model, spec, settings) if variant.engine.name == SERVICE else None
                return own or _read_domain(worker, spec, settings)
        except (DataError, UsageError):
            raise
        except InferBenchError as error:
            first = first or error
    raise first or CannotRun("there is no candidate")


def _draw_from_file(model: ModelRef, spec: ModelSpec, settings: Settings) -> RequestDomain | None:
    """Requests for a service of the network `spec`, drawn from the file that it is compared with.

    Only the file tells what its inputs are for. None where it cannot be opened here, or names its inputs otherwise.
    """
    if not spec.inputs or model.format in (SERVICE, "callable"):
        return None
    try:
        (plan,) = plan_candidates([model], [usual_candidate(model)], settings.threads)
        with EarlyOpenings(settings).open(plan.build(_refuse_conversion)) as (worker, own):
            rows = _read_domain(worker, own, settings)
    except InferBenchError:
        return None
    names = {tensor.name for tensor in spec.inputs}
    is_same = rows.requests is not None and rows.requests.columns.keys() <= names
    return replace(rows, spec=spec) if is_same else None


def _refuse_conversion(model: ModelRef) -> ModelRef:
    raise CannotRun(f"{model.name} is no ONNX file")


def _read_domain(worker: Worker, spec: ModelSpec, settings: Settings) -> RequestDomain:
    if spec.inputs:
        return RequestDomain(
            spec, requests=worker.ask(DrawRequests(count_rows(settings), settings.seed, settings.requests))
        )
    refuse_shapes_of_rows(spec, settings.requests)
    return RequestDomain(spec, worker.ask(ReadDomain()).thresholds if spec.features else {})


def select_columns(candidate: Candidate, rows: Rows) -> Columns:
    """What a candidate is handed: the model's columns, or to a function of the user's the whole record."""
    return rows.records if candidate.spec.target else rows.columns


def find_inputs(rows: Mapping[str, Rows]) -> tuple[TensorInput, ...]:
    """Those of the first network, whose requests a function beside it is handed; none without a network."""
    return next((part.spec.inputs for part in rows.values() if part.spec.inputs), ())


def hash_rows(rows: Iterable[Rows]) -> str:
    """The SHA-256 of everything that the candidates are handed; models that are handed the same count as one."""
    parts = [(part.columns, part.records) for part in rows]
    if len(parts) > 1:
        parts = list({data.digest(part): part for part in parts}.values())
    return data.digest(columns for part in parts for columns in part)


def read_rows(
    spec: ModelSpec,
    source: RequestFile,
    settings: Settings,
    order: ColumnOrder = NO_ORDER,
    *,
    whole: bool,
    beside: Sequence[ModelSpec] = (),
) -> Rows:
    """The first rows of a file: the model's columns and, when `whole`, all of them. Of a network, its requests.

    How many axes one has, which a network may not say, is then known of the models `beside` it.
    """
    if spec.inputs:
        inputs, choices = settle_ranks(spec.inputs, [other.inputs for other in beside], settings.requests)
        table = source.read_tensors(inputs, choices)
        rows = _take_requests(table, spec, source, settings)
        return replace(rows, notices=(*rows.notices, *source.note_single(inputs, table, choices)))
    refuse_shapes_of_rows(spec, settings.requests)
    if not spec.features and not source.has_rows:
        return _take_requests(source.read_entries(), spec, source, settings)
    file, name, count = source.rows, source.name, count_rows(settings)
    if not spec.features:
        table = file.head(count)
        return Rows(table.columns, table.columns, name, spec)
    match = data.match(file.columns, spec, named=file.named, order=order.names)
    file = file.with_texts(data.text_columns(match, spec))
    table = file.head(count, match.columns)
    records = file.head(count) if whole else table
    notices = tuple(note_match(match, file, "model", order))
    return Rows(data.conform(table, spec).columns, records.columns, name, spec, notices)


def refuse_shapes_of_rows(spec: ModelSpec, choices: RequestChoices) -> None:
    """Raise `UsageError` for choices beside a model of rows; a function takes what the network beside it does."""
    if choices and spec.features:
        raise UsageError(
            "--shape, --dim and --fill are for networks, and the model takes rows", "give rows with --data"
        )


def _take_requests(table: data.Table, spec: ModelSpec, source: RequestFile, settings: Settings) -> Rows:
    """The first requests, as many as fit into `MOST_BYTES`."""
    count = min(table.rows, count_rows(settings))
    first = take_first(table, count)
    notices: tuple[Notice, ...] = ()
    if first.rows < count:
        text = f"the first {first.rows:,} of {table.rows:,} requests take turns: they fill {MOST_BYTES >> 20} MiB"
        notices = (Notice("requests-left-out", text, level="note"),)
    return Rows(first.columns, first.columns, source.name, spec, notices, requests=table.rows)


def draw_rows(domain: RequestDomain, path: str, settings: Settings) -> Rows:
    """Rows of the features of the model at `path`, or requests of its inputs. Raises `DataError` for one without."""
    if domain.requests is not None:
        return rows_of_requests(domain.requests, domain.spec, path)
    if not domain.spec.features:
        raise DataError("there is nothing to draw rows from", "give rows with --data")
    table = data.draw(domain.spec, domain.thresholds, count_rows(settings), settings.seed)
    return Rows(table.columns, table.columns, DRAWN, domain.spec, drawn_for=path)


def rows_of_requests(requests: DrawnRequests, spec: ModelSpec, path: str) -> Rows:
    """What was drawn for the network at `path`, and what is to be said of it."""
    inputs = tuple(replace(entry, model=path) for entry in requests.inputs)
    name = Path(path).name
    notices = [Notice(remark.code, f"{name}: {remark.message}", remark.hint) for remark in requests.remarks]
    return Rows(
        requests.columns,
        requests.columns,
        DRAWN,
        spec,
        (*_note_shapes(name, inputs), *notices),
        drawn_for=path,
        inputs=inputs,
    )


def _note_shapes(name: str, inputs: Sequence[DrawnInput]) -> Iterator[Notice]:
    """Say which shapes nobody gave: what they cost to answer may not be what the user serves."""
    options = [f"{entry.name}:{'x'.join(map(str, entry.shapes[0]))}" for entry in inputs if entry.shape_is_drawn]
    if options:
        listing = ", ".join(options[:_MOST_SHAPES]) + (", …" if len(options) > _MOST_SHAPES else "")
        yield Notice("shape-drawn", f"{name}: shape drawn, not given: {listing}", f"--shape {options[0]} says another")
