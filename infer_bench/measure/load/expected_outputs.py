"""What a network gives for the requests that are sent, to be compared with the answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.data import Table
from infer_bench.data.table import stack
from infer_bench.errors import EngineError, UsageError
from infer_bench.measure.load.reference import open_model
from infer_bench.measure.load.settings import ServerSettings
from infer_bench.measure.outputs.blocks import cut_blocks
from infer_bench.measure.outputs.group import named_predictions
from infer_bench.measure.outputs.names import columns_of
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import TensorInput
from infer_bench.report.common import Notice
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.tensors.named_predictions import NamedPredictions
from infer_bench.typing import Columns, TensorRequest
from infer_bench.workers.tasks.network_outputs import OutputVariants

MOST_BYTES = 256 << 20
"""So much memory do the outputs fill that are kept, what rounding makes of them included."""


@dataclass(eq=False)
class ExpectedOutputs:
    """The outputs of `model` by request: the answer to request number i is in `blocks`, at the place `places[i]`.

    `obstacle` is why it is not known what the network rounds, empty where it is or no matter.
    """

    model: str
    limits: Limits
    blocks: list[NamedPredictions] = field(default_factory=list)
    obstacle: str = ""
    bytes: int = 0

    @property
    def requests(self) -> int:
        """Of how many requests the outputs are known."""
        return sum(block.requests for block in self.blocks)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is to be said of how answers are compared."""
        if not self.obstacle:
            return ()
        text = f"what {self.model} rounds is not known ({self.obstacle}): the tolerance decides"
        return (Notice("no-float64", text, "--max-delta gives a tolerance of your own"),)

    def add(self, predictions: NamedPredictions) -> None:
        """Take the outputs of the next requests."""
        self.blocks.append(predictions)
        yardstick = predictions.yardstick
        tables = [predictions.outputs, *((yardstick.exact, *yardstick.shaken) if yardstick else ())]
        self.bytes += sum(array.nbytes for table in tables for arrays in table.values() for array in arrays)


def predict_requests(
    model: str,
    requests: Sequence[TensorRequest],
    inputs: Sequence[TensorInput],
    max_delta: float | None,
    settings: ServerSettings,
) -> ExpectedOutputs:
    """The outputs of as many of the first requests as `MOST_BYTES` holds; `inputs` are those of who is sent them.

    Raises `UsageError` for a model of rows, and what kept the model from answering any request.
    """
    table = Table({name: stack([request[name] for request in requests]) for name in requests[0]})
    with open_model(model, settings) as predictor:
        if predictor.spec.features:
            raise UsageError(f"{predictor.name} takes rows, and the load sends tensors", "--check NETWORK")
        limits = ValidateSettings(atol=max_delta).limits()
        expected = ExpectedOutputs(predictor.name, limits)
        columns = Table(columns_of(table, predictor.spec.inputs, inputs, predictor.name, "the service"))
        for block in cut_blocks(columns, lambda one: _try_first(predictor, one)):
            _add_block(expected, predictor, block)
            if expected.bytes >= MOST_BYTES:
                break
        if all(block.refusals.all() for block in expected.blocks):
            raise EngineError(f"{predictor.name} takes none of the requests: {expected.blocks[0].complaint}")
        return expected


def _try_first(predictor: Predictor, table: Table) -> Columns:
    """Nothing where the first request is refused."""
    try:
        return predictor.predict_outputs(table.columns).outputs
    except EngineError:
        return {}


def _add_block(expected: ExpectedOutputs, predictor: Predictor, block: Table) -> None:
    try:
        outputs = predictor.predict_outputs(block.columns)
    except EngineError as error:  # of every request: those of another block may be taken
        expected.add(NamedPredictions({}, np.ones(block.rows, dtype=np.bool_), error.message))
        return
    variants = _predict_variants(expected, predictor, block) if expected.limits.by_rounding else None
    expected.add(named_predictions(outputs, outputs.outputs, variants))


def _predict_variants(expected: ExpectedOutputs, predictor: Predictor, block: Table) -> OutputVariants | None:
    try:
        return predictor.predict_variants(block.columns)
    except EngineError as error:
        expected.obstacle = expected.obstacle or error.message
        return None
