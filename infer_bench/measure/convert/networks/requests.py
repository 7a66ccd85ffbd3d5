"""The requests on which a network's conversion is compared: the user's, and drawn ones of several sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import CannotRun, NotConvertible
from infer_bench.measure.candidates.request_file import RequestFile
from infer_bench.measure.candidates.rows import rows_of_requests
from infer_bench.measure.convert.networks.sizes import (
    FreeAxis,
    find_free_axes,
    find_unvaried,
    list_other_sizes,
    name_sizes,
)
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.report.common import DrawnInput, Notice
from infer_bench.request_choices import RequestChoices, Shape
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.draw_requests import DrawnRequests, DrawRequests

DRAWN, OTHERS = 16, 4
"""So many requests are drawn, and of every other size."""
MOST_DATA = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class CheckRequests:
    """Tables of requests by name, with what is to be said of them and how the first drawn ones came about."""

    tables: Mapping[str, Table]
    notices: Sequence[Notice] = ()
    drawn_inputs: Sequence[DrawnInput] = field(default_factory=tuple)


def collect_requests(original: Worker, spec: ModelSpec, file: RequestFile | None, path: str) -> CheckRequests:
    """The user's requests first. Raises `DataError` where these do not fit, and where there are none at all."""
    tables = {} if file is None else {"data": _take_first(file.read_tensors(spec.inputs))}
    try:
        first = original.ask(DrawRequests(DRAWN, 0))
    except CannotRun as error:
        if file is None:
            raise NotConvertible(error.message, "give requests with --data FILE.npz") from None
        text = "no request could be drawn: it was compared on yours alone"
        return CheckRequests(tables, (Notice("not-drawn", text),))
    refuse_differing(first)
    rows = rows_of_requests(first, spec, path)
    others, notices = _draw_others(original, spec.inputs, first)
    tables |= {"drawn": Table(first.columns), **others}
    drawn_notices = [notice for notice in rows.notices if notice.code != "shape-drawn"]
    return CheckRequests(tables, (*drawn_notices, *notices), rows.inputs)


def read_own(spec: ModelSpec, file: RequestFile | None, name: str) -> CheckRequests:
    """The user's requests alone, of a module that keeps no shapes. Raises `NotConvertible` without them."""
    if file is None:
        text = f"{name} keeps no shapes of its inputs: {', '.join(tensor.name for tensor in spec.inputs)}"
        raise NotConvertible(text, "give requests with --data FILE.npz")
    return CheckRequests({"data": _take_first(file.read_tensors(spec.inputs))})


def take_request(table: Table) -> Columns:
    """The arrays of the first request."""
    return {name: np.array(column[0], order="C") for name, column in table.columns.items()}


def _take_first(table: Table) -> Table:
    return table.slice(0, min(table.rows, MOST_DATA))


def refuse_differing(requests: DrawnRequests) -> None:
    """Raise `NotConvertible` for a network that does not answer alike twice."""
    for remark in requests.remarks:
        if remark.code == "differs-between-runs":
            raise NotConvertible(remark.message, remark.hint)


def _draw_others(
    original: Worker, inputs: Sequence[TensorInput], first: DrawnRequests
) -> tuple[dict[str, Table], list[Notice]]:
    """Requests of the sizes that the original takes, and that it takes no others along some axis."""
    first_shapes = _shapes(first)
    axes = find_free_axes(inputs, first_shapes)
    tables: dict[str, Table] = {}
    accepted: list[Mapping[str, int]] = []
    for sizes in list_other_sizes(inputs, axes):
        try:
            requests = original.ask(DrawRequests(OTHERS, 0, RequestChoices(sizes=sizes)))
        except CannotRun:
            continue
        accepted.append(sizes)
        tables[name_sizes(inputs, _shapes(requests), first_shapes)] = Table(requests.columns)
    return tables, [_note_unvaried(axis, inputs) for axis in find_unvaried(axes, accepted)]


def _shapes(requests: DrawnRequests) -> dict[str, Shape]:
    return {entry.name: entry.shapes[0] for entry in requests.inputs}


def _note_unvaried(axis: FreeAxis, inputs: Sequence[TensorInput]) -> Notice:
    owner = next((tensor for tensor in inputs if axis.symbol in (tensor.shape or ())), inputs[0])
    text = f"{axis.symbol} of {owner} was {axis.size} in all requests: the model takes no other size that was tried"
    return Notice("size-not-varied", text, "give requests of other sizes with --data")
