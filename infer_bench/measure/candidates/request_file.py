"""The user's file of requests: rows of a table, or arrays by input."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench.data import Dataset, Table
from infer_bench.data.tensors.files import holds_tensors
from infer_bench.data.tensors.requests import read_entries, read_requests
from infer_bench.errors import DataError, UsageError
from infer_bench.model import TensorInput
from infer_bench.report.common import Notice
from infer_bench.request_choices import RequestChoices

NO_CHOICES = RequestChoices()


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A file whose rows can be read, or that holds arrays: which of both it is, the model says."""

    path: str
    _dataset: Dataset | None
    _error: DataError | None = None

    @property
    def name(self) -> str:
        """Without its folder."""
        return Path(self.path).name

    @property
    def rows(self) -> Dataset:
        """The file's rows. Raises `DataError` where it has none."""
        if self._dataset is None:
            raise self._error or DataError(f"{self.name} has no rows")
        return self._dataset

    @property
    def has_rows(self) -> bool:
        """Whether it can be read as the rows of a table."""
        return self._dataset is not None

    def read_entries(self) -> Table:
        """The file's requests for a function: arrays of which the first axis counts them. Raises `DataError`."""
        return read_entries(Path(self.path))

    def read_tensors(self, inputs: tuple[TensorInput, ...], choices: RequestChoices = NO_CHOICES) -> Table:
        """The file's requests of a network; of inputs without a rank each of the shape that the `choices` say.

        Raises `DataError` for arrays that do not fit its inputs, `UsageError` for choices of drawn requests.
        """
        if choices.sizes or choices.fills:
            option = "--dim" if choices.sizes else "--fill"
            raise UsageError(f"{option} is of drawn requests, and {self.name} has its own", "leave out one")
        return read_requests(Path(self.path), inputs, choices.shapes)

    def note_single(
        self, inputs: tuple[TensorInput, ...], table: Table, choices: RequestChoices = NO_CHOICES
    ) -> tuple[Notice, ...]:
        """That the file is one request, since nobody says its ranks, where it may have been meant for many."""
        free = [tensor.name for tensor in inputs if tensor.shape is None and tensor.name not in choices.shapes]
        columns = {name: table.columns[name] for name in free if name in table.columns}
        shapes = {name: np.shape(column[0]) for name, column in columns.items()}
        long = [f"{name}:{'x'.join(map(str, shape))}" for name, shape in shapes.items() if shape and shape[0] > 1]
        if table.rows > 1 or not long:
            return ()
        text = f"{self.name} is one request, as the model does not say how many axes one has: {', '.join(long[:3])}"
        name, _, sizes = long[0].partition(":")
        hint = f"--shape {name}:{'x'.join(['1', *sizes.split('x')[1:]])} beside --data tells requests apart"
        return (Notice("one-request", text, hint),)


def open_data(path: str | None) -> RequestFile | None:
    """The user's file, None without one. Raises `DataError` for one that holds neither rows nor arrays."""
    if path is None:
        return None
    try:
        return RequestFile(path, Dataset.open(path))
    except DataError as error:
        if not holds_tensors(Path(path)):
            raise
        return RequestFile(path, None, error)
