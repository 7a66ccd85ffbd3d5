"""What a call of a model gives, for one request or for several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.model import Phase
from infer_bench.serving.rows.rows import Rows
from infer_bench.typing import Array, Floats


@dataclass(slots=True)
class Predictions:
    """`values` (rows, outputs), `labels` (rows,) or None, and what each phase of the call took.

    `outputs` are those of a network by name, a record each; None of other models.
    """

    values: Floats
    labels: list[Any] | None
    phases_ns: dict[Phase, int]
    outputs: Sequence[Mapping[str, Array]] | None = None


def split_predictions(predictions: Predictions, batch: Sequence[Rows]) -> list[Predictions]:
    """Each request's part of what was predicted in one call."""
    if len(batch) == 1:
        return [predictions]
    parts, start = [], 0
    for rows in batch:
        part = slice(start, start + rows.count)
        labels = None if predictions.labels is None else predictions.labels[part]
        outputs = None if predictions.outputs is None else predictions.outputs[part]
        parts.append(Predictions(predictions.values[part], labels, predictions.phases_ns, outputs))
        start += rows.count
    return parts


def join_values(parts: Sequence[Floats]) -> Floats:
    """Those of several calls; the numbers of a network may be more in one than in another, which NaN fills up."""
    width = max(part.shape[1] for part in parts)
    filled = [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=np.nan) for part in parts]
    return np.concatenate(filled)
