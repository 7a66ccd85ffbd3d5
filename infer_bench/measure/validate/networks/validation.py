"""A comparison of networks under way: who is compared on which requests, and what is known of each candidate so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infer_bench.data import Table
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.formats.graph_differences import OtherNode
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.outputs.group import NetworkGroup
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.precision import OtherWeight
from infer_bench.measure.validate.networks.saved_outputs import SavedOutputs
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import TensorInput
from infer_bench.report.common import DrawnInput, Notice
from infer_bench.stats.agreement.limits import Limits


@dataclass(frozen=True, slots=True, eq=False)
class RequestTable:
    """Requests of one kind: the user's (`data`) or drawn ones. `path` is the file's; empty of drawn ones.

    A candidate that refuses some which it `may_refuse` is not another network for that: a note says so.
    """

    name: str
    table: Table
    path: str = ""
    may_refuse: bool = False


@dataclass
class NetworkCandidate:
    """A candidate, its comparison with the reference by group, and the error that ended it, if any.

    `names` are its outputs' with those by which they are compared. `unreached` weights hold other numbers than the
    reference's, though nothing differed, and `other_nodes` do something else.
    """

    predictor: Predictor
    groups: dict[str, NetworkGroup] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    error: InferBenchError | None = None
    explanation: Explanation = field(default_factory=Explanation)
    unreached: Sequence[OtherWeight] = ()
    other_nodes: Sequence[OtherNode] = ()


@dataclass(eq=False)
class NetworkValidation:
    """A reference and the candidates that could be opened, and those that could not.

    `inputs` are the reference's, or the first candidate's of saved outputs. `obstacles` say by a model's name why it is
    not known what it rounds, and `coarse` whether parts of it work in less than float32. `data_settings` say of the
    requests what the report's settings have; `notices` what is known before anything is compared, and
    `drawn_inputs` how those came about. `answering` are the names of the models that have answered a request, and
    `refusals` what others said of the first one.
    """

    reference: Predictor | SavedOutputs
    inputs: tuple[TensorInput, ...]
    candidates: list[NetworkCandidate]
    unopened: Sequence[tuple[Candidate, InferBenchError]]
    requests: Sequence[RequestTable]
    settings: ValidateSettings
    data_settings: Mapping[str, Any] = field(default_factory=dict)
    notices: Sequence[Notice] = ()
    drawn_inputs: Sequence[DrawnInput] = ()
    obstacles: dict[str, str] = field(default_factory=dict)
    coarse: dict[str, bool] = field(default_factory=dict)
    requests_per_s: float | None = None
    answering: set[str] = field(default_factory=set)
    refusals: dict[str, EngineError] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """When two outputs count as the same."""
        return self.settings.limits()

    @property
    def predictors(self) -> list[Predictor]:
        """Every network in a worker, the reference first."""
        own = [self.reference] if isinstance(self.reference, Predictor) else []
        return [*own, *(candidate.predictor for candidate in self.candidates)]
