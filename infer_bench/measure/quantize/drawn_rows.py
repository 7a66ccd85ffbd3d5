"""Rows of which the user gave none, drawn as for every other command: from what is known of the model's inputs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from infer_bench import data
from infer_bench.data.tensors.stacking import MOST_BYTES
from infer_bench.engines import registry
from infer_bench.engines.base import check_options
from infer_bench.errors import DataError, EngineError
from infer_bench.measure.candidates.jobs import build_engine_job
from infer_bench.measure.candidates.rows import refuse_shapes_of_rows, rows_of_requests
from infer_bench.measure.quantize.arrays import Arrays, Requests
from infer_bench.measure.quantize.network_tools import NetworkTools
from infer_bench.measure.quantize.rows import STACK, Rows, count_calibrating
from infer_bench.measure.quantize.settings import QuantizeSettings
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.typing import Array, Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import ReadDomain
from infer_bench.workers.tasks.draw_requests import DrawRequests
from infer_bench.workers.tasks.quantize import NetworkDescription, NetworkTensor

ENGINE = "onnxruntime"
DRAWN = 1024
"""So many rows are drawn, fewer where they would fill more than `MOST_BYTES`."""
_USE_DATA = "give rows with --data"


def draw_rows(tools: NetworkTools, network: NetworkDescription, settings: QuantizeSettings) -> Rows:
    """The first quarter calibrates, the others judge. A worker opens the model and tells what it takes.

    Raises `DataError` for a model of which no request can be drawn, or only one, `UsageError` for choices that do not
    fit it, and what its engine raises.
    """
    job = build_engine_job(ENGINE, tools.source, check_options(registry.get(ENGINE), {}))
    with Worker(job, timeout_s=settings.timeout_s) as worker:
        spec = worker.open().spec
        if spec.inputs:
            return _draw_tensors(worker, spec, tools, network, settings)
        refuse_shapes_of_rows(spec, settings.requests)
        table = data.draw(spec, worker.ask(ReadDomain()).thresholds, DRAWN, settings.seed)
    return split_table(fill_inputs(table.columns, network.inputs), spec.batch)


def _draw_tensors(
    worker: Worker, spec: ModelSpec, tools: NetworkTools, network: NetworkDescription, settings: QuantizeSettings
) -> Rows:
    requests = worker.ask(DrawRequests(count_requests(spec.inputs), settings.seed, settings.requests))
    rows = rows_of_requests(requests, spec, tools.source.path)
    parts = split_requests(requests.columns, spec.inputs, network.outputs)
    if not _answers_by_row(tools, parts.judging):
        parts = split_whole(requests.columns)
    return replace(parts, inputs=rows.inputs, notices=rows.notices)


def _answers_by_row(tools: NetworkTools, requests: Requests) -> bool:
    """Whether every output of a stack has an entry for each of its rows; an output may be one for all of them."""
    first = requests.take(range(min(requests.count, 2 if requests.free else max(1, requests.stack))))
    try:
        tools.run(tools.source.path, tools.save(first, "first"))
    except EngineError:
        return False
    return True


def count_requests(inputs: Sequence[TensorInput]) -> int:
    """How many requests make `DRAWN` rows, two at the least: a fixed batch holds many."""
    firsts = {tensor.shape[0] if tensor.shape else None for tensor in inputs}
    size = firsts.pop() if len(firsts) == 1 else None
    return max(2, DRAWN // max(1, size)) if isinstance(size, int) else DRAWN


def split_requests(columns: Columns, inputs: Sequence[TensorInput], outputs: Sequence[NetworkTensor]) -> Rows:
    """Rows of (requests, *shape) of each input: stacked along the first axis where all have it, else whole requests.

    Raises `DataError` where there is but one.
    """
    arrays = _as_arrays(columns)
    drawn_inputs = [tensor for tensor in inputs if tensor.name in arrays]
    sizes = {array.shape[1] if array.ndim > 1 else 0 for array in arrays.values()}
    size = sizes.pop() if len(sizes) == 1 else 0
    firsts = {output.shape[0] for output in outputs if output.shape}
    if not size or not firsts <= {None, size} or any(tensor.batch_axis not in (None, 0) for tensor in drawn_inputs):
        return split_whole(columns)
    free = size == 1 and firsts <= {None} and all(tensor.batch_axis == 0 for tensor in drawn_inputs)
    return _split(arrays, STACK if free else size, free=free)


def split_whole(columns: Columns) -> Rows:
    """Requests of which each is fed as it is. Raises `DataError` where there is but one."""
    return _split(_as_arrays(columns), 0, free=False)


def _as_arrays(columns: Columns) -> dict[str, Array]:
    """The columns, texts as a file can hold them."""
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    return {name: array.astype(str) if array.dtype.kind == "O" else array for name, array in arrays.items()}


def fill_inputs(columns: Columns, inputs: Sequence[NetworkTensor]) -> dict[str, Array]:
    """The columns of a table side by side: (rows, *shape) of each input, in its dtype."""
    values, start = list(columns.values()), 0
    arrays = {}
    for tensor in inputs:
        inner = tensor.shape[1:]
        width = len(values) if len(inputs) == 1 else math.prod(size or 1 for size in inner)
        block = np.column_stack([np.asarray(column) for column in values[start : start + width]])
        rows = block.reshape(len(block), *(-1 if size is None else size for size in inner))
        arrays[tensor.name] = rows.astype(str if tensor.dtype == "object" else tensor.dtype)
        start += width
    return arrays


def split_table(arrays: Arrays, batch: int | None) -> Rows:
    """Rows of (rows, *shape) of each input, of which a model takes `batch` at a time; None any number."""
    size = batch or 1
    groups = {
        name: array[: len(array) // size * size].reshape(-1, size, *array.shape[1:]) for name, array in arrays.items()
    }
    return _split(groups, batch or STACK, free=batch is None)


def _split(requests: Mapping[str, Array], stack: int, *, free: bool) -> Rows:
    """Of (requests, *shape) arrays. The rows of a request that is a stack of them stay together."""
    count = min(map(len, requests.values()))
    if count < 2:
        text = f"two drawn requests would fill more than {MOST_BYTES >> 20} MiB: one calibrates, and another judges"
        raise DataError(text, _USE_DATA)
    border = count_calibrating(count)
    parts = []
    for places in (slice(0, border), slice(border, count)):
        part = {name: array[places] for name, array in requests.items()}
        arrays = {name: np.concatenate(array) if stack else array for name, array in part.items()}
        parts.append(Requests(arrays, min(map(len, arrays.values())), stack, free))
    return Rows(parts[0], parts[1], None, are_drawn=True)
