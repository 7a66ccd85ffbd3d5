"""Predictions of the reference under changes: from its trees, or from the reference itself fed other rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import InferBenchError
from infer_bench.measure.validate.causes.counterfactual import MISSING, PREPARED, UNSTORED, Counterfactual
from infer_bench.measure.validate.causes.faults import on_predictions, on_trees
from infer_bench.measure.validate.causes.row_changes import on_rows
from infer_bench.measure.validate.causes.tree_counts import other_trees
from infer_bench.model import Feature
from infer_bench.stats.agreement.probability_pair import to_width
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.evaluate import predict
from infer_bench.typing import Array, Bools, Floats, Indices
from infer_bench.workers.tasks.pipeline_steps import StepOutputs
from infer_bench.workers.tasks.read_trees import ModelTrees

Predict = Callable[[Table], Floats]
STEPS_IN_FLOAT32 = Counterfactual(PREPARED, "the steps before the model work in float32", float32_steps=True)
DENSE_STEPS = Counterfactual(
    UNSTORED, "zeros that a sparse step does not store, missing to the model, are read as 0", dense_steps=True
)


@dataclass(frozen=True, slots=True)
class LastStep:
    """A pipeline's last step: what reads its trees, and what makes the matrices of a `ReferenceLastStep`."""

    read_trees: Callable[[], ModelTrees | None]
    prepare: Callable[[Table], StepOutputs]


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceAccess:
    """How the reference can be looked into; what cannot be done is None.

    `ensemble` are its trees, `other_reading` is the model with other trees in use where early stopping leaves a choice,
    `predict` asks the model itself, `predict_in_float32` with its steps in float32; `last_step` is looked into where
    nothing else explains the rows. `integer_columns` are those that the other model takes as integers. At
    `until_ns` of the monotonic clock the search ends; None: where it has tried everything.
    """

    ensemble: Ensemble | None = None
    predict: Predict | None = None
    predict_in_float32: Predict | None = None
    last_step: LastStep | None = None
    other_reading: Ensemble | None = None
    integer_columns: frozenset[str] = frozenset()
    until_ns: int | None = None

    def with_outputs(self, outputs: int) -> "ReferenceAccess":
        """With predictions of that many outputs, as they were compared: of two class probabilities the second."""
        return replace(
            self,
            predict=_with_outputs(self.predict, outputs),
            predict_in_float32=_with_outputs(self.predict_in_float32, outputs),
        )

    def float32_steps_on(self, table: Table) -> Predict | None:
        """`predict_in_float32` where the reference has steps that can work in float32 on these rows."""
        try:
            works = self.predict_in_float32 and len(self.predict_in_float32(table)) == table.rows
        except InferBenchError:
            return None
        return self.predict_in_float32 if works else None


def _with_outputs(predict: Predict | None, outputs: int) -> Predict | None:
    return None if predict is None else lambda table: to_width(predict(table), outputs)


class Reference(Protocol):
    """Predicts the rows under changes."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that changes of rows see."""

    @property
    def catalogue(self) -> list[Counterfactual]:
        """The changes that can be applied."""

    def predictions(self, changes: Sequence[Counterfactual], rows: Indices) -> Floats:
        """The canonical predictions (rows, outputs) for some of the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceTrees:
    """A model whose trees are known; `matrix` are its rows, float64 (rows, features), categories as codes.

    `other_reading` is the model with other trees in use where early stopping leaves a choice; `whole` are the places of
    the columns that the other model takes as integers.
    """

    ensemble: Ensemble
    matrix: Floats
    other_reading: Ensemble | None = None
    whole: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(feature.name for feature in self.ensemble.features)

    @property
    def catalogue(self) -> list[Counterfactual]:
        """Everything that can be changed."""
        return [*on_rows(self.names, self.whole), *self.on_trees()]

    def on_trees(self) -> list[Counterfactual]:
        """What can be changed in the trees."""
        others = [other_trees(self.ensemble, self.other_reading)] if self.other_reading is not None else []
        return [*others, *on_trees(self.ensemble, self.matrix)]

    def predictions(self, changes: Sequence[Counterfactual], rows: Indices) -> Floats:
        """The canonical predictions (rows, outputs) for some of the rows."""
        with np.errstate(all="ignore"):
            predictions = predict(self.with_changes(changes), self.rows_with_changes(changes, rows))
            predictions = change_predictions(predictions, changes)
        return canonical(self.ensemble, predictions)

    def with_changes(self, changes: Sequence[Counterfactual]) -> Ensemble:
        """The trees with the changes applied."""
        ensemble = self.ensemble
        for change in changes:
            ensemble = change.trees(ensemble) if change.trees else ensemble
        return ensemble

    def rows_with_changes(self, changes: Sequence[Counterfactual], rows: Indices) -> Floats:
        """The rows with the changes applied."""
        return change_rows(self.matrix[rows], changes)


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceLastStep(ReferenceTrees):
    """A pipeline whose last step's trees are known; `matrix` is what that step is handed, `single` in float32.

    The elements `unstored` are not in the sparse matrix that it is handed, and missing to it.
    """

    single: Floats = field(kw_only=True)
    unstored: Bools = field(kw_only=True)

    @property
    def catalogue(self) -> list[Counterfactual]:
        """What can be changed in the last step, and the steps before it in float32 or without sparse matrices."""
        rows = [change for change in on_rows(self.names) if change.cause == MISSING]
        dense = [DENSE_STEPS] if self.unstored.any() else []
        return [*dense, STEPS_IN_FLOAT32, *rows, *self.on_trees()]

    def rows_with_changes(self, changes: Sequence[Counterfactual], rows: Indices) -> Floats:
        """The rows with the changes applied."""
        matrix = (self.single if any(change.float32_steps for change in changes) else self.matrix)[rows]
        if not any(change.dense_steps for change in changes):
            matrix = np.where(self.unstored[rows], np.nan, matrix)
        return change_rows(matrix, changes)


@dataclass(slots=True, eq=False)
class ReferenceEngine:
    """A model that can only be asked: `predict` predicts a table of its columns, `single` with its steps in float32.

    `integer_columns` are those that the other model takes as integers.
    """

    table: Table
    predict: Predict
    single: Predict | None = None
    integer_columns: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that hold numbers."""
        return tuple(name for name, column in self.table.columns.items() if column.dtype.kind == "f")

    @property
    def catalogue(self) -> list[Counterfactual]:
        """What can be done to rows and to predictions."""
        steps = [STEPS_IN_FLOAT32] if self.single is not None else []
        return on_rows(self.names, places_of(self.integer_columns, self.names)) + on_predictions() + steps

    def predictions(self, changes: Sequence[Counterfactual], rows: Indices) -> Floats:
        """The canonical predictions (rows, outputs) for some of the rows."""
        table = self.table.take(rows)
        names = self.names
        if names and any(change.rows for change in changes):
            matrix = np.stack([table.columns[name].astype(np.float64) for name in names], axis=1)
            matrix = change_rows(matrix, changes)
            table = Table({**table.columns, **{name: matrix[:, i] for i, name in enumerate(names)}})
        single = self.single if any(change.float32_steps for change in changes) else None
        return change_predictions((single or self.predict)(table), changes)


def places_of(columns: frozenset[str], names: Sequence[str]) -> tuple[int, ...]:
    """The places among `names` of those that are among `columns`."""
    return tuple(i for i, name in enumerate(names) if name in columns)


def change_rows(matrix: Floats, changes: Sequence[Counterfactual]) -> Floats:
    """Rows (rows, features) as they are fed under the changes."""
    for change in changes:
        matrix = change.rows(matrix) if change.rows else matrix
    return matrix


def change_predictions(predictions: Floats, changes: Sequence[Counterfactual]) -> Floats:
    """Predictions (rows, outputs) as they are handed on under the changes."""
    for change in changes:
        predictions = change.predictions(predictions) if change.predictions else predictions
    return predictions


def canonical(ensemble: Ensemble, predictions: Floats) -> Floats:
    """One column for a binary model."""
    return predictions[:, 1:] if ensemble.task == "binary" and predictions.shape[1] == 2 else predictions


def matrix_of(table: Table, features: Sequence[Feature]) -> Floats:
    """A table as the matrix of numbers that trees compare: float64 (rows, features), categories as codes."""
    matrix = np.empty((table.rows, len(features)))
    for i, (feature, column) in enumerate(zip(features, table.columns.values(), strict=True)):
        matrix[:, i] = _codes(column, feature) if feature.categories else _numbers(column)
    return matrix


def _codes(column: Array, feature: Feature) -> Floats:
    codes = {value: float(code) for code, value in enumerate(feature.categories)}
    return np.array([codes.get(value, np.nan) for value in column.tolist()], dtype=np.float64)


def _numbers(column: Array) -> Floats:
    if column.dtype != object:
        return column.astype(np.float64)
    return np.array([np.nan if value is None else float(value) for value in column.tolist()], dtype=np.float64)
