"""Which axes of a module that keeps no shapes are free: those along which it and its file take other sizes.

The requests are the user's own, repeated along an axis. They are tried in a worker that may end: kernels of recurrent
layers do not look whether sizes fit, and read beyond them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from infer_bench.errors import EngineError, WorkerError
from infer_bench.formats.input_names import is_state
from infer_bench.measure.convert.round_trip import TablePredictor
from infer_bench.request_choices import Shape
from infer_bench.typing import Array, Columns
from infer_bench.workers.tasks.network_outputs import PredictOutputs

Shapes = Mapping[str, Shape]
Axes = Mapping[str, Mapping[int, str]]
"""The names of the free axes, by input and place."""
_RECURRENT_RANK = 3
_NEAR = 1e-2
"""Of the largest answer: what is farther apart is another answer, and no rounding."""


class RequestTrials:
    """Asks a network whether it takes requests, in a worker that is opened when it is needed, and again if it ends."""

    def __init__(self, open_network: Callable[[], TablePredictor]) -> None:
        self._open = open_network
        self._predictor: TablePredictor | None = None

    def takes(self, columns: Columns) -> bool:
        """Whether it answers every one of these requests."""
        return self.predict(columns) is not None

    def predict(self, columns: Columns) -> Columns | None:
        """The outputs for these requests; None where it does not answer every one."""
        try:
            self._predictor = self._predictor or self._open()
            assert self._predictor.spec  # it is open
            answer = self._predictor.worker.ask(PredictOutputs(columns))
        except WorkerError:
            self.close()
            return None
        except EngineError:
            return None
        return None if answer.refusals.any() else answer.outputs

    def close(self) -> None:
        """End the worker."""
        if self._predictor is not None:
            self._predictor.close()
            self._predictor = None


def find_free(shapes: Shapes, takes: Callable[[Shapes], bool]) -> Axes:
    """A name for each axis whose size may be another one, by input: equal sizes first change together.

    `takes` says whether the module takes requests of these shapes. States do not change alone: layers fix their sizes.
    """
    free: dict[str, dict[int, str]] = {}
    for group in _list_groups(shapes):
        places = [place for place in group if place[1] not in free.get(place[0], {})]
        if not all(is_state(name) for name, _ in places) and all(
            takes(_change(shapes, places, step)) for step in (1, 2)
        ):
            symbol = _name(places[0], sum(len(axes) for axes in free.values()))
            for name, axis in places:
                free.setdefault(name, {})[axis] = symbol
    return free


def _list_groups(shapes: Shapes) -> Iterator[list[tuple[str, int]]]:
    """Axes of the same size anywhere, the same axis of all inputs with the same size there, and each axis alone.

    First without the axis that counts a state's layers.
    """
    places = [(name, axis) for name, shape in shapes.items() for axis in range(len(shape)) if shape[axis]]
    sizes = {place: shapes[place[0]][place[1]] for place in places}
    same = [[place for place in places if sizes[place] == size] for size in dict.fromkeys(sizes.values())]
    groups = [[place for place in group if not _counts_layers(place, shapes)] for group in same] + same
    for axis, size in dict.fromkeys((place[1], sizes[place]) for place in places):
        groups.append([place for place in places if (place[1], sizes[place]) == (axis, size)])
    yield from (*groups, *([place] for place in places))


def _counts_layers(place: tuple[str, int], shapes: Shapes) -> bool:
    """Whether it is the axis on which PyTorch's recurrent layers stack their states: (layers, batch, size)."""
    name, axis = place
    return axis == 0 and len(shapes[name]) == _RECURRENT_RANK and is_state(name)


def _change(shapes: Shapes, places: Sequence[tuple[str, int]], step: int) -> Shapes:
    return {
        name: tuple(size + step * ((name, axis) in places) for axis, size in enumerate(shape))
        for name, shape in shapes.items()
    }


def _name(place: tuple[str, int], count: int) -> str:
    return "batch" if place[1] == 0 and not count else f"{place[0]}_{place[1]}"


def find_sizes(shapes: Shapes, axes: Axes) -> dict[str, int]:
    """The size of each named axis in these shapes."""
    return {symbol: shapes[name][axis] for name, places in axes.items() for axis, symbol in places.items()}


def resize(columns: Columns, shapes: Shapes) -> dict[str, Array]:
    """Requests of these shapes: the numbers along an axis are repeated from its start, or cut."""
    return {name: _resize(np.asarray(column), shapes[name]) for name, column in columns.items()}


def _resize(column: Array, shape: Shape) -> Array:
    for axis, size in enumerate(shape, start=1):
        if column.shape[axis] != size:
            column = np.take(column, np.arange(size) % column.shape[axis], axis=axis)
    return column


def list_variants(shapes: Shapes, axes: Axes, symbols: Sequence[str]) -> list[Shapes]:
    """Shapes with other sizes of all `symbols` at once: each by another length, half, and double."""
    sizes = find_sizes(shapes, axes)
    steps = (
        {symbol: sizes[symbol] + 1 + place for place, symbol in enumerate(symbols)},
        {symbol: max(1, sizes[symbol] // 2) for symbol in symbols},
        {symbol: 2 * sizes[symbol] for symbol in symbols},
    )
    variants = [_with_sizes(shapes, axes, {**sizes, **step}) for step in steps]
    return [variant for variant in variants if variant != dict(shapes)]


def _with_sizes(shapes: Shapes, axes: Axes, sizes: Mapping[str, int]) -> Shapes:
    return {
        name: tuple(sizes[axes[name][axis]] if axis in axes.get(name, {}) else size for axis, size in enumerate(shape))
        for name, shape in shapes.items()
    }


def check_axes(
    columns: Columns, axes: Axes, agree: Callable[[Columns], bool | None]
) -> tuple[list[str], dict[str, Columns]]:
    """The names of the axes along which requests of other sizes are answered alike, and such requests by their sizes.

    `agree` says whether network and file answer requests alike, and None where one of them does not take them. Each
    axis is tried alone, then all together; if they disagree then, the first one alone is free.
    """
    shapes = {name: np.asarray(column).shape[1:] for name, column in columns.items()}
    checked_names: list[str] = []
    tables: dict[str, Columns] = {}
    for symbol in find_sizes(shapes, axes):
        alone = _try_variants(columns, list_variants(shapes, axes, [symbol]), agree)
        if alone:
            checked_names.append(symbol)
            tables |= dict(list(alone.items())[:1])
    if len(checked_names) > 1:
        together = _try_variants(columns, list_variants(shapes, axes, checked_names), agree)
        if together is None:
            return check_axes(columns, _keep_only(axes, checked_names[0]), agree)
        tables |= together
    return checked_names, tables


def _keep_only(axes: Axes, symbol: str) -> Axes:
    return {name: {axis: own for axis, own in places.items() if own == symbol} for name, places in axes.items()}


def _try_variants(
    columns: Columns, variants: Sequence[Shapes], agree: Callable[[Columns], bool | None]
) -> dict[str, Columns] | None:
    """The requests that are answered alike, by their sizes; None where some are answered otherwise."""
    tables: dict[str, Columns] = {}
    shapes = {name: np.asarray(column).shape[1:] for name, column in columns.items()}
    for variant in variants:
        requests = resize(columns, variant)
        answer = agree(requests)
        if answer is False:
            return None
        if answer:
            tables[_describe(requests, shapes)] = requests
    return tables


def are_near(columns: Columns, others: Columns) -> bool:
    """Whether two networks give outputs of the same names and shapes that are about the same."""
    if columns.keys() != others.keys():
        return False
    return all(_is_near(np.asarray(column), np.asarray(others[name])) for name, column in columns.items())


def _is_near(values: Array, others: Array) -> bool:
    if values.shape != others.shape or values.dtype.kind != "f":
        return values.shape == others.shape
    size = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    return bool(np.allclose(values, others, rtol=0, atol=_NEAR * size, equal_nan=True))


def _describe(columns: Columns, shapes: Shapes) -> str:
    """`image 2x3x225x225`: the inputs whose shapes are other ones, up to two of them."""
    names = [name for name, column in columns.items() if column.shape[1:] != shapes[name]]
    return " ".join(f"{name} {'x'.join(map(str, columns[name].shape[1:]))}" for name in names[:2])
