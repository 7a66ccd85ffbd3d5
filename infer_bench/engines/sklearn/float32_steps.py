"""A pipeline whose steps work in float32, as an exported graph does: what its rounding changes, and nothing else."""

from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.sklearn import columns as sklearn_columns
from infer_bench.errors import EngineError
from infer_bench.typing import Bools

Singles = npt.NDArray[np.float32]


def prepared(pipeline: Any, inputs: Any) -> Singles:
    """What the last step is handed, (rows, columns), when all before it work in float32.

    `inputs` is a DataFrame or an array. Raises `EngineError` for an estimator that is no pipeline, and for steps whose
    columns cannot be told apart.
    """
    if not hasattr(pipeline, "named_steps"):
        raise EngineError("the model is no pipeline")
    return np.asarray(_chain([step for _, step in pipeline.steps[:-1]], _narrow(inputs)), dtype=np.float32)


def is_xgboost(model: Any) -> bool:
    """Whether what a sparse matrix does not store is missing to the model; to every other it is zero."""
    return type(model).__module__.partition(".")[0] == "xgboost"


def store_as(own: Any, rows: Singles) -> Any:
    """`rows` in a sparse matrix that stores the elements that `own` does, where that is one."""
    if not hasattr(own, "tocoo"):
        return rows
    matrix = own.tocoo().astype(np.float32)
    matrix.data = rows[matrix.row, matrix.col]
    return matrix.tocsr()


def find_unstored(own: Any, shape: tuple[int, ...], model: Any) -> Bools:
    """Which elements are missing to `model` because the sparse matrix `own` that it is handed does not store them."""
    unstored = np.zeros(shape, dtype=np.bool_)
    if is_xgboost(model) and hasattr(own, "tocoo"):
        matrix = own.tocoo()
        unstored[:] = True
        unstored[matrix.row, matrix.col] = False
    return unstored


def _narrow(rows: Any) -> Any:
    """Numbers rounded to float32; text stays."""
    if not hasattr(rows, "columns"):
        return np.asarray(rows).astype(np.float32)
    floats = [name for name, kind in rows.dtypes.items() if getattr(kind, "kind", "O") == "f"]
    with np.errstate(over="ignore"):
        return rows.astype(dict.fromkeys(floats, np.float32))


def _chain(steps: list[Any], rows: Any) -> Any:
    for step in steps:
        if step is not None and step != "passthrough":
            rows = _step(step, rows)
    return rows


def _step(step: Any, rows: Any) -> Any:
    kind = type(step).__name__
    if kind == "Pipeline":
        return _chain([part for _, part in step.steps], rows)
    if kind == "ColumnTransformer":
        return _columns(step, rows)
    nonlinear = kind == "SimpleImputer" or getattr(step, "clip", False)
    maps = None if nonlinear else sklearn_columns.linear(step)
    if maps is None:
        output = step.transform(rows)
        output = np.asarray(output.toarray() if hasattr(output, "toarray") else output)
        return output.astype(np.float32) if output.dtype.kind in "fiub" else output
    scale, shift = (values.astype(np.float64) for values in maps)
    # The operator subtracts and multiplies by constants that are float32 themselves.
    return (np.asarray(rows, dtype=np.float32) - shift.astype(np.float32)) * (1.0 / scale).astype(np.float32)


def _columns(step: Any, rows: Any) -> Singles:
    inputs, spans = getattr(step, "_transformer_to_input_indices", {}), getattr(step, "output_indices_", {})
    width = max((span.stop for span in spans.values()), default=0)
    output = np.zeros((len(rows), width), dtype=np.float32)
    for name, part, _ in step.transformers_:
        span, columns = spans.get(name, slice(0, 0)), list(inputs.get(name, ()))
        if span.stop > span.start:
            own = rows.iloc[:, columns] if hasattr(rows, "iloc") else rows[:, columns]
            output[:, span] = own if isinstance(part, str) else _step(part, own)
    return output
