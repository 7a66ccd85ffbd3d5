"""Answers to "what would the reference say if …": from its trees, or from the reference itself fed other rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from infer_bench.data import Table
from infer_bench.measure.validate.causes.counterfactual import MISSING, PREPARED, Counterfactual
from infer_bench.measure.validate.causes.counterfactuals import on_predictions, on_rows, on_trees
from infer_bench.model import Feature
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.evaluate import predict
from infer_bench.typing import Floats


class Oracle(Protocol):
    """Answers the rows under twists."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that twists of rows see."""

    @property
    def catalogue(self) -> list[Counterfactual]:
        """The twists that can be applied."""

    def predictions(self, changes: Sequence[Counterfactual], rows: npt.NDArray[np.intp]) -> Floats:
        """The canonical answers (rows, outputs) to some of the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeOracle:
    """A model whose trees are known; `matrix` are its rows, float64 (rows, features), categories as codes."""

    ensemble: Ensemble
    matrix: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(feature.name for feature in self.ensemble.features)

    @property
    def catalogue(self) -> list[Counterfactual]:
        """Everything that can be changed."""
        return on_rows(self.names) + on_trees(self.ensemble, self.matrix)

    def predictions(self, changes: Sequence[Counterfactual], rows: npt.NDArray[np.intp]) -> Floats:
        """The canonical answers (rows, outputs) to some of the rows."""
        ensemble = self.twisted(changes)
        with np.errstate(all="ignore"):
            found = predict(ensemble, self.twisted_rows(changes, rows))
            for change in changes:
                found = change.predictions(found) if change.predictions else found
        return canonical(self.ensemble, found)

    def twisted(self, changes: Sequence[Counterfactual]) -> Ensemble:
        """The trees as the twists leave them."""
        ensemble = self.ensemble
        for change in changes:
            ensemble = change.trees(ensemble) if change.trees else ensemble
        return ensemble

    def twisted_rows(self, changes: Sequence[Counterfactual], rows: npt.NDArray[np.intp]) -> Floats:
        """The rows as the twists leave them."""
        matrix = self.matrix[rows]
        for change in changes:
            matrix = change.rows(matrix) if change.rows else matrix
        return matrix


@dataclass(frozen=True, slots=True, eq=False)
class StepsOracle(TreeOracle):
    """A pipeline whose last step's trees are known; `matrix` is what that step is handed, `single` in float32."""

    single: Floats

    @property
    def catalogue(self) -> list[Counterfactual]:
        """What can be changed in the last step, and the steps before it in float32."""
        said = "the steps before the model work in float32"
        rows = [change for change in on_rows(self.names) if change.cause == MISSING]
        return [Counterfactual(PREPARED, said, single=True), *rows, *on_trees(self.ensemble, self.matrix)]

    def twisted_rows(self, changes: Sequence[Counterfactual], rows: npt.NDArray[np.intp]) -> Floats:
        """The rows as the twists leave them."""
        matrix = (self.single if any(change.single for change in changes) else self.matrix)[rows]
        for change in changes:
            matrix = change.rows(matrix) if change.rows else matrix
        return matrix


def canonical(ensemble: Ensemble, predictions: Floats) -> Floats:
    """One column for a binary model."""
    return predictions[:, 1:] if ensemble.task == "binary" and predictions.shape[1] == 2 else predictions


@dataclass(slots=True, eq=False)
class EngineOracle:
    """A model that can only be asked: `ask` answers a table of its columns, `single` with its steps in float32."""

    table: Table
    ask: Callable[[Table], Floats]
    single: Callable[[Table], Floats] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that hold numbers."""
        return tuple(name for name, column in self.table.columns.items() if column.dtype.kind == "f")

    @property
    def catalogue(self) -> list[Counterfactual]:
        """What can be done to rows and to answers."""
        said = "the steps before the model work in float32"
        steps = [Counterfactual(PREPARED, said, single=True)] if self.single is not None else []
        return on_rows(self.names) + on_predictions() + steps

    def predictions(self, changes: Sequence[Counterfactual], rows: npt.NDArray[np.intp]) -> Floats:
        """The canonical answers (rows, outputs) to some of the rows."""
        table = self.table.take(rows)
        names = self.names
        if names and any(change.rows for change in changes):
            matrix = np.stack([table.columns[name].astype(np.float64) for name in names], axis=1)
            for change in changes:
                matrix = change.rows(matrix) if change.rows else matrix
            table = Table({**table.columns, **{name: matrix[:, i] for i, name in enumerate(names)}})
        single = self.single if any(change.single for change in changes) else None
        found = (single or self.ask)(table)
        for change in changes:
            found = change.predictions(found) if change.predictions else found
        return found


def matrix_of(table: Table, features: Sequence[Feature]) -> Floats:
    """A table as the matrix of numbers that trees compare: float64 (rows, features), categories as codes."""
    made = np.empty((table.rows, len(features)))
    for i, (feature, column) in enumerate(zip(features, table.columns.values(), strict=True)):
        made[:, i] = _codes(column, feature) if feature.categories else _numbers(column)
    return made


def _codes(column: npt.NDArray[np.generic], feature: Feature) -> Floats:
    codes = {value: float(code) for code, value in enumerate(feature.categories)}
    return np.array([codes.get(value, np.nan) for value in column.tolist()], dtype=np.float64)


def _numbers(column: npt.NDArray[np.generic]) -> Floats:
    if column.dtype != object:
        return column.astype(np.float64)
    return np.array([np.nan if value is None else float(value) for value in column.tolist()], dtype=np.float64)
