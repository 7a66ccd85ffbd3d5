"""The labels that a graph gives beside its probabilities, which need not be those of the largest one."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.onnxruntime import outputs as onnx_outputs
from infer_bench.engines.onnxruntime.inputs import Tensor
from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.typing import Array

PredictWithLabels = Callable[[Any], tuple[Any, Array | None]]


def make_labeller(
    session: Any, meaning: onnx_outputs.OutputMeaning, inputs: Sequence[Tensor]
) -> PredictWithLabels | None:
    """A call for the predictions and the labels (rows,); None for a graph without an output of one label a row."""
    labels = filter(onnx_outputs.is_class_label, session.get_outputs())
    label_outputs = [output.name for output in labels if output.name != meaning.output]
    if not label_outputs or not meaning.classes or meaning.bare_label:
        return None
    values = meaning.class_columns or (meaning.output,)
    outputs, name = [*values, label_outputs[0]], inputs[0].name if len(inputs) == 1 and inputs[0].plain else ""

    def call(rows: Any) -> tuple[Any, Array | None]:
        try:
            *columns, labels = session.run(outputs, {name: rows} if name else rows)
        except InferBenchError:
            raise
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            raise EngineError(f"ONNX Runtime cannot predict: {first_line(error)}") from None
        predictions, labels = columns[0] if len(columns) == 1 else np.column_stack(columns), np.asarray(labels)
        return predictions, labels.reshape(-1) if labels.ndim < 2 or labels.shape[1] == 1 else None

    return call
