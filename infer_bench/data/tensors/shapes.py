"""Shapes of a network's inputs that are worth a try: what is declared and given, and for the rest a ladder of sizes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infer_bench.data.tensors.formulas import evaluate, is_formula
from infer_bench.errors import DataError, UsageError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.formats.input_names import is_certain_batch, is_state
from infer_bench.model import TensorInput
from infer_bench.request_choices import Shape

IMAGE_SIZES = ((224, 224), (320, 320), (48, 320), (64, 160), (640, 640))
"""Height and width that networks of images are made for."""
SIZES = (16, 128, 256, 512, 576, 1024, 16000, 1)
"""Of all other free axes together: tokens, frames, and samples of sound."""
LARGER = (512, 256, 192, 160, 130, 48)
"""Of them in a second shape: what a model is to read in one piece, as far as it does."""
_CHANNELS = (1, 3)
_CACHE_RANK = 4
_MOST = 60

Axis = str | tuple[str, int]
"""What has one size: a symbol wherever it stands, or an axis (of an input, by its place) without a name."""


@dataclass(frozen=True, slots=True)
class ShapeTrial:
    """A shape for each input; of those in `unsized_inputs` an axis was neither declared nor given."""

    shapes: Mapping[str, Shape]
    unsized_inputs: frozenset[str]


def list_trials(
    inputs: Sequence[TensorInput],
    uses: Mapping[str, InputUse],
    shapes: Mapping[str, Shape],
    sizes: Mapping[str, int],
    ladder: Sequence[int] = SIZES,
) -> list[ShapeTrial]:
    """Shapes to try, in order: `shapes` by input and `sizes` by symbol are the user's, `ladder` is for other axes.

    Raises `UsageError` for those that contradict the model, `DataError` for an input whose rank nobody says.
    """
    _require_ranks(inputs, shapes)
    solver = _Solver(inputs, uses, shapes, sizes, ladder)
    trials: dict[tuple[Shape, ...], ShapeTrial] = {}
    for trial in map(solver.solve, solver.assignments()):
        trials.setdefault(tuple(trial.shapes.values()), trial)
    return list(trials.values())[:_MOST]


def _require_ranks(inputs: Sequence[TensorInput], shapes: Mapping[str, Shape]) -> None:
    """Raise `DataError` naming every input whose rank nobody says."""
    names = [tensor.name for tensor in inputs if tensor.shape is None and tensor.name not in shapes]
    if names:
        what = f"the input{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))} may have any rank"
        raise DataError(what, f"say which: {' '.join(f'--shape {name}:1x16' for name in names)}")


class _Solver:
    """The `_sizes` that are known by axis, and the axes that are free: of images, of states, and others."""

    def __init__(
        self,
        inputs: Sequence[TensorInput],
        uses: Mapping[str, InputUse],
        shapes: Mapping[str, Shape],
        sizes: Mapping[str, int],
        ladder: Sequence[int] = SIZES,
    ) -> None:
        self._inputs, self._ladder = inputs, ladder
        self._axes = {tensor.name: _list_axes(tensor, shapes) for tensor in inputs}
        self._sizes: dict[Axis, int] = dict(sizes.items())
        for tensor in inputs:
            self._bind(tensor, shapes.get(tensor.name))
        self._certain_axes = frozenset(self._sizes)
        self._batch_axes = {self._axes[t.name][t.batch_axis] for t in inputs if t.batch_axis is not None}
        for tensor in inputs:
            self._bind_batch(tensor, uses.get(tensor.name, InputUse()).sizes, self._count_requests(shapes))
        self._images = [image for tensor in inputs if (image := self._image_axes(tensor)) is not None]
        self._others, self._states = self._free_axes()

    def _bind(self, tensor: TensorInput, shape: Shape | None) -> None:
        """Take the sizes that are fixed, and those of a shape that is given."""
        for place, size in enumerate(tensor.shape or ()):
            if isinstance(size, int):
                self._sizes[tensor.name, place] = size
        for axis, size in zip(self._axes[tensor.name], shape or (), strict=False):
            if self._sizes.setdefault(axis, size) != size:
                what = axis if isinstance(axis, str) else f"axis {axis[1]} of {tensor.name}"
                raise UsageError(
                    f"{tensor.name}:{_text(shape)} does not fit: {what} is {self._sizes[axis]}", str(tensor)
                )

    def _count_requests(self, shapes: Mapping[str, Shape]) -> int:
        """How many requests the shapes that are given stack; 1 where they do not say it or disagree."""
        axes = [(t.name, t.batch_axis) for t in self._inputs if t.batch_axis is not None and t.name in shapes]
        counts = {shapes[name][axis] for name, axis in axes}
        return counts.pop() if len(counts) == 1 else 1

    def _bind_batch(self, tensor: TensorInput, layer_sizes: Mapping[int, int], requests: int) -> None:
        """So many requests, and the sizes that the network's layers take."""
        for place, axis in enumerate(self._axes[tensor.name]):
            if place == tensor.batch_axis or self._counts_requests(axis):
                self._sizes.setdefault(axis, requests)
            elif place in layer_sizes:
                self._sizes.setdefault(axis, layer_sizes[place])

    def _counts_requests(self, axis: Axis) -> bool:
        return axis in self._batch_axes or is_certain_batch(axis)

    def _image_axes(self, tensor: TensorInput) -> tuple[Axis, Axis] | None:
        """Height and width of an image with a free one of them; None where the input is no image."""
        axes = self._axes[tensor.name]
        if len(axes) != 4 or is_state(tensor.name):
            return None
        sizes = [self._sizes.get(axis) for axis in axes]
        places = (2, 3) if sizes[1] in _CHANNELS else (1, 2) if sizes[3] in _CHANNELS else None
        if places is None or all(sizes[place] is not None for place in places):
            return None
        return axes[places[0]], axes[places[1]]

    def _free_axes(self) -> tuple[list[Axis], list[Axis]]:
        """The free axes of no image: those that not only states have, and those of states."""
        of_images = {axis for pair in self._images for axis in pair}
        others: dict[Axis, None] = {}
        states: dict[Axis, None] = {}
        for tensor in self._inputs:
            for axis in self._axes[tensor.name]:
                if (
                    axis not in self._sizes
                    and axis not in of_images
                    and not (isinstance(axis, str) and is_formula(axis))
                ):
                    (states if is_state(tensor.name) else others)[axis] = None
        return list(others), [axis for axis in states if axis not in others]

    def assignments(self) -> Iterator[dict[Axis, int]]:
        """Sizes of the free axes, the likely ones first."""
        images = self._image_sizes() if self._images else [()]
        others = self._ladder if self._others else self._ladder[:1]
        counts = len(images), len(others), 2 if self._states else 1
        for image, other, state in sorted(itertools.product(*map(range, counts)), key=sum):
            size = others[other]
            yield {
                **{axis: s for pair in self._images for axis, s in zip(pair, images[image], strict=True)},
                **dict.fromkeys(self._others, size),
                **{axis: size if state else self._first_state_size(axis) for axis in self._states},
            }

    def _image_sizes(self) -> Sequence[tuple[int, ...]]:
        """Those that agree with what is fixed, then the others."""
        fixed = [self._sizes.get(axis) for axis in self._images[0]]
        fitting = [size for size in IMAGE_SIZES if all(f in (None, s) for f, s in zip(fixed, size, strict=True))]
        return [*fitting, *(size for size in IMAGE_SIZES if size not in fitting)]

    def _first_state_size(self, axis: Axis) -> int:
        """An empty cache of what was read before, and one sequence of other states."""
        holders = [axes for axes in self._axes.values() if axis in axes]
        return 0 if all(len(axes) >= _CACHE_RANK for axes in holders) else 1

    def solve(self, assignment: Mapping[Axis, int]) -> ShapeTrial:
        """The shapes with these sizes of the free axes."""
        sizes = {**assignment, **self._sizes}
        symbols = {axis: size for axis, size in sizes.items() if isinstance(axis, str)}
        shapes = {name: tuple(_size(axis, sizes, symbols) for axis in axes) for name, axes in self._axes.items()}
        return ShapeTrial(shapes, frozenset(tensor.name for tensor in self._inputs if self._is_drawn(tensor)))

    def _is_drawn(self, tensor: TensorInput) -> bool:
        axes = enumerate(self._axes[tensor.name])
        return any(
            axis not in self._certain_axes and place != tensor.batch_axis and not self._counts_requests(axis)
            for place, axis in axes
        )


def _size(axis: Axis, sizes: Mapping[Axis, int], symbols: Mapping[str, int]) -> int:
    size = sizes.get(axis)
    if size is None and isinstance(axis, str):
        size = evaluate(axis, symbols)
    return SIZES[0] if size is None else size


def _list_axes(tensor: TensorInput, shapes: Mapping[str, Shape]) -> list[Axis]:
    """What has the size of each axis of an input: its symbol, or its place."""
    places = enumerate(_find_shape(tensor, shapes))
    return [size if isinstance(size, str) else (tensor.name, place) for place, size in places]


def _find_shape(tensor: TensorInput, shapes: Mapping[str, Shape]) -> tuple[int | str | None, ...]:
    """The input's shape, of a given rank where it declares none."""
    shape = shapes.get(tensor.name)
    if tensor.shape is None:
        return (None,) * len(shape or ())
    if shape is not None and len(shape) != len(tensor.shape):
        raise UsageError(f"the shape {_text(shape)} has {len(shape)} axes, and the input is {tensor}")
    return tensor.shape


def _text(shape: Shape | None) -> str:
    return "x".join(map(str, shape or ()))
