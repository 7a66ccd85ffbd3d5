"""Who is compared: the reference and each candidate, opened from what the command line names."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infer_bench.data import Dataset
from infer_bench.errors import CannotRun, DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import Candidate, choose_candidates, usual_candidate
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.convert.run import cached_onnx
from infer_bench.measure.validate.fan_out import AHEAD, Saved
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.workers.shared import shared_tables

_PREDICTIONS = ("prediction", "predictions", "score", "scores", "probability", "output", "y_pred", "pred")


def chosen(models: Sequence[str], engines: Sequence[str], settings: ValidateSettings, least: int) -> list[Candidate]:
    """An entrant for each side, the reference first; at least `least` of them.

    One engine opens every model; as many as models, each its own; several with one model, that model several times.
    Raises `UsageError` for any other number.
    """
    pairs = _paired(list(models), list(engines))
    if len(pairs) < least:
        raise UsageError("a candidate is missing", "infer-bench validate REFERENCE CANDIDATE, or two engines with -e")
    return [_candidate(model, engine, settings) for model, engine in pairs]


def _paired(models: list[str], engines: list[str]) -> list[tuple[str, str | None]]:
    if not engines:
        return [(model, None) for model in models]
    if len(models) == 1:
        return [(models[0], engine) for engine in engines]
    if len(engines) == 1:
        return [(model, engines[0]) for model in models]
    if len(engines) != len(models):
        raise UsageError(f"{len(engines)} engines for {len(models)} models", "give one for all, one for each, or none")
    return list(zip(models, engines, strict=True))


def _candidate(model: str, engine: str | None, settings: ValidateSettings) -> Candidate:
    ref = identify_model(model, allow_pickle=settings.allow_pickle)
    text = engine or usual_candidate(ref)
    found, _ = choose_candidates([ref], [text], lambda m: cached_onnx(m, settings.allow_pickle), settings.threads)
    return found[0]


@contextlib.contextmanager
def opened(
    chosen: Sequence[Candidate], settings: ValidateSettings
) -> Iterator[tuple[list[Predictor | None], list[InferBenchError | None]]]:
    """A worker for each, started at the same time; in the place of one that could not be opened stands its error."""
    started: list[Predictor] = []
    shared = shared_tables(AHEAD)
    try:
        started += [Predictor(candidate, settings, shared) for candidate in chosen]
        with ThreadPoolExecutor(max_workers=len(chosen)) as pool:
            failed = list(pool.map(_open, started))
        yield [None if error else side for side, error in zip(started, failed, strict=True)], failed
    finally:
        for side in started:
            side.close()
        for block in shared:
            block.close()


def _open(side: Predictor) -> InferBenchError | None:
    try:
        side.open()
    except InferBenchError as error:
        return error
    return None


def is_predictions(path: str) -> bool:
    """Whether a path (or `path:column`) names saved predictions and no model: an npy array, parquet or csv."""
    file = _file(path)[0]
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        head = stream.read(8)
    return head.startswith((b"PAR1", b"\x93NUMPY")) or file.suffix.lower() == ".csv"


def saved(path: str) -> Saved:
    """Predictions in a file: all columns of an array, the column that `path:column` names, or the only likely one.

    Raises `DataError` when there is none, or a value is no number.
    """
    file, column = _file(path)
    table = Dataset.open(file)
    names = [column] if column else _likely(table.columns, file.name)
    if column and column not in table.columns:
        raise DataError(f"{file.name} has no column {column!r}", f"it has: {', '.join(table.columns[:8])}")
    parts = [
        np.stack([_numeric(batch.columns[name], name) for name in names], axis=1)
        for batch in table.batches(65_536, names)
    ]
    return Saved(file.name, np.concatenate(parts))


def _file(path: str) -> tuple[Path, str]:
    if Path(path).exists():
        return Path(path), ""
    head, _, column = path.rpartition(":")
    return (Path(head), column) if head and Path(head).is_file() else (Path(path), "")


def _likely(columns: Sequence[str], name: str) -> list[str]:
    if len(columns) == 1 or all(column.startswith("f") and column[1:].isdigit() for column in columns):
        return list(columns)
    found = [column for column in columns if column.lower() in _PREDICTIONS]
    if len(found) != 1:
        raise DataError(f"which column of {name} holds the predictions?", f"write {name}:{columns[0]}, or another")
    return found


def _numeric(values: npt.NDArray[np.generic], name: str) -> npt.NDArray[np.float64]:
    if values.dtype.kind not in "fiub":
        raise CannotRun(f"the predictions in column {name!r} are no numbers")
    return values.astype(np.float64)
