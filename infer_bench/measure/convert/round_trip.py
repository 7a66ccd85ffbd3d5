"""A converted file, run in ONNX Runtime and compared with the original in the original's own library."""

from collections.abc import Mapping

import numpy as np

from infer_bench.engines import registry
from infer_bench.engines.base import check_options
from infer_bench.errors import NotConvertible
from infer_bench.libraries import of_family
from infer_bench.measure.convert.compare import Predictions
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import Array, Columns
from infer_bench.workers.job import Job
from infer_bench.workers.pool import Worker
from infer_bench.workers.protocol import spec_from


class Side:
    """One artefact in a worker of its own, asked for whole tables."""

    def __init__(self, engine: str, model: ModelRef, options: Mapping[str, str], allow_pickle: bool) -> None:
        adapter = registry.get(engine)
        complete = check_options(adapter, {key: v for key, v in options.items() if key in adapter.options})
        lean, environment = tuple(adapter.lean(model, complete)), {"OMP_NUM_THREADS": "1"}
        self.worker = Worker(Job(registry.target(engine), model, complete, allow_pickle, lean, environment))
        try:
            self.spec: ModelSpec = spec_from(self.worker.open().fields["spec"])
        except BaseException:
            self.worker.kill()
            raise

    def answer(self, columns: Columns) -> Predictions:
        """The answers to all rows as one request."""
        self.worker.rows(columns)
        reply = self.worker.ask("table")
        labels = reply.fields["labels"]
        held = None if labels is None else np.array([*labels, None], dtype=object)[:-1]
        return Predictions(reply.arrays["answers"], held, reply.arrays["refused"])

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


def original(model: ModelRef, trees: str, allow_pickle: bool) -> Side:
    """The model in its own library, fed arrays, or tables where columns may hold text or be chosen by name.

    Raises `NotConvertible` for a family without an engine.
    """
    library = of_family(model.family)
    if library is None or not library.converts:
        raise NotConvertible(f"a {model.family} model has nothing to be checked against here", "see convert --list")
    return Side(library.engine, model, {"feed": library.feed, "trees": trees}, allow_pickle)


def as_float32(columns: Columns) -> dict[str, Array]:
    """The table with its numbers rounded to what float32 can hold, still double."""
    with np.errstate(over="ignore"):
        return {
            name: column.astype(np.float32).astype(np.float64) if column.dtype.kind == "f" else column
            for name, column in columns.items()
        }
