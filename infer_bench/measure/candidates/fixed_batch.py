"""Models whose every request must have the same number of rows."""

from collections.abc import Sequence

from infer_bench.data.tensors.stacking import refuse_stacking
from infer_bench.errors import DataError, EngineError
from infer_bench.model import ModelSpec


def explain_batch(spec: ModelSpec, batch: int) -> EngineError | None:
    """Why a model cannot be asked for `batch` rows at once; None where it can."""
    if batch > 1 and spec.inputs:
        return _explain_stacking(spec)
    fixed = spec.batch
    if fixed is None or fixed == batch:
        return None
    text = f"the model's batch is fixed at {fixed:,}"
    if fixed > 1 and batch % fixed == 0:
        text += f": {batch:,} rows are {batch // fixed:,} requests to it"
    return EngineError(text, f"use --batch {fixed}, or export the model with a free batch axis")


def _explain_stacking(spec: ModelSpec) -> EngineError | None:
    try:
        refuse_stacking(spec.inputs)
    except DataError as error:
        return EngineError(error.message, error.hint)
    return None


def choose_batch(spec: ModelSpec, batches: Sequence[int]) -> int:
    """The first batch size that the model takes. Raises `EngineError` where there is none."""
    errors = {batch: explain_batch(spec, batch) for batch in batches}
    for batch, error in errors.items():
        if error is None:
            return batch
    raise next(error for error in errors.values() if error is not None)


def fit_batches(batches: tuple[int, ...], specs: Sequence[ModelSpec]) -> tuple[int, ...]:
    """The batch at which all the models are fixed, where one row at a time was to be measured, which none takes."""
    sizes = {spec.batch for spec in specs}
    size = sizes.pop() if len(sizes) == 1 else None
    return (size,) if size is not None and batches == (1,) else batches
