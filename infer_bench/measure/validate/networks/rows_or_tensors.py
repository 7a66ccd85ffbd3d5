"""What is compared on, before the models say whether they take rows of a table or tensors."""

from dataclasses import dataclass
from pathlib import Path

from infer_bench.data import Dataset
from infer_bench.data.tensors.files import holds_tensors
from infer_bench.errors import DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.rows import open_rows
from infer_bench.measure.validate.saved_predictions import SavedPredictions, load_predictions
from infer_bench.measure.validate.settings import ValidateSettings


@dataclass(frozen=True, slots=True, eq=False)
class RowsOrTensors:
    """The user's rows and the predictions saved for them, where they can be read as such.

    `error` is what kept files from it that may hold tensors instead; `data` and `saved` are their paths.
    """

    saved: str | None
    data: str | None
    predictions: SavedPredictions | None
    dataset: Dataset | None
    error: InferBenchError | None = None

    @classmethod
    def open(cls, saved: str | None, data: str | None) -> "RowsOrTensors":
        """Raises `DataError` for files that hold neither rows nor tensors."""
        try:
            predictions = None if saved is None else load_predictions(saved)
            return cls(saved, data, predictions, open_rows(data))
        except InferBenchError as error:
            if not any(path is not None and holds_tensors(Path(path)) for path in (saved, data)):
                raise
            return cls(saved, data, None, None, error)

    def check(self, settings: ValidateSettings) -> None:
        """Raise what stands in the way of comparing, whatever the models; and begin to hash the rows."""
        if self.data is None and self.saved is not None:
            raise UsageError("saved predictions need the rows that they belong to", "give --data ROWS")
        if self.data is None and settings.shard is not None:
            raise UsageError("a shard is of the user's rows", "give --data ROWS")
        if self.data is None and settings.probes == "off":
            raise UsageError("there is nothing to compare on", "give --data, or leave out --probes off")
        if self.dataset is not None and settings.part is None:
            self.dataset.digest.start()

    def require(self) -> tuple[SavedPredictions | None, Dataset | None]:
        """Both, for models that take rows. Raises `DataError` where they are none, or not as many."""
        if self.error is not None:
            raise self.error
        predictions, dataset = self.predictions, self.dataset
        if predictions is not None and dataset is not None and len(predictions.values) != dataset.rows:
            count = f"{len(predictions.values):,} predictions for {dataset.rows:,} rows"
            raise DataError(f"{predictions.name} holds {count}")
        return predictions, dataset
