"""Whether a network answers a request in a batch as it answers it alone."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.data.tensors.stacking import cut_requests, group_requests, stack_requests
from infer_bench.typing import Array
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.timing.hosted_session import HostedSession

MOST_ALONE = 16
"""So many requests of a batch are answered alone at the most."""
_ROUNDING: Mapping[int, float] = {2: 32 * 2.0**-10, 4: 1_000 * 2.0**-23, 8: 1_000 * 2.0**-52}
"""By the bytes of a float: up to this share of an output's size, a difference is rounding, since kernels go by the
batch. Numbers that depend on their neighbours, as those of dynamic quantisation, move by a hundredth and more."""


@dataclass(frozen=True, slots=True)
class OutputShift:
    """How far an output of requests in a batch lies from that of the same requests alone.

    `largest` is the largest |difference| and `scale` the largest |value| alone, both of finite numbers. `differs`: by
    more than rounding; of anything but floats, at all.
    """

    name: str
    largest: float
    scale: float
    differs: bool


@dataclass(frozen=True, slots=True)
class BatchInvariance:
    """The outputs that could be told apart by request; `requests` is how many were answered alone as well."""

    requests: int
    outputs: tuple[OutputShift, ...]


@dataclass(frozen=True, slots=True)
class CompareBatch(SessionRequest[BatchInvariance]):
    """Answer the first `batch` requests of a network stacked, and some of them alone, for `limit_ns` at the most."""

    title = "batch"
    batch: int
    limit_ns: int


def compare_batch(hosted: HostedSession, request: CompareBatch) -> BatchInvariance:
    """Raises `EngineError` for a batch that the network does not take."""
    pool, start = hosted.pool, time.perf_counter_ns()
    group = group_requests(pool.columns, pool.inputs)[0]
    stacked = _run(
        hosted.model, stack_requests(pool.columns, pool.inputs, group[np.arange(request.batch) % len(group)])
    )
    few = {name: column[group[: min(request.batch, MOST_ALONE)]] for name, column in pool.columns.items()}
    alone: list[Mapping[str, Array]] = []
    for arrays in cut_requests(few, pool.inputs, 1):
        alone.append(_run(hosted.model, arrays))
        if time.perf_counter_ns() - start > request.limit_ns:
            break
    names = [name for name in stacked if all(name in one for one in alone)]
    shifts = (_compare_parts(name, stacked[name], [one[name] for one in alone], request.batch) for name in names)
    return BatchInvariance(len(alone), tuple(shift for shift in shifts if shift is not None))


def _run(session: Any, arrays: Mapping[str, Array]) -> dict[str, Array]:
    outputs: dict[str, Array] = session.named_outputs(session.predict(session.preprocess(arrays)))
    return {name: np.array(array) for name, array in outputs.items()}  # the next call may overwrite them


def _compare_parts(name: str, stacked: Array, alone: Sequence[Array], batch: int) -> OutputShift | None:
    """None where the stacked output has no axis that is 1 of one request and the batch's size of a batch."""
    shape = alone[0].shape
    axes = [axis for axis, size in enumerate(shape) if size == 1 and stacked.shape == _replace(shape, axis, batch)]
    if not axes or any(one.shape != shape for one in alone):
        return None
    parts = np.split(stacked, batch, axis=axes[0])[: len(alone)]
    return compare_output(name, np.stack(parts), np.stack(alone))


def _replace(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])


def compare_output(name: str, stacked: Array, alone: Array) -> OutputShift:
    """An output of stacked requests and that of the same ones alone, two arrays of one shape."""
    if alone.dtype.kind != "f":
        return OutputShift(name, 0.0, 0.0, not np.array_equal(stacked, alone))
    finite = np.isfinite(stacked) & np.isfinite(alone)
    same = np.array_equal(np.where(finite, 0, stacked), np.where(finite, 0, alone), equal_nan=True)
    difference = np.abs(stacked[finite].astype(np.float64) - alone[finite])
    largest, scale = float(difference.max(initial=0.0)), float(np.abs(alone[finite]).max(initial=0.0))
    return OutputShift(name, largest, scale, not same or largest > _ROUNDING[alone.dtype.itemsize] * scale)
