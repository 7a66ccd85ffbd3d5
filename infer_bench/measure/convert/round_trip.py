"""A converted file, run in ONNX Runtime and compared with the original in the original's own library."""

from collections.abc import Mapping

from infer_bench.engines import registry
from infer_bench.engines.base import check_options
from infer_bench.errors import NotConvertible
from infer_bench.libraries import of_family
from infer_bench.measure.candidates.jobs import build_engine_job
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.predict_table import PredictTable


class TablePredictor:
    """One artefact in a worker of its own, asked for whole tables."""

    def __init__(self, engine: str, model: ModelRef, options: Mapping[str, str], allow_pickle: bool) -> None:
        adapter = registry.get(engine)
        complete = check_options(adapter, {key: v for key, v in options.items() if key in adapter.options})
        self.worker = Worker(build_engine_job(engine, model, complete, allow_pickle=allow_pickle))
        try:
            self.spec: ModelSpec = self.worker.open().spec
        except BaseException:
            self.worker.kill()
            raise

    def predict(self, columns: Columns) -> Predictions:
        """The predictions for all rows as one request."""
        table = self.worker.ask(PredictTable(columns))
        labels = None if table.labels is None else Labels.of(table.labels)
        return Predictions(table.predictions, table.refusals, labels)

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


def original_predictor(model: ModelRef, trees: str, allow_pickle: bool) -> TablePredictor:
    """The model in its own library, fed arrays, or tables where columns may hold text or be chosen by name.

    Raises `NotConvertible` for a family without an engine.
    """
    library = of_family(model.family)
    if library is None or not library.converts:
        raise NotConvertible(f"a {model.family} model has nothing to be checked against here", "see convert --list")
    return TablePredictor(library.engine, model, {"feed": library.feed, "trees": trees}, allow_pickle)
