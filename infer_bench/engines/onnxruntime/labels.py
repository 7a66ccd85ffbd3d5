"""The labels that a graph gives beside its probabilities, which need not be those of the largest one."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.onnxruntime import outputs as onnx_outputs
from infer_bench.engines.onnxruntime.inputs import Tensor
from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError
from infer_bench.typing import Array

PredictWithLabels = Callable[[Any], tuple[Any, Array]]


def make_labeller(
    session: Any, meaning: onnx_outputs.OutputMeaning, inputs: Sequence[Tensor]
) -> PredictWithLabels | None:
    """A call for the predictions and the labels (rows,); None for a graph without an output of labels."""
    label_outputs = [o.name for o in session.get_outputs() if onnx_outputs.is_label(o) and o.name != meaning.output]
    if not label_outputs or meaning.task not in ("binary", "multiclass") or meaning.bare_label:
        return None
    outputs, name = [meaning.output, label_outputs[0]], inputs[0].name if len(inputs) == 1 and inputs[0].plain else ""

    def call(rows: Any) -> tuple[Any, Array]:
        try:
            predictions, labels = session.run(outputs, {name: rows} if name else rows)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            raise EngineError(f"ONNX Runtime cannot predict: {first_line(error)}") from None
        return predictions, np.asarray(labels).reshape(-1)

    return call
