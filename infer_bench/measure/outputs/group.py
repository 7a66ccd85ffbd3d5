"""Outputs of two networks for one group of requests, compared block by block."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from infer_bench.measure.outputs.names import rename_outputs
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.tensors.named_predictions import NamedPredictions, Yardstick
from infer_bench.stats.agreement.tensors.network_comparison import NetworkComparison, compare_networks
from infer_bench.typing import Array, Columns
from infer_bench.workers.tasks.network_outputs import OutputVariants, RequestOutputs


@dataclass
class NetworkGroup:
    """The comparison of one candidate with the reference on the group `name`, growing with every block.

    `complaint` is why requests have an answer of one side only.
    """

    name: str
    limits: Limits
    comparison: NetworkComparison = field(default_factory=NetworkComparison)
    complaint: str = ""

    def add(self, reference: NamedPredictions, candidate: NamedPredictions) -> None:
        """Compare the next block."""
        first = self.comparison.requests
        self.comparison += compare_networks(reference, candidate, self.limits, first=first)
        self.complaint = self.complaint or candidate.complaint or reference.complaint

    @property
    def failing(self) -> frozenset[int]:
        """The numbers of the requests that differ; of all where outputs are missing."""
        if self.comparison.missing or (self.comparison.requests and not self.comparison.outputs):
            return frozenset(range(self.comparison.requests))
        return self.comparison.failing(self.limits)


def named_predictions(
    outputs: RequestOutputs,
    columns: Columns,
    variants: OutputVariants | None = None,
    names: Mapping[str, str] | None = None,
) -> NamedPredictions:
    """What a worker has sent, `columns` being its outputs under the names by which they are compared."""
    yardstick = None if variants is None else _yardstick(outputs, columns, variants, names or {})
    arrays = {name: list(_requests(column)) for name, column in columns.items()}
    return NamedPredictions(arrays, outputs.refusals, outputs.complaint, yardstick)


def _yardstick(
    outputs: RequestOutputs, columns: Columns, variants: OutputVariants, names: Mapping[str, str]
) -> Yardstick:
    exact = columns if variants.method == "noise" else rename_outputs(variants.exact, names)
    shaken = [rename_outputs(draw, names) for draw in variants.shaken]
    return Yardstick(
        {name: list(_requests(column)) for name, column in exact.items()},
        [{name: list(_requests(column)) for name, column in draw.items()} for draw in shaken],
        variants.sizes,
        variants.method,
        variants.is_coarse,
        {(names or {}).get(name, name): precision for name, precision in variants.precisions.items()},
    )


def _requests(column: Array) -> Iterator[Array]:
    """The array of each request."""
    return (value if isinstance(value, np.ndarray) else np.asarray(value, dtype=column.dtype) for value in column)
