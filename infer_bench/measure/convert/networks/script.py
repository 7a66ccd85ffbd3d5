"""The requests of a module that keeps no shapes: the user's, those of other sizes, and drawn ones of the same size."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import CannotRun
from infer_bench.measure.candidates.rows import rows_of_requests
from infer_bench.measure.convert.networks.free_axes import (
    Axes,
    RequestTrials,
    Shapes,
    are_near,
    check_axes,
    find_free,
    find_sizes,
    resize,
)
from infer_bench.measure.convert.networks.requests import DRAWN, CheckRequests, refuse_differing
from infer_bench.measure.convert.round_trip import TablePredictor
from infer_bench.report.common import Notice
from infer_bench.request_choices import RequestChoices
from infer_bench.typing import Array, Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.convert import FixSizes
from infer_bench.workers.tasks.draw_requests import DrawRequests


@dataclass(eq=False)
class ModuleSizes:
    """The sizes that a module and its file take, by the first of the user's requests.

    `open_original` opens the module in a worker that may end. The axes along which nothing could be compared are fixed.
    """

    open_original: Callable[[], TablePredictor]
    request: Columns
    axes: Axes = field(default_factory=dict)

    def find(self) -> None:
        """Which axes the module lets be changed."""
        with contextlib.closing(RequestTrials(self.open_original)) as original:
            self.axes = find_free(self._shapes, lambda sizes: original.takes(resize(self._columns, sizes)))

    def check(self, requests: CheckRequests, open_file: Callable[[], TablePredictor]) -> tuple[CheckRequests, Axes]:
        """With requests of other sizes that the file takes too; the axes that are left free."""
        with (
            contextlib.closing(RequestTrials(self.open_original)) as original,
            contextlib.closing(RequestTrials(open_file)) as file,
        ):

            def agree(rows: Columns) -> bool | None:
                outputs = file.predict(rows)
                own = None if outputs is None else original.predict(rows)
                return None if outputs is None or own is None else are_near(own, outputs)

            free, tables = check_axes(self._columns, self.axes, agree)
        others = {name: Table(columns) for name, columns in tables.items()}
        axes = {name: {i: s for i, s in places.items() if s in free} for name, places in self.axes.items()}
        return replace(requests, tables={**requests.tables, **others}), axes

    def fix(self, axes: Axes, writer: Worker, path: Path) -> list[Notice]:
        """Write the size of each axis that is not among `axes` into the file; what is to be said of them."""
        free = find_sizes(self._shapes, axes)
        fixed = {name: size for name, size in find_sizes(self._shapes, self.axes).items() if name not in free}
        if fixed:
            writer.ask(FixSizes(str(path), fixed))
        return [Notice("size-fixed", _describe_fixed(symbol, size, self.axes)) for symbol, size in fixed.items()]

    def add_drawn(self, requests: CheckRequests, converted: TablePredictor, path: str) -> CheckRequests:
        """With requests drawn for the file, of the size of the user's, where the original takes them."""
        sizes = find_sizes(self._shapes, self.axes)
        symbols = {size for tensor in converted.spec.inputs for size in tensor.shape or () if isinstance(size, str)}
        choices = RequestChoices(sizes={symbol: size for symbol, size in sizes.items() if symbol in symbols})
        try:
            drawn_requests = converted.worker.ask(DrawRequests(DRAWN, 0, choices))
        except CannotRun:
            text = "no request could be drawn: it was compared on yours alone"
            return replace(requests, notices=(*requests.notices, Notice("not-drawn", text)))
        refuse_differing(drawn_requests)
        with contextlib.closing(RequestTrials(self.open_original)) as original:
            if not original.takes(drawn_requests.columns):
                return requests
        rows = rows_of_requests(drawn_requests, converted.spec, path)
        notices = tuple(notice for notice in rows.notices if notice.code != "shape-drawn")
        tables = {**requests.tables, "drawn": Table(drawn_requests.columns)}
        return CheckRequests(tables, (*requests.notices, *notices), rows.inputs)

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The name of each axis of each input, empty where it is fixed."""
        return {
            name: tuple(self.axes.get(name, {}).get(axis, "") for axis in range(len(shape)))
            for name, shape in self._shapes.items()
        }

    @property
    def _shapes(self) -> Shapes:
        return {name: np.asarray(array).shape for name, array in self.request.items()}

    @property
    def _columns(self) -> dict[str, Array]:
        return {name: np.asarray(array)[np.newaxis] for name, array in self.request.items()}


def _describe_fixed(symbol: str, size: int, axes: Axes) -> str:
    places = [f"axis {axis} of {name}" for name, own in axes.items() for axis, other in own.items() if other == symbol]
    return f"{', '.join(places)}: the file takes {size} alone: no other size was answered alike"
