"""The outputs of a network that does not declare them, as runs on made-up requests show them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.engines.training_mode import STATE, TRAINING
from infer_bench.errors import InferBenchError
from infer_bench.model import TensorInput
from infer_bench.typing import Array, TensorRequest

_MOST_TRIALS = 64
_SIZES = ((32, 64), (224, 256), (28, 56), (512, 1024))
"""Of free axes behind the channels, each with another one that tells which axes of the outputs go with it."""
_LENGTHS = (21, 42)
"""Of sequences: few weights are of such sizes, which would be taken for them."""
_CHANGING = (STATE, TRAINING)
"""The codes of remarks on networks that a run changes."""
Shape = tuple[int, ...]


class _Trial(NamedTuple):
    """A shape to be tried, the same for two requests, and one that is of other sizes in every free axis, too."""

    shape: Shape
    stacked: Shape
    other: Shape


def observe_outputs(session: Session) -> tuple[TensorInput, ...]:
    """The outputs by name, datatype and shape; none where no request could be made up that the network answers.

    Sizes that follow those of the request are free. Nothing is run that keeps state between requests.
    """
    if any(remark.code in _CHANGING for remark in session.spec.remarks):
        return ()
    inputs = session.spec.inputs
    kinds = [list(_list_trials(tensor, getattr(session, "weight_shapes", ()))) for tensor in inputs]
    for trials in itertools.islice(itertools.product(*kinds), _MOST_TRIALS):
        first = _run(session, inputs, [trial.shape for trial in trials])
        if first:
            stacked = _run(session, inputs, [trial.stacked for trial in trials])
            other = _run(session, inputs, [trial.other for trial in trials])
            unsure = set() if other else {size for trial in trials for size in trial.shape}
            return _describe(first, [outputs for outputs in (stacked, other) if outputs], unsure)
    return ()


def _list_trials(tensor: TensorInput, weights: Sequence[Shape]) -> Iterator[_Trial]:
    """The likely shapes first: of an input that does not say its own those that go with the weights."""
    if tensor.shape is not None:
        yield from (_fill(tensor, tensor.shape, *sizes) for sizes in (_LENGTHS, *_SIZES))
        return
    if np.dtype(tensor.dtype).kind == "f":
        for weight in [weight for weight in weights if len(weight) > 1][:4]:
            yield from _trials_of_weight(weight)
    yield _Trial((1, _LENGTHS[0]), (2, _LENGTHS[0]), (2, _LENGTHS[1]))
    for shape in ((1, 3, 224, 224), (1, 1, 28, 28), (1, 16, 16), (16,), (1,), ()):
        yield _Trial(shape, (2 * shape[0], *shape[1:]) if shape else shape, shape)


def _trials_of_weight(weight: Shape) -> Iterator[_Trial]:
    """Those of a convolution by its channels, of any other matrix by its columns, or its rows."""
    for channels in dict.fromkeys((weight[1], weight[0])):
        if len(weight) == 2:
            yield _Trial((1, channels), (2, channels), (2, channels))
            yield _Trial((1, _LENGTHS[0], channels), (2, _LENGTHS[0], channels), (2, _LENGTHS[1], channels))
            continue
        for size, other in _SIZES:
            axes = len(weight) - 2
            yield _Trial((1, channels, *[size] * axes), (2, channels, *[size] * axes), (2, channels, *[other] * axes))


def _fill(tensor: TensorInput, shape: Sequence[int | str | None], size: int, other: int) -> _Trial:
    def fill(batch: int, length: int) -> Shape:
        free = (batch if axis == tensor.batch_axis else length for axis in range(len(shape)))
        return tuple(own if isinstance(own, int) else size for own, size in zip(shape, free, strict=True))

    return _Trial(fill(1, size), fill(2, size), fill(2, other))


def _run(session: Any, inputs: Sequence[TensorInput], shapes: Sequence[Shape]) -> Mapping[str, Array]:
    """The outputs for a request of these shapes; none where the network refuses it."""
    random = np.random.default_rng(0)
    request = TensorRequest(
        {tensor.name: _make_up(random, tensor, shape) for tensor, shape in zip(inputs, shapes, strict=True)}
    )
    try:
        outputs: Mapping[str, Array] = session.named_outputs(session.predict(session.preprocess(request)))
    except (InferBenchError, MemoryError):
        return {}
    return outputs


def _make_up(random: np.random.Generator, tensor: TensorInput, shape: Shape) -> Array:
    """Floats from 0 to 1; zeros where they may be positions, and the truth."""
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return np.asarray(random.random(shape), dtype=dtype)
    return np.full(shape, "" if dtype.kind == "O" else dtype.kind == "b", dtype=dtype)


def _describe(
    first: Mapping[str, Array], others: Sequence[Mapping[str, Array]], unsure: Set[int]
) -> tuple[TensorInput, ...]:
    """Each output; an axis is fixed where it is the same in requests of several shapes, and of no `unsure` size."""
    shapes = {name: [other[name].shape for other in others if name in other] for name in first}
    return tuple(
        TensorInput(name, array.dtype.name, _free(array.shape, shapes[name], unsure)) for name, array in first.items()
    )


def _free(shape: Shape, others: Sequence[Shape], unsure: Set[int]) -> tuple[int | None, ...] | None:
    """Of unknown rank where that is another one; no axis is known to be fixed without any other request."""
    if any(len(other) != len(shape) for other in others):
        return None
    sure = [bool(others) and size not in unsure for size in shape]
    return tuple(
        size if sure[i] and all(other[i] == size for other in others) else None for i, size in enumerate(shape)
    )
