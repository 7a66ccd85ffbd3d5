"""A comparison under way: who is compared on which rows, and what is known of each candidate so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from infer_bench.data import Dataset
from infer_bench.errors import DataError, InferBenchError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.column_mapping import NO_ORDER, ColumnOrder
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.label_reading import LabelReading, choose_reading
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.measure.validate.settings import PROBABILITIES, ValidateSettings
from infer_bench.measure.validate.user_rows import UserRows
from infer_bench.model import ModelSpec
from infer_bench.stats.agreement.limits import Limits


@dataclass
class CandidateState:
    """A candidate: its predictor, its comparison with the reference by group, and the error that ended it, if any.

    `reading` says how its labels are compared where nothing else is.
    """

    predictor: Predictor
    groups: dict[str, GroupComparison] = field(default_factory=dict)
    error: InferBenchError | None = None
    explanation: Explanation = field(default_factory=Explanation)
    reading: LabelReading | None = None

    def choose_reading(self, reference: Predictor | SavedPredictions, settings: ValidateSettings) -> None:
        """How its labels are compared with the reference's; the error where they cannot be."""
        try:
            self.reading = choose_reading(reference, self.predictor, settings.threshold)
        except DataError as error:
            self.error = error


@dataclass(eq=False)
class Validation:
    """A reference, described by `spec`, and the candidates that could be opened and those that could not.

    `rows_per_s` is how many of the user's rows were compared in a second, None before they were. `float64_obstacle`
    says why a network that is the reference cannot be computed in float64. `other_outputs` are those that the reference
    and some candidate have beside the one that is read.
    """

    reference: Predictor | SavedPredictions
    spec: ModelSpec
    candidates: list[CandidateState]
    unopened: Sequence[tuple[Candidate, InferBenchError]]
    dataset: Dataset | None
    settings: ValidateSettings
    rows_per_s: float | None = None
    float64_obstacle: str = ""
    other_outputs: tuple[str, ...] = ()

    @property
    def limits(self) -> Limits:
        """When two predictions of models such as the reference count as the same."""
        return self.settings.limits(self.spec.task)

    def limits_for(self, candidate: CandidateState) -> Limits:
        """When a candidate's predictions count as the reference's."""
        return self.settings.limits(*(spec.task for spec in self.specs_of(candidate)))

    def specs_of(self, candidate: CandidateState) -> tuple[ModelSpec, ModelSpec]:
        """What the two that are compared compute, the one first that says more: that its numbers are probabilities."""
        ours, theirs = self.spec, candidate.predictor.spec
        return (theirs, ours) if theirs.task in PROBABILITIES and ours.task not in PROBABILITIES else (ours, theirs)

    @property
    def user_rows(self) -> UserRows | None:
        """The user's rows; None without a file."""
        if self.dataset is None:
            return None
        return UserRows(self.dataset, self.spec, self.settings, self._column_order())

    def _column_order(self) -> ColumnOrder:
        """The first candidate's that names its columns, where the reference does not."""
        models = (c.predictor for c in self.candidates if c.predictor.spec.features and not c.predictor.is_function)
        predictor = None if self.spec.named else next((model for model in models if model.spec.named), None)
        return NO_ORDER if predictor is None else ColumnOrder(predictor.name, predictor.spec.feature_names)

    @property
    def predictors(self) -> list[Predictor]:
        """Every model in a worker, the reference first."""
        own = [self.reference] if isinstance(self.reference, Predictor) else []
        return [*own, *(candidate.predictor for candidate in self.candidates)]
