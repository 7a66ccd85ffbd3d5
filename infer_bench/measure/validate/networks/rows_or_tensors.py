"""What is compared on, before the models say whether they take rows of a table or tensors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench.data import Dataset
from infer_bench.data.tensors.files import holds_tensors, load_arrays
from infer_bench.errors import DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.request_file import RequestFile, open_data
from infer_bench.measure.validate.networks.opening import is_saved_outputs
from infer_bench.measure.validate.saved_predictions import SavedPredictions, load_predictions
from infer_bench.measure.validate.settings import ValidateSettings


@dataclass(frozen=True, slots=True, eq=False)
class RowsOrTensors:
    """The user's `file` of requests and the predictions at the path `saved`, where they can be read as those of rows.

    `error` is what kept them from it where they may be outputs of a network instead.
    """

    saved: str | None
    file: RequestFile | None
    predictions: SavedPredictions | None
    error: InferBenchError | None = None

    @classmethod
    def open(cls, saved: str | None, data: str | None) -> "RowsOrTensors":
        """Raises `DataError` for files that hold neither rows nor tensors."""
        try:
            predictions, error = None if saved is None else load_predictions(saved), None
        except InferBenchError as obstacle:
            if not is_saved_outputs(str(saved)):
                raise
            predictions, error = None, obstacle
        return cls(saved, open_data(data), predictions, error)

    def check(self, settings: ValidateSettings) -> None:
        """Raise what stands in the way of comparing, whatever the models."""
        if self.file is None and self.saved is not None:
            raise UsageError("saved predictions need the rows that they belong to", "give --data ROWS")
        if self.file is None and settings.shard is not None:
            raise UsageError("a shard is of the user's rows", "give --data ROWS")
        if self.file is None and settings.probes == "off":
            raise UsageError("there is nothing to compare on", "give --data, or leave out --probes off")
        if self.file is not None and not holds_tensors(Path(self.file.path)):
            _check_count(self.predictions, self.file.rows)

    def require(self, settings: ValidateSettings) -> tuple[SavedPredictions | None, Dataset | None]:
        """Both, for models that take rows; whole files are hashed from now on. Raises `DataError` for what is none."""
        predictions = self.predictions if self.error is None else self._flatten_saved(self.error)
        dataset = None if self.file is None else self.file.rows
        _check_count(predictions, dataset)
        if dataset is not None and settings.part is None:
            dataset.digest.start()
        return predictions, dataset

    def _flatten_saved(self, error: InferBenchError) -> SavedPredictions:
        """The only array, of more than two axes, as (rows, outputs). Raises `error` for any other."""
        path = Path(str(self.saved))
        content = None if path.is_dir() else load_arrays(path)
        arrays = list(content.values()) if isinstance(content, dict) else [content]
        array = arrays[0]
        if len(arrays) != 1 or array is None or array.ndim < 3 or array.dtype.kind not in "fiub":
            raise error
        return SavedPredictions(path.name, array.reshape(len(array), -1).astype(np.float64))


def _check_count(predictions: SavedPredictions | None, rows: Dataset | None) -> None:
    if predictions is not None and rows is not None and len(predictions.values) != rows.rows:
        raise DataError(f"{predictions.name} holds {len(predictions.values):,} predictions for {rows.rows:,} rows")
